package ss

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/sockeye-tools/sockeye/diag"
)

// storedMaps are maps by their ids.
type storedMaps map[uint32]btf.Type

func (m storedMaps) Value(id uint32) (btf.Type, bool) { t, ok := m[id]; return t, ok }

// statType has something of everything that ss shows in its own way.
func statType() *btf.Struct {
	i32 := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	u32 := &btf.Int{Name: "unsigned int", Size: 4}
	u64 := &btf.Int{Name: "unsigned long long", Size: 8}
	inner := &btf.Struct{Name: "inner", Size: 8, Members: []btf.Member{{Name: "x", Type: i32}, {Name: "y", Type: u32, Offset: 32}}}
	return &btf.Struct{Name: "stat", Size: 48, Members: []btf.Member{
		{Name: "count", Type: u64},
		{Name: "hue", Type: &btf.Enum{Name: "color", Size: 4, Values: []btf.EnumValue{{Name: "RED", Value: 0}}}, Offset: 64},
		{Name: "in", Type: inner, Offset: 96},
		{Name: "", Type: &btf.Union{Size: 4, Members: []btf.Member{{Name: "b", Type: u32}}}, Offset: 160},
		{Name: "name", Type: &btf.Array{Type: &btf.Int{Name: "char", Size: 1}, Index: u32, Nelems: 4}, Offset: 192},
		{Name: "flag", Type: &btf.Int{Name: "_Bool", Size: 1, Encoding: btf.Bool}, Offset: 224},
		{Name: "bf", Type: u32, Offset: 256, BitfieldSize: 3},
		{Name: "ptr", Type: &btf.Pointer{Target: &btf.Const{Type: inner}}, Offset: 320},
	}}
}

// TestStorages: the form is ss's, which a test over maps of the kernel compares.
func TestStorages(t *testing.T) {
	value := make([]byte, 48)
	ne.PutUint64(value, 7)
	copy(value[24:], "a\x00b")
	storage := func(id uint32, value []byte) []byte { return attr(1, attr(2, id), attr(3, value)) }
	m := message{src: "127.0.0.1:1", dst: "127.0.0.1:2", state: diag.Established,
		attrs: attr(diag.AttrSKBPFStorages, storage(5, value), storage(6, ne.AppendUint32(nil, 7)), storage(7, value[:4]), storage(8, value[:8]))}
	maps := storedMaps{5: statType(), 6: &btf.Int{Name: "unsigned int", Size: 4}, 8: &btf.Int{Name: "unsigned int", Size: 4}} // 7 is not known, 8 is longer than it should be
	const lines = `
	map_id:5 [
		(struct stat){
			.count = (unsigned long long)7,
			.hue = (enum color)RED,
			.in = (struct inner){
				.x = (int)0,
				.y = (unsigned int)0,
			},
			(union){
				.b = (unsigned int)0,
			},
			.name = (char[4])[
				'a',
				'\0',
			],
			.flag = (_Bool)'\0',
			.bf = (unsigned int)0x0,
			.ptr = (struct inner *)0x0,
		}
	]
	map_id:6 [
		(unsigned int)7
	]`
	s := m.socket(t)
	p := New(nil, Options{BPFMaps: maps})
	if got := string(p.appendExt(nil, s, diag.TCP)); got != lines {
		t.Errorf("got %s\nwant %s", got, lines)
	}
	var one strings.Builder
	for line := range strings.Lines(strings.ReplaceAll(lines, " [\n\t\t(", "(")) {
		line = strings.Trim(line, "\t\n")
		if strings.HasPrefix(line, "map_id") {
			line = " " + line
		}
		if line != "]" || strings.HasSuffix(one.String(), "'") {
			one.WriteString(line)
		}
	}
	p = New(nil, Options{BPFMaps: maps, OneLine: true})
	if got := string(p.appendExt(nil, s, diag.TCP)); got != one.String() {
		t.Errorf("got %s\nwant %s", got, &one)
	}
}

// Values that are shorter than their types say do no harm.
func TestShortValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		value := make([]byte, r.IntN(60))
		for i := range value {
			value[i] = byte(r.Uint32())
		}
		v := valueDump{}
		v.value("n\x1b", statType(), value, 0, 0)
		if strings.ContainsRune(string(v.b), '\x1b') {
			t.Fatalf("%q", v.b)
		}
	}
	s := statType()
	s.Members = append(s.Members, btf.Member{Name: "beyond", Type: s.Members[0].Type, Offset: 8 * 45})
	v := valueDump{}
	v.value("", s, make([]byte, 48), 0, 0)
}
