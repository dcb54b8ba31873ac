package diag

import "encoding/binary"

// MemInfo is struct inet_diag_meminfo: a subset of SKMemInfo, kept for kernels before 3.6. Bytes.
type MemInfo struct {
	RMem uint32 // receive queue
	WMem uint32 // queued for sending
	FMem uint32 // allocated and not used
	TMem uint32 // send buffer in use
}

// MemInfo returns the memory that the socket takes. Asked for by ExtMemInfo.
func (s *InetSocket) MemInfo() (m MemInfo, ok bool) {
	b, ok := s.Attr(AttrMemInfo)
	if !ok || len(b) < 16 {
		return m, false
	}
	ne := binary.NativeEndian
	return MemInfo{ne.Uint32(b), ne.Uint32(b[4:]), ne.Uint32(b[8:]), ne.Uint32(b[12:])}, true
}

// SKMemInfo are the SK_MEMINFO_* figures of linux/sock_diag.h. Bytes, but for Drops.
type SKMemInfo struct {
	RMemAlloc  uint32 // receive queue
	RcvBuf     uint32 // its limit (SO_RCVBUF)
	WMemAlloc  uint32 // handed to the layer below and not yet sent
	SndBuf     uint32 // limit of the send queue (SO_SNDBUF)
	FwdAlloc   uint32 // allocated and not used
	WMemQueued uint32 // queued for sending
	OptMem     uint32 // options, such as filters
	Backlog    uint32 // waits for the socket's lock
	Drops      uint32 // packets dropped

	n uint8
}

// HasBacklog reports whether the kernel sent Backlog. Linux 3.15.
func (m *SKMemInfo) HasBacklog() bool { return m.n > 7 }

// HasDrops reports whether the kernel sent Drops. Linux 4.7.
func (m *SKMemInfo) HasDrops() bool { return m.n > 8 }

// SKMemInfo returns the memory that the socket takes. Asked for by ExtSKMemInfo.
func (s *InetSocket) SKMemInfo() (m SKMemInfo, ok bool) {
	b, ok := s.Attr(AttrSKMemInfo)
	if !ok || len(b) < 7*4 {
		return m, false
	}
	return decodeSKMemInfo(b), true
}

func decodeSKMemInfo(b []byte) (m SKMemInfo) {
	m.n = uint8(min(len(b)/4, 9))
	for i, p := range [...]*uint32{
		&m.RMemAlloc, &m.RcvBuf, &m.WMemAlloc, &m.SndBuf, &m.FwdAlloc, &m.WMemQueued, &m.OptMem, &m.Backlog, &m.Drops,
	} {
		if i < int(m.n) {
			*p = binary.NativeEndian.Uint32(b[4*i:])
		}
	}
	return m
}
