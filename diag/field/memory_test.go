package field

import (
	"encoding/binary"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// The members of skmeminfo are in their places; memory that was used and not yet allocated is no 4 GB.
func TestMemory(t *testing.T) {
	for _, below := range []bool{false, true} {
		m := make([]byte, 72)
		m[0], m[1] = byte(diag.IPv4), byte(diag.SynSent)
		m = binary.NativeEndian.AppendUint16(m, 4+9*4)
		m = binary.NativeEndian.AppendUint16(m, uint16(diag.AttrSKMemInfo))
		for i := range uint32(9) {
			if i == 4 && below {
				i = ^uint32(1023) // -1024
			}
			m = binary.NativeEndian.AppendUint32(m, i)
		}
		s, err := diag.ParseInet(m, diag.TCP)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range memoryFields() {
			v, ok := f.Number(&Context{}, s)
			if want := !below || f.Name != "fwd_alloc"; ok != want || ok && v != uint64(i) {
				t.Errorf("%s: %d, %v", f.Name, v, ok)
			}
		}
	}
}
