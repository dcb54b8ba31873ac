package ss

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
)

// The type of a map's values is read from the kernel, once.
func TestBPFMapsValue(t *testing.T) {
	integer := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	m, err := ebpf.NewMap(&ebpf.MapSpec{
		Type: ebpf.SkStorage, KeySize: 4, ValueSize: 4, Flags: unix.BPF_F_NO_PREALLOC, Key: integer, Value: &btf.Typedef{Name: "counted", Type: integer},
	})
	if errors.Is(err, os.ErrPermission) || errors.Is(err, ebpf.ErrNotSupported) {
		t.Skip("BPF maps of type sk_storage:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	info, err := m.Info()
	if err != nil {
		t.Fatal(err)
	}
	id, _ := info.ID()
	var words bytes.Buffer
	for _, named := range [][]namedMap{nil, {{uint32(id), m}}} {
		maps := &bpfMaps{stderr: &words, named: named}
		typ, ok := maps.Value(uint32(id))
		if d, is := typ.(*btf.Typedef); !ok || !is || d.Name != "counted" {
			t.Errorf("%v, %v", typ, ok)
		}
		if fds := maps.descriptors(); fds == nil || len(fds) != len(named) || named != nil && fds[0] != m.FD() {
			t.Errorf("descriptors %v of %v", fds, named)
		}
	}
	if words.Len() > 0 {
		t.Errorf("said: %s", &words)
	}
	maps := &bpfMaps{stderr: &words}
	for range 3 {
		if _, ok := maps.Value(1<<32 - 2); ok {
			t.Error("a map that is not there has a type")
		}
	}
	if got := words.String(); !strings.HasPrefix(got, "map_id: 4294967294 failed to fetch info, skipping: ") || strings.Count(got, "\n") != 1 {
		t.Errorf("said: %q", got)
	}
}

// The kernel answers in the order in which it is asked, and is asked in that of the command line.
func TestBPFMapsOrder(t *testing.T) {
	integer := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	var o options
	defer func() { o.maps.Close() }()
	var want []ebpf.MapID
	for range 12 {
		m, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.SkStorage, KeySize: 4, ValueSize: 4, Flags: unix.BPF_F_NO_PREALLOC, Key: integer, Value: integer})
		if errors.Is(err, os.ErrPermission) || errors.Is(err, ebpf.ErrNotSupported) {
			t.Skip("BPF maps of type sk_storage:", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		info, err := m.Info()
		if err != nil {
			t.Fatal(err)
		}
		id, _ := info.ID()
		want = append(want, id)
		for range 2 { // once is enough
			if err := o.bpfMap(strconv.Itoa(int(id))); err != nil {
				t.Fatal(err)
			}
		}
	}
	var got []ebpf.MapID
	for _, named := range o.maps.named {
		got = append(got, ebpf.MapID(named.id))
	}
	if !slices.Equal(got, want) || len(o.maps.descriptors()) != len(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Without CAP_BPF the kernel refuses the dump: the sockets are shown without the values, and that is said once.
func TestBPFMapsRefused(t *testing.T) {
	storages := func(r diagtest.Request) bool {
		return bytes.Contains(r.Data, []byte{4, 0, 2, 0x80}) || bytes.Contains(r.Data, []byte{0, 4, 0x80, 2})
	}
	s, stdout, stderr := newTestShow(t, "-tuanH --bpf-maps", func(r diagtest.Request) []diagtest.Datagram {
		if storages(r) {
			return []diagtest.Datagram{diagtest.Datagram{}.Error(r, unix.EPERM)}
		}
		if r.Protocol() != diag.TCP {
			return noAnswer(r)
		}
		return twoConnections(r)
	})
	status, err := s.run()
	if status != exitOK || err != nil || !slices.Equal(strings.Fields(stdout.String())[:2], []string{"tcp", "ESTAB"}) {
		t.Errorf("status %d, error %v, stdout %q", status, err, stdout)
	}
	if stderr.String() != "ss: values of BPF maps are not shown: that needs CAP_BPF, or root\n" {
		t.Errorf("stderr %q", stderr)
	}
}
