package exact

import (
	"encoding/binary"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// Few sockets are asked for port by port, where there is room for that beside the filter.
func TestNarrowWithAFilter(t *testing.T) {
	var records []*record
	for _, port := range []uint16{80, 443, 80} {
		r := &record{}
		binary.NativeEndian.PutUint16(r[offSport:], port)
		records = append(records, r)
	}
	for _, tt := range []struct{ code, queries int }{{0, 2}, {maxCode - sizeofTest, 2}, {maxCode - sizeofTest + 1, 1}, {maxCode, 1}} {
		list := narrow(diag.InetQuery{Protocol: diag.TCP, Bytecode: make([]byte, tt.code)}, records)
		if len(list) != tt.queries {
			t.Errorf("beside a filter of %d bytes: %d queries, want %d", tt.code, len(list), tt.queries)
		}
		for _, q := range list {
			if len(q.Bytecode) > maxCode {
				t.Errorf("a filter of %d bytes", len(q.Bytecode))
			}
		}
	}
}
