package ss

import "github.com/sockeye-tools/sockeye/diag"

// TIPC prints a TIPC socket. The error is the writer's.
func (p *Writer) TIPC(s *diag.TIPCSocket) error {
	netid, typ := "???", "(null)"
	switch s.Type {
	case diag.SockStream:
		netid, typ = "ti_st", "STREAM"
	case diag.SockDgram:
		netid, typ = "ti_dg", "DGRAM"
	case diag.SockRDM:
		netid, typ = "ti_rd", "RDM"
	case diag.SockSeqpacket:
		netid, typ = "ti_sq", "SEQPACKET"
	}
	recvq, sendq, _ := s.Queues()
	b := p.open(netid, s.State, recvq, sendq)
	b = p.tipcAddr(b, s.Local, colLocal)
	if peer, ok := s.Peer(); ok {
		b = p.tipcAddr(b, peer, colPeer)
	} else {
		b = p.text(p.text(b, colPeer, "-"), colPeerPort, "")
	}
	// Details stand in front of the processes.
	if p.opt.Processes {
		at := len(b)
		b = begin(b)
		if p.opt.Extended {
			b = appendIdentity(b, s.UID, s.Inode, s.Cookie)
		}
		b = p.end(p.appendUsers(b, s.Inode), at, colProcess)
	}
	at := len(b)
	b = begin(b)
	if p.opt.TIPCInfo {
		b = p.appendTIPCInfo(b, s, typ)
	}
	return p.close(b, at)
}

func (p *Writer) tipcAddr(b []byte, a diag.TIPCAddr, c column) []byte {
	at := len(b)
	b = p.end(append(appendUint(begin(b), uint64(a.Node)), ':'), at, c)
	at = len(b)
	return p.end(appendUint(begin(b), uint64(a.Ref)), at, c+1)
}

func (p *Writer) appendTIPCInfo(b []byte, s *diag.TIPCSocket, typ string) []byte {
	if p.opt.OneLine {
		b = append(b, ' ')
	} else {
		b = append(b, "\n "...)
	}
	b = append(append(append(b, "type:"...), typ...), " cong:"...)
	switch link, conn := s.Congested(); {
	case link:
		b = append(b, "link"...)
	case conn:
		b = append(b, "conn"...)
	default:
		b = append(b, "none"...)
	}
	drops, _ := s.Drops()
	b = append(appendInt32(append(b, "  drop:"...), drops), ' ')
	if s.Published() {
		b = append(b, " publ"...)
	}
	if service, instance, ok := s.Via(); ok {
		b = append(appendUint(append(b, " via {"...), uint64(service)), ',')
		b = append(appendUint(b, uint64(instance)), "} "...)
	}
	return b
}
