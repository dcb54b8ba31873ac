package ss

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"github.com/cilium/ebpf/btf"

	"github.com/sockeye-tools/sockeye/render/names"
)

// BPFMaps knows the types of the values of BPF maps.
type BPFMaps interface {
	// Value returns the type of the values of the map with an id; ok is false where it is not known.
	Value(id uint32) (t btf.Type, ok bool)
}

// appendStorages appends what BPF maps keep with the socket.
func (p *Writer) appendStorages(b []byte, id uint32, value []byte) []byte {
	t, ok := p.opt.BPFMaps.Value(id)
	if !ok {
		return b
	}
	if size, err := btf.Sizeof(t); err != nil || size != len(value) {
		return b
	}
	if p.opt.OneLine {
		b = appendUint(append(b, " map_id:"...), uint64(id))
	} else {
		b = append(appendUint(append(b, "\n\tmap_id:"...), uint64(id)), " [\n"...)
	}
	v := valueDump{b: b, compact: p.opt.OneLine}
	v.value("", t, value, 0, 0)
	if !p.opt.OneLine {
		v.b = append(v.b, "\n\t]"...)
	}
	return v.b
}

// valueDump prints a value by its type, as libbpf's btf_dump__dump_type_data does, quirks included.
type valueDump struct {
	b       []byte
	compact bool
	depth   int

	inArray    bool // members of arrays are printed without their types
	chars      bool // there was an array of bytes: from then on bytes are characters
	terminated bool // and the last one was a NUL: the bytes behind it are not printed
}

// value prints a value, with the name of the member that it is. bits is not 0 for a bit field, which begins at bit from.
func (v *valueDump) value(name string, t btf.Type, data []byte, from, bits int) {
	v.indent()
	if name != "" {
		v.text("." + string(names.AppendEscaped(nil, name)) + " = ")
	}
	if !v.inArray {
		v.text("(" + string(names.AppendEscaped(nil, typeName(t, ""))) + ")")
	}
	if size, err := btf.Sizeof(t); bits == 0 && (err != nil || size > len(data)) {
		return
	}
	switch t := btf.UnderlyingType(t).(type) {
	case *btf.Int:
		if bits > 0 {
			v.leaf("0x" + strconv.FormatUint(bitField(data, from, bits), 16))
			return
		}
		v.integer(t, data)
	case *btf.Enum:
		v.enum(t, data, from, bits)
	case *btf.Float:
		switch t.Size {
		case 4:
			v.leaf(strconv.FormatFloat(float64(math.Float32frombits(binary.NativeEndian.Uint32(data))), 'f', 6, 32))
		case 8:
			v.leaf(strconv.FormatFloat(math.Float64frombits(binary.NativeEndian.Uint64(data)), 'f', 6, 64))
		}
	case *btf.Pointer:
		v.leaf("0x" + strconv.FormatUint(readInt(data[:strconv.IntSize/8], false), 16))
	case *btf.Array:
		v.array(t, data)
	case *btf.Struct:
		v.members(t.Members, data)
	case *btf.Union:
		v.members(t.Members, data)
	}
}

func (v *valueDump) text(s string) { v.b = append(v.b, s...) }

// leaf prints the end of a value.
func (v *valueDump) leaf(s string) {
	v.text(s)
	if v.depth > 0 {
		v.text(",")
		v.newline()
	}
}

func (v *valueDump) newline() {
	if !v.compact && v.depth > 0 {
		v.text("\n")
	}
}

func (v *valueDump) indent() {
	if v.compact {
		return
	}
	for range v.depth + 2 {
		v.text("\t")
	}
}

func (v *valueDump) members(list []btf.Member, data []byte) {
	v.depth++
	v.text("{")
	v.newline()
	for _, m := range list {
		at, from := int(m.Offset/8), int(m.Offset%8)
		if at < len(data) {
			v.value(m.Name, m.Type, data[at:], from, int(m.BitfieldSize))
		}
	}
	v.depth--
	v.indent()
	v.leaf("}")
}

func (v *valueDump) array(t *btf.Array, data []byte) {
	size, err := btf.Sizeof(t.Type)
	if err != nil || size == 0 {
		return
	}
	if _, ok := btf.UnderlyingType(t.Type).(*btf.Int); ok && size == 1 {
		v.chars = true
	}
	v.depth++
	v.text("[")
	v.newline()
	inArray, terminated := v.inArray, v.terminated
	v.inArray, v.terminated = true, false
	for i := range int(t.Nelems) {
		if v.terminated {
			break
		}
		v.value("", t.Type, data[i*size:], 0, 0)
	}
	v.inArray, v.terminated = inArray, terminated
	v.depth--
	v.indent()
	v.leaf("]")
}

