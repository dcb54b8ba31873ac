package ss

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strconv"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// bpfMaps are the maps of type BPF_MAP_TYPE_SK_STORAGE whose values are shown (--bpf-maps, --bpf-map-id).
type bpfMaps struct {
	stderr io.Writer
	named  []namedMap          // in the order of the command line, which is that of the kernel's answer; nil: all maps
	types  map[uint32]btf.Type // of their values; nil: could not be read
}

type namedMap struct {
	id uint32
	*ebpf.Map
}

// find returns the map that was named with an id; nil: none was.
func (m *bpfMaps) find(id uint32) *ebpf.Map {
	for _, named := range m.named {
		if named.id == id {
			return named.Map
		}
	}
	return nil
}

// allBPFMaps takes --bpf-maps.
func (o *options) allBPFMaps() error {
	if o.maps != nil && o.maps.named != nil {
		return &exit{text: bothBPFMaps, status: exitUsage}
	}
	o.maps = &bpfMaps{}
	return nil
}

const bothBPFMaps = "ss: --bpf-maps and --bpf-map-id cannot be used together"

// bpfMap takes the argument of --bpf-map-id. There may be several.
func (o *options) bpfMap(arg string) error {
	fail := func(format string, args ...any) error {
		return &exit{text: fmt.Sprintf(format, args...), status: exitFailed}
	}
	if o.maps == nil {
		o.maps = &bpfMaps{named: []namedMap{}}
	}
	id, err := strconv.ParseUint(arg, 0, 32)
	switch {
	case o.maps.named == nil:
		return fail("%s", bothBPFMaps)
	case err != nil || id == 0 || id == math.MaxUint32:
		return fail("ss: invalid BPF map ID %s", arg)
	case o.maps.find(uint32(id)) != nil:
		return nil
	}
	m, err := ebpf.NewMapFromID(ebpf.MapID(id))
	if errors.Is(err, os.ErrPermission) {
		return fail("ss: cannot get fd for BPF map ID %d: missing root permissions, CAP_BPF, or CAP_SYS_ADMIN", id)
	}
	if err != nil {
		return fail("ss: cannot get fd for BPF map ID %d", id)
	}
	if m.Type() != ebpf.SkStorage {
		m.Close()
		return fail("ss: BPF map with ID %s has type ID %d, expecting %d ('sk_storage')", arg, m.Type(), ebpf.SkStorage)
	}
	o.maps.named = append(o.maps.named, namedMap{uint32(id), m})
	return nil
}

// descriptors returns what a query asks for.
func (m *bpfMaps) descriptors() []int {
	if m == nil {
		return nil
	}
	fds := []int{}
	for _, named := range m.named {
		fds = append(fds, named.FD())
	}
	return fds
}

func (m *bpfMaps) Close() {
	if m == nil {
		return
	}
	for _, named := range m.named {
		named.Close()
	}
}

// Value returns the type of a map's values. What cannot be read is said once.
func (m *bpfMaps) Value(id uint32) (btf.Type, bool) {
	t, ok := m.types[id]
	if !ok {
		var err error
		if t, err = m.read(id); err != nil {
			fmt.Fprintf(m.stderr, "map_id: %d failed to fetch info, skipping: %v\n", id, err)
		}
		if m.types == nil {
			m.types = map[uint32]btf.Type{}
		}
		m.types[id] = t
	}
	return t, t != nil
}

func (m *bpfMaps) read(id uint32) (btf.Type, error) {
	of := m.find(id)
	if of == nil {
		var err error
		if of, err = ebpf.NewMapFromID(ebpf.MapID(id)); err != nil {
			return nil, err
		}
		defer of.Close()
	}
	btfID, typeID, err := valueType(of.FD())
	if err != nil {
		return nil, err
	}
	h, err := btf.NewHandleFromID(btfID)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	spec, err := h.Spec(nil)
	if err != nil {
		return nil, err
	}
	return spec.TypeByID(typeID)
}

// valueType reads which BTF describes a map, and the type of its values therein: btf_id and btf_value_type_id of struct bpf_map_info of
// linux/bpf.h.
func valueType(fd int) (btf.ID, btf.TypeID, error) {
	const btfID, valueTypeID = 16, 18 // by 4 bytes
	var info [valueTypeID + 1]uint32
	attr := struct {
		fd, len uint32
		info    uint64
	}{uint32(fd), uint32(unsafe.Sizeof(info)), uint64(uintptr(unsafe.Pointer(&info)))}
	_, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_OBJ_GET_INFO_BY_FD, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	runtime.KeepAlive(&info)
	if errno != 0 {
		return 0, 0, errno
	}
	return btf.ID(info[btfID]), btf.TypeID(info[valueTypeID]), nil
}
