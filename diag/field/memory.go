package field

import (
	"encoding/binary"

	"github.com/sockeye-tools/sockeye/diag"
)

// memoryFields are those of INET_DIAG_SKMEMINFO, in the order of SK_MEMINFO_* of linux/sock_diag.h.
func memoryFields() []*Field {
	var all []*Field
	for i, m := range []struct {
		name, since, doc string
		unit             Unit
	}{
		{"rmem_alloc", "", "memory of the receive queue", Bytes},
		{"rcvbuf", "", "its limit (SO_RCVBUF)", Bytes},
		{"wmem_alloc", "", "memory handed to the layer below, and not yet sent", Bytes},
		{"sndbuf", "", "limit of the send queue (SO_SNDBUF)", Bytes},
		{"fwd_alloc", "", "memory allocated and not used; absent where more was used than allocated", Bytes},
		{"wmem_queued", "", "memory queued for sending", Bytes},
		{"optmem", "", "memory of options and filters", Bytes},
		{"sk_backlog", "3.15", "memory of packets that wait for the socket's lock", Bytes},
		{"drops", "4.7", "packets dropped; of a listener, connections refused or lost, such as for a full accept queue", Packets},
	} {
		f := &Field{Name: m.name, Group: Memory, Kind: Number, Unit: m.unit, Since: m.since, Doc: m.doc, Ext: diag.ExtSKMemInfo, Where: Here,
			number: func(_ *Context, s *diag.InetSocket) (uint64, bool) {
				b, ok := s.Attr(diag.AttrSKMemInfo)
				if !ok || len(b) < 4*i+4 {
					return 0, false
				}
				v := binary.NativeEndian.Uint32(b[4*i:])
				return uint64(v), int32(v) >= 0 || m.name != "fwd_alloc" // which older kernels let fall below 0
			}}
		f.key()
		all = append(all, f)
	}
	return all
}
