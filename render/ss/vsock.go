package ss

import "github.com/sockeye-tools/sockeye/diag"

// VSock prints a vsock socket. The error is the writer's.
func (p *Writer) VSock(s *diag.VSockSocket) error {
	netid := "???"
	switch s.Type {
	case diag.SockStream:
		netid = "v_str"
	case diag.SockDgram:
		netid = "v_dgr"
	}
	b := p.open(netid, s.State, 0, 0)
	for i, a := range [...]diag.VSockAddr{s.Local, s.Remote} {
		c := [...]column{colLocal, colPeer}[i]
		at := len(b)
		b = p.end(append(appendVSock(begin(b), a.CID), ':'), at, c)
		at = len(b)
		b = p.end(appendVSock(begin(b), a.Port), at, c+1)
	}
	b = p.users(b, s.Inode)
	at := len(b)
	return p.close(begin(b), at)
}

func appendVSock(b []byte, v uint32) []byte {
	if v == diag.VSockAny {
		return append(b, '*')
	}
	return appendUint(b, uint64(v))
}
