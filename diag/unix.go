package diag

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"io"
	"iter"
	"slices"

	"golang.org/x/sys/unix"
)

// UnixShow says what a query for unix sockets asks for beyond type, state and inode (UDIAG_SHOW_* of linux/unix_diag.h).
type UnixShow uint32

// What can be asked for. Shutdown comes by itself.
const (
	UnixShowName    UnixShow = 1 << iota // Name
	UnixShowVFS                          // VFS
	UnixShowPeer                         // Peer
	UnixShowPending                      // Pending (UDIAG_SHOW_ICONS)
	UnixShowQueues                       // Queues (UDIAG_SHOW_RQLEN)
	UnixShowMemInfo                      // SKMemInfo
	UnixShowUID                          // UID; Linux 5.3
)

// UnixQuery says which unix sockets are wanted.
type UnixQuery struct {
	// States is what the kernel picks by: Established, Listen and Close. 0 is AllStates.
	States States
	Show   UnixShow
}

// UnixSocket is one socket of AF_UNIX (unix(7)), as the kernel reports it: struct unix_diag_msg of linux/unix_diag.h and the
// attributes behind it.
//
// One that comes from a query is valid until the next one is asked for: it borrows the receive buffer. Clone keeps it.
type UnixSocket struct {
	Type SocketType // SockStream, SockDgram or SockSeqpacket
	// State is Established, Listen or Close. Rows that were read from /proc tell of sockets that no process can hold, too: in
	// SynSent, if they are not yet accepted, and in Closing, if they were closed.
	State State
	// Inode is the socket's inode number; 0, in rows that were read from /proc, where no process can hold it.
	Inode uint32
	// Cookie identifies the socket for as long as the system runs; 0 in rows that were read from /proc.
	Cookie uint64
	Source Source

	attrs attrIndex
}

// Attributes of a unix socket (UNIX_DIAG_* of linux/unix_diag.h).
const (
	unixDiagName     = 0
	unixDiagVFS      = 1
	unixDiagPeer     = 2
	unixDiagIcons    = 3
	unixDiagRQLen    = 4
	unixDiagMemInfo  = 5
	unixDiagShutdown = 6
	unixDiagUID      = 7

	sizeofUnixDiagReq = 24
	sizeofUnixDiagMsg = 16
)

// Name returns the address that the socket is bound to, and whether it is bound. It is a path, or an abstract name: one whose first
// byte is NUL, and which any bytes may follow. In rows that were read from /proc the NULs behind the first one are @. The bytes
// are borrowed.
func (s *UnixSocket) Name() ([]byte, bool) {
	b, ok := s.attrs.get(unixDiagName)
	if len(b) > 0 && b[0] != 0 {
		b = cstring(b)
	}
	return b, ok
}

// VFS returns the inode and the device of the file that the socket is bound to; none if the name is abstract. dev is the
// kernel's own number: the major is dev>>20, the minor dev&0xfffff.
func (s *UnixSocket) VFS() (inode, dev uint32, ok bool) { return s.pair(unixDiagVFS) }

// Peer returns the inode of the socket that this one is connected to, and whether it is connected. It is 0 where the peer
// has none: it is not accepted yet, or is closed.
func (s *UnixSocket) Peer() (inode uint32, ok bool) { return s.attrs.u32(unixDiagPeer) }

// Pending appends the inodes of the clients whose connections a socket in Listen has not accepted yet, and reports whether
// the kernel sent them.
func (s *UnixSocket) Pending(dst []uint32) ([]uint32, bool) {
	b, ok := s.attrs.get(unixDiagIcons)
	for ; len(b) >= 4; b = b[4:] {
		dst = append(dst, binary.NativeEndian.Uint32(b))
	}
	return dst, ok
}

// Queues returns the bytes that wait to be read here, and the bytes sent that the peer has not read. In Listen: the connections not
// yet accepted, and their limit.
func (s *UnixSocket) Queues() (recv, send uint32, ok bool) { return s.pair(unixDiagRQLen) }

// SKMemInfo returns the memory that the socket takes.
func (s *UnixSocket) SKMemInfo() (SKMemInfo, bool) { return s.attrs.skMemInfo(unixDiagMemInfo) }

// Shutdown returns which directions were shut down: a set of RcvShutdown and SendShutdown.
func (s *UnixSocket) Shutdown() (uint8, bool) {
	b, _ := s.attrs.get(unixDiagShutdown)
	return num8(b)
}

// UID returns the owning user.
func (s *UnixSocket) UID() (uint32, bool) { return s.attrs.u32(unixDiagUID) }

func (s *UnixSocket) pair(n int) (a, b uint32, ok bool) {
	v, _ := s.attrs.get(n)
	if len(v) < 8 {
		return 0, 0, false
	}
	return binary.NativeEndian.Uint32(v), binary.NativeEndian.Uint32(v[4:]), true
}

// Clone returns a copy that stays valid.
func (s *UnixSocket) Clone() *UnixSocket {
	c := *s
	c.attrs.msg = slices.Clone(s.attrs.msg)
	return &c
}

