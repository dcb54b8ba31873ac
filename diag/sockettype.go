package diag

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// SocketType is the type of a socket, as socket(2) takes it.
type SocketType uint8

// Types of sockets.
const (
	SockStream    SocketType = unix.SOCK_STREAM
	SockDgram     SocketType = unix.SOCK_DGRAM
	SockRaw       SocketType = unix.SOCK_RAW
	SockRDM       SocketType = unix.SOCK_RDM
	SockSeqpacket SocketType = unix.SOCK_SEQPACKET
)

// String returns the type's name without its SOCK_ prefix, such as "STREAM".
func (t SocketType) String() string {
	switch t {
	case SockStream:
		return "STREAM"
	case SockDgram:
		return "DGRAM"
	case SockRaw:
		return "RAW"
	case SockRDM:
		return "RDM"
	case SockSeqpacket:
		return "SEQPACKET"
	}
	return "TYPE_" + strconv.Itoa(int(t))
}
