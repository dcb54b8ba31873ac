package ss

import (
	"bytes"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/render/names"
)

// Unix prints a unix socket. The error is the writer's.
func (p *Writer) Unix(s *diag.UnixSocket) error {
	netid := "u_dgr"
	switch s.Type {
	case diag.SockStream:
		netid = "u_str"
	case diag.SockSeqpacket:
		netid = "u_seq"
	}
	recvq, sendq, _ := s.Queues()
	b := p.open(netid, s.State, recvq, sendq)
	at := len(b)
	b = append(p.appendUnixName(begin(b), s), ' ')
	b = p.end(b, at, colLocal)
	at = len(b)
	b = p.end(appendUint(begin(b), uint64(s.Inode)), at, colLocalPort)
	peer, _ := s.Peer()
	b = p.text(b, colPeer, "* ")
	at = len(b)
	b = p.end(appendUint(begin(b), uint64(peer)), at, colPeerPort)
	b = p.users(b, s.Inode)
	at = len(b)
	b = begin(b)
	if p.opt.Memory {
		if m, ok := s.SKMemInfo(); ok {
			b = appendSKMem(b, &m)
		}
	}
	if p.opt.Extended {
		b = p.appendUnixDetails(b, s)
	}
	return p.close(b, at)
}

// AppendUnixName appends a socket's name as ss compares it with patterns: the NULs of abstract names are @. One that was read from
// /proc ends at its first blank. ok tells whether there is one.
func AppendUnixName(b []byte, s *diag.UnixSocket) (_ []byte, ok bool) {
	name, ok := s.Name()
	if s.Source == diag.FromProc {
		const blank = " \t\v\f\r"
		name = bytes.TrimLeft(name, blank)
		if i := bytes.IndexAny(name, blank); i >= 0 {
			name = name[:i]
		}
	}
	at := len(b)
	b = append(b, name...)
	if len(name) > 0 && name[0] == 0 {
		for i := at; i < len(b); i++ {
			if b[i] == 0 {
				b[i] = '@'
			}
		}
	}
	return b, ok
}

func (p *Writer) appendUnixName(b []byte, s *diag.UnixSocket) []byte {
	var ok bool
	if p.name, ok = AppendUnixName(p.name[:0], s); !ok {
		return append(b, '*')
	}
	return names.AppendEscaped(b, p.name)
}

func (p *Writer) appendUnixDetails(b []byte, s *diag.UnixSocket) []byte {
	if shut, ok := s.Shutdown(); ok {
		b = appendShutdown(b, shut)
	}
	if inode, dev, ok := s.VFS(); ok {
		// ss takes the kernel's device number for one of the C library.
		b = appendUint(append(b, " ino:"...), uint64(inode))
		b = appendUint(append(b, " dev:"...), uint64(dev>>8&0xfff))
		b = appendUint(append(b, '/'), uint64(dev&0xff|dev>>12&^0xff))
	}
	var ok bool
	if p.inodes, ok = s.Pending(p.inodes[:0]); ok {
		b = append(b, " peers:"...)
		for _, inode := range p.inodes {
			b = appendUint(append(b, ' '), uint64(inode))
		}
	}
	return b
}