// Unix yields the unix sockets that q asks for, of the Conn's network namespace. A socket is valid until the next one is asked for.
// Errors are as Inet has them. Where the kernel has no handler (UNIX_DIAG), /proc/net/unix is read, which knows type, state, inode
// and name. The table has names as they are: one that holds a line feed, and behind it what looks like a line of the table, passes for
// two sockets.
func (c *Conn) Unix(ctx context.Context, q UnixQuery) iter.Seq2[*UnixSocket, error] {
	q.States = cmp.Or(q.States, AllStates)
	return stream(ctx, c, query[UnixSocket]{
		ask:    q.asks()[0],
		decode: (*UnixSocket).decode,
		table:  "unix",
		split:  unixRows,
		parse:  (*UnixSocket).parseProc,
		keep:   func(s *UnixSocket) bool { return q.States.Has(s.State) },
	})
}

// ReadUnix yields the sockets of a table that was copied from /proc/net/unix. A socket is valid until the next one is asked for.
func ReadUnix(r io.Reader) iter.Seq2[*UnixSocket, error] {
	return readTable(r, "unix", unixRows, (*UnixSocket).parseProc)
}

// request encodes struct unix_diag_req.
func (q *UnixQuery) request() []byte {
	b := make([]byte, sizeofUnixDiagReq)
	b[0] = unix.AF_UNIX
	binary.NativeEndian.PutUint32(b[4:], uint32(q.States))
	binary.NativeEndian.PutUint32(b[12:], uint32(q.Show))
	return b
}

// ParseUnix decodes the payload of one message of a dump: struct unix_diag_msg and the attributes behind it. The socket borrows b. It
// is for programs that have recorded a dump.
func ParseUnix(b []byte) (*UnixSocket, error) { return parse(b, "unix_diag_msg", (*UnixSocket).decode) }

func (s *UnixSocket) decode(b []byte) error {
	if len(b) < sizeofUnixDiagMsg {
		return &MessageError{What: "unix_diag_msg", Len: len(b), Want: sizeofUnixDiagMsg}
	}
	s.Type, s.State = SocketType(b[1]), State(b[2])
	s.Inode = binary.NativeEndian.Uint32(b[4:])
	s.Cookie = cookie(b[8:])
	s.Source = FromNetlink
	return s.attrs.set(b[sizeofUnixDiagMsg:])
}

// Values in /proc/net/unix: SS_* of linux/net.h, by number, and __SO_ACCEPTCON.
var procUnixStates = [...]State{1: Close, 2: SynSent, 3: Established, 4: Closing}

const acceptCon = 1 << 16

// parseProc reads a line of /proc/net/unix (proc_net(5)), which it borrows and changes:
//
//	Num: RefCount Protocol Flags Type St Inode Path
func (s *UnixSocket) parseProc(line []byte) bool {
	name, ok := s.parseProcHead(line)
	if !ok {
		return false
	}
	// One blank ends the number; more of them belong to the name.
	if name = bytes.TrimPrefix(name, []byte{' '}); len(name) > 0 {
		if name[0] == '@' {
			name[0] = 0
		}
		s.attrs.msg = name
		s.attrs.pos[unixDiagName] = span{0, uint16(len(name))}
		s.attrs.have = 1 << unixDiagName
	}
	return true
}

// parseProcHead reads what stands in front of the name, and returns what is behind it: nothing, or a blank and the name.
func (s *UnixSocket) parseProcHead(line []byte) (rest []byte, ok bool) {
	w := fields{rest: line}
	for range 3 {
		w.next()
	}
	flags, typ, state := w.hex(1<<32-1), w.hex(0xff), w.hex(0xff)
	*s = UnixSocket{Type: SocketType(typ), Inode: uint32(w.decimal()), Source: FromProc}
	if w.bad || state == 0 || int(state) >= len(procUnixStates) {
		return nil, false
	}
	if s.State = procUnixStates[state]; flags&acceptCon != 0 {
		s.State = Listen
	}
	return w.rest, true
}

// maxUnixName is the longest name (sun_path of unix(7)).
const maxUnixName = 108

// unixRows is bufio.ScanLines for /proc/net/unix, where the kernel writes names as they are: a line that is not one of the table's belongs
// to the name in front of it, as long as that is no longer then than names are.
func unixRows(data []byte, atEOF bool) (advance int, row []byte, err error) {
	end, whole := lineEnd(data, atEOF)
	if !whole || len(data) == 0 {
		return 0, nil, nil
	}
	var s UnixSocket
	blank, ok := s.parseProcHead(data[:end])
	for limit := end - len(blank) + 1 + maxUnixName; ok && len(blank) > 0 && end < len(data); {
		from := end + 1
		n, whole := lineEnd(data[from:], atEOF)
		if from+n > limit || whole && n == 0 && from == len(data) {
			break
		}
		if !whole {
			return 0, nil, nil
		}
		if _, another := s.parseProcHead(data[from : from+n]); another {
			break
		}
		end = from + n
	}
	return min(end+1, len(data)), data[:end], nil
}

// lineEnd returns how long the first line is, as far as it is there, and whether that is all of it.
func lineEnd(data []byte, atEOF bool) (n int, whole bool) {
	if n = bytes.IndexByte(data, '\n'); n >= 0 {
		return n, true
	}
	return len(data), atEOF
}
