package ss

import "github.com/sockeye-tools/sockeye/diag"

// open begins the row of a socket that is not of the inet families: the cells up to the local address. What it returns is put back by
// close.
func (p *Writer) open(netid string, st diag.State, recvq, sendq uint32) []byte {
	p.reserve()
	b := p.buf
	if p.opt.Netid {
		b = p.text(b, colNetid, netid)
	}
	if p.opt.State {
		b = p.text(b, colState, state(st))
	}
	if !p.opt.NoQueues {
		at := len(b)
		b = p.end(appendQueue(begin(b), recvq), at, colRecvQ)
		at = len(b)
		b = p.end(appendQueue(begin(b), sendq), at, colSendQ)
	}
	return b
}

// text appends a cell.
func (p *Writer) text(b []byte, c column, s string) []byte {
	at := len(b)
	return p.end(append(begin(b), s...), at, c)
}

// noPeer appends the cells of a peer that is not there.
func (p *Writer) noPeer(b []byte) []byte {
	return p.text(p.text(b, colPeer, "*"), colPeerPort, "")
}

// users appends the cell of the processes that hold the socket.
func (p *Writer) users(b []byte, inode uint32) []byte {
	if !p.opt.Processes {
		return b
	}
	at := len(b)
	return p.end(p.appendUsers(begin(b), inode), at, colProcess)
}

// close ends the row, whose last cell begins at b[at:].
func (p *Writer) close(b []byte, at int) error {
	p.buf = p.end(b, at, colExt)
	p.lastInode = 0
	if len(p.buf) >= p.limit {
		return p.flush()
	}
	return nil
}

// appendIdentity appends user, inode and cookie.
func appendIdentity(b []byte, uid, inode uint32, cookie uint64) []byte {
	return appendHex(append(appendUser(b, uid, inode), " sk:"...), cookie)
}

// appendUser appends user and inode. As in ss, there is no user where it is root, or not known.
func appendUser(b []byte, uid, inode uint32) []byte {
	if uid != 0 {
		b = appendUint(append(b, " uid:"...), uint64(uid))
	}
	return appendUint(append(b, " ino:"...), uint64(inode))
}

// block begins a block of details: on a line of its own, unless there is to be one line for each socket.
func (p *Writer) block(b []byte, name string) []byte {
	if p.opt.OneLine {
		return append(append(b, ' '), name...)
	}
	return append(append(b, "\n\t"...), name...)
}