func (v *valueDump) integer(t *btf.Int, data []byte) {
	signed := t.Encoding == btf.Signed
	data = data[:t.Size]
	switch t.Size {
	case 1:
		if v.chars {
			if v.terminated {
				return
			}
			if data[0] == 0 {
				v.leaf(`'\0'`)
				v.terminated = true
				return
			}
			if data[0] >= ' ' && data[0] < 0x7f {
				v.leaf("'" + string(data) + "'")
				return
			}
		}
		fallthrough
	case 2, 4, 8:
		if n := readInt(data, signed); signed {
			v.leaf(strconv.FormatInt(int64(n), 10))
		} else {
			v.leaf(strconv.FormatUint(n, 10))
		}
	case 16:
		lo, hi := binary.NativeEndian.Uint64(data), binary.NativeEndian.Uint64(data[8:])
		if bigEndian {
			lo, hi = hi, lo
		}
		s := strconv.FormatUint(lo, 16)
		if hi != 0 {
			for len(s) < 16 {
				s = "0" + s
			}
			s = strconv.FormatUint(hi, 16) + s
		}
		v.leaf("0x" + s)
	}
}

func (v *valueDump) enum(t *btf.Enum, data []byte, from, bits int) {
	var n uint64
	if bits > 0 {
		n = bitField(data, from, bits)
	} else {
		n = readInt(data[:t.Size], true)
	}
	for _, e := range t.Values {
		if e.Value == n || t.Size < 8 && uint32(e.Value) == uint32(n) {
			v.leaf(string(names.AppendEscaped(nil, e.Name)))
			return
		}
	}
	switch {
	case t.Size == 8 && t.Signed:
		v.leaf(strconv.FormatInt(int64(n), 10) + "LL")
	case t.Size == 8:
		v.leaf(strconv.FormatUint(n, 10) + "ULL")
	case t.Signed:
		v.text(strconv.FormatInt(int64(int32(n)), 10)) // nothing behind it
	default:
		v.leaf(strconv.FormatUint(uint64(uint32(n)), 10))
	}
}

// readInt reads an integer of 1, 2, 4 or 8 bytes.
func readInt(data []byte, signed bool) uint64 {
	switch len(data) {
	case 1:
		if signed {
			return uint64(int8(data[0]))
		}
		return uint64(data[0])
	case 2:
		n := binary.NativeEndian.Uint16(data)
		if signed {
			return uint64(int16(n))
		}
		return uint64(n)
	case 4:
		n := binary.NativeEndian.Uint32(data)
		if signed {
			return uint64(int32(n))
		}
		return uint64(n)
	case 8:
		return binary.NativeEndian.Uint64(data)
	}
	return 0
}

// bigEndian: there bit fields begin at the top of the byte.
var bigEndian = binary.NativeEndian.Uint16([]byte{0, 1}) == 1

// bitField reads bits that begin at a bit of data, counted as the processor does.
func bitField(data []byte, from, bits int) (n uint64) {
	for i := range bits {
		at := from + i
		if bigEndian { // the first bit is the highest one
			at = from + bits - 1 - i
		}
		if at/8 >= len(data) {
			break
		}
		bit := data[at/8] >> (at % 8) & 1
		if bigEndian {
			bit = data[at/8] >> (7 - at%8) & 1
		}
		n |= uint64(bit) << i
	}
	return n
}

// typeName returns a type as C writes it, without qualifiers; inner is what stands in the place of a variable's name.
func typeName(t btf.Type, inner string) string {
	switch t := t.(type) {
	case *btf.Void:
		return declare("void", inner)
	case *btf.Int:
		return declare(t.Name, inner)
	case *btf.Float:
		return declare(t.Name, inner)
	case *btf.Typedef:
		return declare(t.Name, inner)
	case *btf.Struct:
		return declare(strings.TrimRight("struct "+t.Name, " "), inner)
	case *btf.Union:
		return declare(strings.TrimRight("union "+t.Name, " "), inner)
	case *btf.Enum:
		return declare("enum "+t.Name, inner)
	case *btf.Fwd:
		return declare(t.Kind.String()+" "+t.Name, inner)
	case *btf.Const:
		return typeName(t.Type, inner)
	case *btf.Volatile:
		return typeName(t.Type, inner)
	case *btf.Restrict:
		return typeName(t.Type, inner)
	case *btf.TypeTag:
		return typeName(t.Type, inner)
	case *btf.Pointer:
		inner = "*" + inner
		switch target := t.Target.(type) {
		case *btf.Array, *btf.FuncProto:
			return typeName(target, "("+inner+")")
		}
		return typeName(t.Target, inner)
	case *btf.Array:
		return typeName(t.Type, inner+"["+strconv.FormatUint(uint64(t.Nelems), 10)+"]")
	case *btf.FuncProto:
		args := ""
		for i, p := range t.Params {
			if i > 0 {
				args += ", "
			}
			args += typeName(p.Type, p.Name)
		}
		if args == "" {
			args = "void"
		}
		return typeName(t.Return, " "+inner+"("+args+")")
	}
	return declare("?", inner)
}

// declare puts what declares behind a type's name, with a blank before what is neither an array nor a pointer to one.
func declare(name, inner string) string {
	if inner == "" || strings.ContainsRune(" [(", rune(inner[0])) {
		return name + inner
	}
	return name + " " + inner
}
