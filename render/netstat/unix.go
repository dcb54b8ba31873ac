package netstat

import (
	"strconv"

	"github.com/sockeye-tools/sockeye/render/names"
)

// Flags of a UNIX domain socket (linux/net.h).
const (
	unixAcceptCon = 0x10000 // it listens
	unixWaitData  = 0x20000
	unixNoSpace   = 0x40000
)

// States of a UNIX domain socket (linux/net.h, enum socket_state).
const (
	unixFree = iota
	unixUnconnected
	unixConnecting
	unixConnected
	unixDisconnecting
)

// UnixSocket is a UNIX domain socket as /proc/net/unix has it (unix(7)).
type UnixSocket struct {
	RefCount int64
	Protocol uint64
	Flags    uint64
	Type     uint64 // SOCK_STREAM, ...
	State    uint64 // SS_UNCONNECTED, ...; not a TCP state
	Inode    uint64 // 0: not accepted yet
	Path     []byte // "@" in place of NUL bytes
}

// isServer reports whether the socket listens.
func (s *UnixSocket) isServer() bool { return s.State == unixUnconnected && s.Flags&unixAcceptCon != 0 }

// ShowsUnix reports whether a UNIX domain socket is shown. What is not a server is shown as if it were connected.
func (w Which) ShowsUnix(s *UnixSocket) bool { return w == All || s.isServer() == (w == Servers) }

// AppendUnixHeader appends the two lines of headings of UNIX domain sockets.
func (t *Table) AppendUnixHeader(dst []byte) []byte {
	dst = append(dst, "Active UNIX domain sockets "...)
	dst = append(dst, t.Which.heading()...)
	dst = append(dst, "\nProto RefCnt Flags       Type       State         I-Node  "...)
	if t.Programs {
		dst = append(dst, " PID/Program name    "...)
	}
	return append(dst, " Path\n"...)
}

// AppendUnix appends the socket's line, or nothing if Which does not show it. Control characters and what is not UTF-8 in its path
// are escaped.
func (t *Table) AppendUnix(dst []byte, s *UnixSocket) []byte {
	if !t.Which.ShowsUnix(s) {
		return dst
	}
	if s.Protocol == 0 {
		dst = append(dst, "unix  "...)
	} else {
		dst = append(dst, "??    "...)
	}
	start := len(dst)
	dst = strconv.AppendInt(dst, s.RefCount, 10)
	dst = append(pad(dst, start, 6), ' ')

	start = len(dst)
	dst = append(dst, "[ "...)
	if s.Flags&unixAcceptCon != 0 {
		dst = append(dst, "ACC "...)
	}
	if s.Flags&unixWaitData != 0 {
		dst = append(dst, "W "...)
	}
	if s.Flags&unixNoSpace != 0 {
		dst = append(dst, "N "...)
	}
	dst = append(dst, ']')
	dst = append(pad(dst, start, 11), ' ')

	start = len(dst)
	dst = append(dst, unixType(s.Type)...)
	dst = append(pad(dst, start, 10), ' ')
	start = len(dst)
	dst = append(dst, unixState(s)...)
	dst = append(pad(dst, start, 13), ' ')
	start = len(dst)
	dst = strconv.AppendUint(dst, s.Inode, 10)
	dst = append(pad(dst, start, 8), ' ')
	if t.Programs {
		start = len(dst)
		dst = t.appendProgram(dst, uint32(s.Inode))
		dst = append(pad(dst, start, 20), ' ')
	}
	return append(appendPath(dst, s.Path), '\n')
}

// appendPath escapes what is not fit for a terminal. It is quicker than AppendEscaped for paths that need nothing.
func appendPath(dst, path []byte) []byte {
	for _, c := range path {
		if c < ' ' || c >= 0x7f {
			return names.AppendEscaped(dst, path)
		}
	}
	return append(dst, path...)
}

func unixType(t uint64) string {
	switch t {
	case 1:
		return "STREAM"
	case 2:
		return "DGRAM"
	case 3:
		return "RAW"
	case 4:
		return "RDM"
	case 5:
		return "SEQPACKET"
	}
	return "UNKNOWN"
}

func unixState(s *UnixSocket) string {
	switch s.State {
	case unixFree:
		return "FREE"
	case unixUnconnected:
		if s.Flags&unixAcceptCon != 0 {
			return "LISTENING"
		}
		return ""
	case unixConnecting:
		return "CONNECTING"
	case unixConnected:
		return "CONNECTED"
	case unixDisconnecting:
		return "DISCONNECTING"
	}
	return "UNKNOWN"
}
