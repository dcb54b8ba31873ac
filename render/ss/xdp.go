package ss

import "github.com/sockeye-tools/sockeye/diag"

// XDP prints an XDP socket. The error is the writer's.
func (p *Writer) XDP(s *diag.XDPSocket) error {
	m, hasMem := s.SKMemInfo()
	b := p.open("xdp", diag.Close, m.RMemAlloc, 0)
	if index, queue, _ := s.Info(); index != 0 {
		at := len(b)
		b = p.end(append(p.opt.Interfaces.Append(begin(b), index), ':'), at, colLocal)
		at = len(b)
		b = p.end(appendUint(append(begin(b), 'q'), uint64(queue)), at, colLocalPort)
	} else {
		b = p.text(p.text(b, colLocal, "*"), colLocalPort, "")
	}
	b = p.users(p.noPeer(b), s.Inode)
	at := len(b)
	b = begin(b)
	if p.opt.Extended {
		b = p.appendXDPDetails(b, s)
	}
	if p.opt.Memory && hasMem {
		b = appendSKMem(b, &m)
	}
	return p.close(b, at)
}

func (p *Writer) appendXDPDetails(b []byte, s *diag.XDPSocket) []byte {
	uid, _ := s.UID()
	b = appendIdentity(b, uid, s.Inode, s.Cookie)
	ring := func(name string, entries uint32, ok bool) {
		if ok {
			b = append(appendUint(append(p.block(b, name), "(entries:"...), uint64(entries)), ')')
		}
	}
	entries, ok := s.RXRing()
	ring("rx", entries, ok)
	entries, ok = s.TXRing()
	ring("tx", entries, ok)
	if u, ok := s.Umem(); ok {
		b = p.appendUmem(b, &u)
		entries, ok = s.FillRing()
		ring("fr", entries, ok)
		entries, ok = s.CompletionRing()
		ring("cr", entries, ok)
	}
	if st, ok := s.Stats(); ok {
		b = appendUint(p.block(b, "stats(rx dropped:"), st.RXDropped)
		b = appendUint(append(b, ",rx invalid:"...), st.RXInvalid)
		b = appendUint(append(b, ",rx queue full:"...), st.RXFull)
		b = appendUint(append(b, ",rx fill ring empty:"...), st.FillRingEmpty)
		b = appendUint(append(b, ",tx invalid:"...), st.TXInvalid)
		b = appendUint(append(b, ",tx ring empty:"...), st.TXRingEmpty)
		b = append(b, ')')
	}
	return b
}

func (p *Writer) appendUmem(b []byte, u *diag.XDPUmem) []byte {
	name := "umem(id:"
	if p.opt.OneLine {
		name = "tumem(id:" // ss's own slip, which scripts may know
	}
	b = appendUint(p.block(b, name), uint64(u.ID))
	b = appendUint(append(b, ",size:"...), u.Size)
	b = appendUint(append(b, ",num_pages:"...), uint64(u.Pages))
	b = appendUint(append(b, ",chunk_size:"...), uint64(u.ChunkSize))
	b = appendUint(append(b, ",headroom:"...), uint64(u.Headroom))
	b = appendUint(append(b, ",ifindex:"...), uint64(u.Interface))
	b = appendUint(append(b, ",qid:"...), uint64(u.Queue))
	b = appendUint(append(b, ",zc:"...), uint64(u.Flags&diag.XDPZeroCopy))
	b = appendUint(append(b, ",refs:"...), uint64(u.Refs))
	return append(b, ')')
}
