package netstat

import (
	"strconv"

	"github.com/sockeye-tools/sockeye/diag"
)

// UnixShow returns what a query for UNIX domain sockets has to ask for.
func (o *BSDOptions) UnixShow() diag.UnixShow {
	show := diag.UnixShowName | diag.UnixShowVFS | diag.UnixShowPeer | diag.UnixShowQueues
	if o.Verbose {
		show |= diag.UnixShowMemInfo
	}
	return show
}

// AppendUnixTitle appends the headings of UNIX domain sockets.
func (t *BSDTable) AppendUnixTitle(dst []byte) []byte {
	dst = append(dst, "Active LOCAL (UNIX) domain sockets\n"+
		"Address          Type   Recv-Q Send-Q            Inode             Conn             Refs          Nextref"...)
	u := BSDTable{BSDOptions: BSDOptions{Bytes: t.Bytes, Verbose: t.Verbose}}
	return append(u.appendTailTitle(dst), " Addr\n"...)
}

// AppendUnix appends the socket's line. BSD shows addresses in the kernel's memory, which Linux does not tell; in their place are
// inode numbers, in decimal: Address is the socket's own (as in /proc/PID/fd), Conn is that of the socket that it is connected to, and
// Inode that of the file that it is bound to. 0: there is none. Linux does not tell of the lists that Refs and Nextref belong to.
// An abstract name begins with "@"; control characters and what is not UTF-8 are escaped.
func (t *BSDTable) AppendUnix(dst []byte, s *diag.UnixSocket) []byte {
	netlink := s.Source == diag.FromNetlink
	dst = append(appendRightUint(dst, uint64(s.Inode), 16), ' ')
	dst = append(appendLeft(dst, bsdType(s.Type), 6), ' ')
	recv, send, ok := s.Queues()
	if s.State == diag.Listen {
		recv, send, ok = 0, 0, netlink // they are the accept queue and its limit there
	}
	dst = append(appendKnown(dst, uint64(recv), 6, ok), ' ')
	dst = append(appendKnown(dst, uint64(send), 6, ok), ' ')
	file, _, _ := s.VFS()
	peer, _ := s.Peer()
	dst = append(appendKnown(dst, uint64(file), 16, netlink), ' ')
	dst = append(appendKnown(dst, uint64(peer), 16, netlink), ' ')
	dst = append(appendKnown(dst, 0, 16, false), ' ')
	dst = appendKnown(dst, 0, 16, false)
	if t.Bytes || t.Verbose {
		dst = appendKnown(dst, 0, 13, false)
		dst = appendKnown(dst, 0, 13, false)
	}
	if t.Verbose {
		mem, ok := s.SKMemInfo()
		dst = appendKnown(dst, uint64(mem.RcvBuf), 8, ok)
		dst = appendKnown(dst, uint64(mem.SndBuf), 8, ok)
		dst = t.appendOwner(dst, s.Inode)
	}
	if name, ok := s.Name(); ok && len(name) > 0 {
		dst = append(dst, ' ')
		if name[0] == 0 {
			dst, name = append(dst, '@'), name[1:]
		}
		dst = appendPath(dst, name)
	}
	return append(dst, '\n')
}

// bsdType returns the type of a socket, in the six letters that there is room for.
func bsdType(t diag.SocketType) string {
	switch t {
	case diag.SockStream:
		return "stream"
	case diag.SockDgram:
		return "dgram"
	case diag.SockSeqpacket:
		return "seqpac"
	}
	return "#" + strconv.Itoa(int(t))
}
