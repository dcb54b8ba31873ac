package diag

import (
	"encoding/binary"
	"iter"
)

// linux/sock_diag.h, linux/inet_diag.h
const (
	inetDiagReqSKBPFStorages = 2 // nested: skDiagReqMapFD

	skDiagReqMapFD = 1 // SK_DIAG_BPF_STORAGE_REQ_MAP_FD
	sizeofMapFD    = 8 // the attribute of one

	skDiagStorage  = 1 // SK_DIAG_BPF_STORAGE, nested: those below
	skDiagMapID    = 2 // SK_DIAG_BPF_STORAGE_MAP_ID
	skDiagMapValue = 3 // SK_DIAG_BPF_STORAGE_MAP_VALUE
)

// storages encodes what a query says of BPF maps.
func (q *InetQuery) storages(b []byte) []byte {
	if q.BPFMaps == nil {
		return b
	}
	var fds []byte
	for _, fd := range q.BPFMaps {
		fds = appendAttr(fds, skDiagReqMapFD, binary.NativeEndian.AppendUint32(nil, uint32(fd)))
	}
	return appendAttr(b, inetDiagReqSKBPFStorages|nlaFNested, fds)
}

// BPFStorages yields what BPF programs keep with the socket: the id of each map of type BPF_MAP_TYPE_SK_STORAGE, and its value for the
// socket, which is borrowed. Asked for by InetQuery.BPFMaps. The kernel tells it of no listener.
func (s *InetSocket) BPFStorages() iter.Seq2[uint32, []byte] {
	return func(yield func(uint32, []byte) bool) {
		list, _ := s.Attr(AttrSKBPFStorages)
		for typ, storage := range attrs(list) {
			if typ != skDiagStorage {
				continue
			}
			var id uint32
			var known, told bool
			var value []byte
			for typ, v := range attrs(storage) {
				switch typ {
				case skDiagMapID:
					id, known = num32(v)
				case skDiagMapValue:
					value, told = v, true
				}
			}
			if known && told && !yield(id, value) {
				return
			}
		}
	}
}
