package main

import (
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// storedTypes are types of values in BPF maps, each with values.
func storedTypes() []storedType {
	i32 := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	u32 := &btf.Int{Name: "unsigned int", Size: 4}
	i64 := &btf.Int{Name: "long long", Size: 8, Encoding: btf.Signed}
	u64 := &btf.Int{Name: "unsigned long long", Size: 8}
	i16 := &btf.Int{Name: "short", Size: 2, Encoding: btf.Signed}
	u16 := &btf.Int{Name: "unsigned short", Size: 2}
	i8 := &btf.Int{Name: "signed char", Size: 1, Encoding: btf.Signed}
	u8 := &btf.Int{Name: "unsigned char", Size: 1}
	char := &btf.Int{Name: "char", Size: 1, Encoding: btf.Char}
	boolean := &btf.Int{Name: "_Bool", Size: 1, Encoding: btf.Bool}
	u128 := &btf.Int{Name: "unsigned __int128", Size: 16}
	color := &btf.Enum{Name: "color", Size: 4, Values: []btf.EnumValue{{Name: "RED", Value: 1}, {Name: "BLUE", Value: 0x01020304}}}
	signed := &btf.Enum{Size: 4, Signed: true, Values: []btf.EnumValue{{Name: "LESS", Value: 1<<64 - 1}}}
	long := &btf.Enum{Name: "long_color", Size: 8, Values: []btf.EnumValue{{Name: "DIST", Value: 1 << 40}}}
	pair := &btf.Struct{Name: "pair", Size: 8, Members: []btf.Member{{Name: "x", Type: i32}, {Name: "y", Type: u32, Offset: 32}}}
	array := func(t btf.Type, n uint32) btf.Type { return &btf.Array{Type: t, Index: u32, Nelems: n} }
	members := func(size uint32, list ...any) btf.Type { // name, type, offset in bytes
		s := &btf.Struct{Name: "stored", Size: size}
		for i := 0; i < len(list); i += 3 {
			s.Members = append(s.Members, btf.Member{Name: list[i].(string), Type: list[i+1].(btf.Type), Offset: btf.Bits(8 * list[i+2].(int))})
		}
		return s
	}
	fields := &btf.Struct{Name: "fields", Size: 8, Members: []btf.Member{
		{Name: "a", Type: u32, BitfieldSize: 3}, {Name: "b", Type: u32, Offset: 3, BitfieldSize: 7}, {Name: "c", Type: i32, Offset: 10, BitfieldSize: 12},
		{Name: "hue", Type: color, Offset: 32, BitfieldSize: 5}, {Name: "one", Type: u32, Offset: 63, BitfieldSize: 1},
	}}
	union := &btf.Union{Size: 8, Members: []btf.Member{{Name: "wide", Type: u64}, {Name: "narrow", Type: u16}}}
	counted := make([]byte, 256)
	for i := range counted {
		counted[i] = byte(i + 1)
	}
	text := []byte("hey \"'\\%\xff\x01")
	return []storedType{
		{"int", i32, counted}, {"unsigned", u32, nil}, {"u64", u64, counted}, {"u128", u128, counted}, {"negative", i64, []byte("\xfe\xff\xff\xff\xff\xff\xff\xff")},
		{"typedef", &btf.Typedef{Name: "u_t", Type: &btf.Const{Type: u32}}, counted},
		{"small numbers", members(8, "a", i8, 0, "b", u8, 1, "c", i16, 2, "d", u16, 4, "e", boolean, 6, "f", char, 7), []byte("\xff\xff\xfe\xff\xfe\xff\x01z")},
		{"enumerations", members(24, "a", color, 0, "b", color, 4, "c", signed, 8, "d", signed, 12, "e", long, 16),
			[]byte("\x01\x00\x00\x00\xf0\xff\xff\xff\xff\xff\xff\xff\xf0\xff\xff\xff\x00\x00\x00\x00\x00\x01\x00\x00")},
		{"bit fields", fields, counted},
		{"nested", members(24, "in", pair, 0, "", union, 8, "again", &btf.Struct{Size: 8, Members: pair.Members}, 16), counted},
		{"arrays", members(48, "n", array(u32, 3), 0, "two", array(array(i16, 2), 3), 12, "pairs", array(pair, 2), 24, "hues", array(color, 2), 40), counted},
		{"text", members(24, "name", array(char, 12), 0, "more", array(u8, 4), 12, "flag", boolean, 16, "next", u8, 17, "n", u32, 20), text},
		{"bytes", array(u8, 8), counted},
		{"pointers", members(32, "void", &btf.Pointer{Target: &btf.Void{}}, 0, "to", &btf.Pointer{Target: &btf.Const{Type: pair}}, 8,
			"array", &btf.Pointer{Target: array(u32, 4)}, 16, "list", array(&btf.Pointer{Target: &btf.Pointer{Target: char}}, 1), 24), counted},
		{"functions", members(16, "f", &btf.Pointer{Target: &btf.FuncProto{Return: i32, Params: []btf.FuncParam{{Name: "p", Type: &btf.Pointer{Target: pair}}, {Name: "n", Type: u32}}}}, 0,
			"g", &btf.Pointer{Target: &btf.FuncProto{Return: &btf.Void{}}}, 8), counted},
		{"of pointers", members(32, "list", array(&btf.Pointer{Target: array(u32, 4)}, 2), 0,
			"f", &btf.Pointer{Target: &btf.FuncProto{Return: &btf.Pointer{Target: array(i16, 3)}}}, 16,
			"fs", array(&btf.Pointer{Target: &btf.FuncProto{Return: &btf.Pointer{Target: char}}}, 1), 24), counted},
		{"floats", members(16, "f", &btf.Float{Name: "float", Size: 4}, 0, "d", &btf.Float{Name: "double", Size: 8}, 8),
			[]byte("\x00\x00\xc0\x3f\x00\x00\x00\x00\x9a\x99\x99\x99\x99\x99\xb9\x3f")},
		{"empty", members(12, "name", array(char, 4), 0, "in", pair, 4), nil},
	}
}

type storedType struct {
	name  string
	typ   btf.Type
	value []byte
}

// What BPF maps keep with sockets is shown as ss does: --bpf-maps and --bpf-map-id.
func TestBPFMapsSS(t *testing.T) {
	peer, ours := peers.SS(t), peers.Sockeye(t)
	s := scene.New(t)
	var conn [2]*os.File
	err := s.Do(func() {
		l, err := net.Listen("tcp", "127.0.0.1:6999")
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { l.Close() }) // with it would go what it has not accepted
		for i := range conn {
			c, err := net.Dial("tcp", "127.0.0.1:6999")
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if conn[i], err = c.(*net.TCPConn).File(); err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { conn[i].Close() })
		}
	})
	if err != nil || t.Failed() {
		t.Fatal(err)
	}
	var ids []string
	key := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	for _, st := range storedTypes() {
		size, err := btf.Sizeof(st.typ)
		if err != nil {
			t.Fatal(err)
		}
		m, err := ebpf.NewMap(&ebpf.MapSpec{
			Name: "stored", Type: ebpf.SkStorage, KeySize: 4, ValueSize: uint32(size), Flags: unix.BPF_F_NO_PREALLOC, Key: key, Value: st.typ,
		})
		if errors.Is(err, os.ErrPermission) || errors.Is(err, ebpf.ErrNotSupported) {
			t.Skip("BPF maps of type sk_storage:", err)
		}
		if err != nil {
			t.Fatalf("%s: %v", st.name, err)
		}
		t.Cleanup(func() { m.Close() })
		value := make([]byte, size)
		copy(value, st.value)
		if err := m.Put(int32(conn[len(ids)%2].Fd()), value); err != nil {
			t.Fatalf("%s: %v", st.name, err)
		}
		info, err := m.Info()
		if err != nil {
			t.Fatal(err)
		}
		id, _ := info.ID()
		ids = append(ids, strconv.Itoa(int(id)))
	}
	other, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	info, err := other.Info()
	if err != nil {
		t.Fatal(err)
	}
	otherID, _ := info.ID()

	// Of an empty pointer, and of an enumeration of 64 bits, ss prints one or the other, by where the message lies in its memory.
	null := strings.NewReplacer("(nil)", "0x0", "(enum long_color)0ULL", "(enum long_color)DIST").Replace
	shown := runCommand(t, s, nil, peer, "-tn", "--bpf-maps")
	for _, id := range ids {
		if !strings.Contains(shown.stdout, "map_id:"+id) {
			t.Errorf("ss does not show the value of map %s: %+v", id, shown)
		}
	}
	compare := func(name string, args ...string) {
		t.Run(name, func(t *testing.T) {
			peers.Compare(t, s, append([]string{peer}, args...), append([]string{ours, "ss"}, args...), peers.Options{Peer: null, KeepBlanks: !strings.Contains(strings.Join(args, ""), "i")})
		})
	}
	compare("all", "-tn", "--bpf-maps")
	compare("all on one line", "-tnO", "--bpf-maps")
	compare("all, with other attributes", "-tanme", "--tos", "--bpf-maps")
	compare("one", "-tn", "--bpf-map-id", ids[1])
	compare("two", "-tn", "--bpf-map-id", ids[0], "--bpf-map-id", ids[2])
	compare("the last first", "-tn", "--bpf-map-id", ids[8], "--bpf-map-id", ids[4], "--bpf-map-id", ids[2], "--bpf-map-id", ids[0])
	compare("twice the same", "-tn", "--bpf-map-id", ids[0], "--bpf-map-id", ids[0])
	compare("filter", "-tn", "--bpf-maps", "dport", "=", "6999")
	compare("udp", "-uan", "--bpf-maps")
	compare("unix", "-xan", "--bpf-maps")
	for _, line := range split(`
-tn --bpf-map-id abc
-tn --bpf-map-id 0
-tn --bpf-map-id -1
-tn --bpf-map-id 4294967296
-tn --bpf-map-id 4294967295
-tn --bpf-maps --bpf-map-id ` + ids[0] + `
-tn --bpf-map-id ` + ids[0] + ` --bpf-maps
-tn --bpf-maps --bpf-maps
-tn --bpf-map-id ` + strconv.Itoa(int(otherID))) {
		compare(strings.Join(line, " "), line...)
	}
}
