// Package floor does what no program that shows sockets can do without: it sends the dump requests of ss(8) and receives the
// answers. Headers are looked at to find the end, and nothing else. What a tool costs beyond it is the tool's own doing.
package floor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Numbers and sizes of linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h.
const (
	sockDiagByFamily = 20
	sizeofNlMsghdr   = 16
	sizeofRequest    = 56 // struct inet_diag_req_v2
	reqBytecode      = 1  // INET_DIAG_REQ_BYTECODE
	bcSCond          = 7  // INET_DIAG_BC_S_COND
)

// Request is what ss asks for TCP sockets.
type Request struct {
	// Ext is idiag_ext: a bit 1<<(N-1) for each wanted INET_DIAG attribute N.
	Ext uint8
	// States is idiag_states: a bit 1<<state for each wanted state of include/net/tcp_states.h.
	States uint32
	// SourcePort is the only wanted source port, 1 to 65535, asked for by bytecode; 0: all.
	SourcePort uint16
}

// append appends the netlink message that asks for one family.
func (r Request) append(b []byte, family uint8) []byte {
	start := len(b)
	b = append(b, make([]byte, sizeofNlMsghdr+sizeofRequest)...)
	h := b[start:]
	binary.NativeEndian.PutUint16(h[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(h[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	h[16], h[17], h[18] = family, unix.IPPROTO_TCP, r.Ext
	binary.NativeEndian.PutUint32(h[20:], r.States)
	if r.SourcePort != 0 {
		b = binary.NativeEndian.AppendUint16(b, 4+16)
		b = binary.NativeEndian.AppendUint16(b, reqBytecode)
		b = append(b, bcSCond, 16) // struct inet_diag_bc_op: where to go on a match: the end, which accepts
		b = binary.NativeEndian.AppendUint16(b, 20)
		b = append(b, unix.AF_UNSPEC, 0, 0, 0) // struct inet_diag_hostcond: any address
		b = binary.NativeEndian.AppendUint32(b, uint32(r.SourcePort))
		b = append(b, 0, 0, 0, 0)
	}
	binary.NativeEndian.PutUint32(b[start:], uint32(len(b)-start))
	return b
}

// Run dumps the IPv4 and then the IPv6 TCP sockets of the calling thread's network namespace, and returns how many there were.
func Run(r Request) (sockets int, err error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	var msg, buf [32 << 10]byte // the kernel puts at most 32 KiB into one datagram of a dump
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		req := r.append(msg[:0], family)
		if err := unix.Sendto(fd, req, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return 0, os.NewSyscallError("sendto", err)
		}
		n, err := receive(fd, buf[:])
		if err != nil {
			return 0, err
		}
		sockets += n
	}
	return sockets, nil
}

// receive counts the messages until the end of a dump.
func receive(fd int, buf []byte) (sockets int, err error) {
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), 0, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return 0, os.NewSyscallError("recvfrom", errno)
		}
		m, done, err := count(buf[:n])
		sockets += m
		if done || err != nil {
			return sockets, err
		}
	}
}

var errMalformed = errors.New("malformed netlink message")

// count counts the sockets in one datagram and tells whether it ends the dump.
func count(b []byte) (sockets int, done bool, err error) {
	for len(b) >= sizeofNlMsghdr {
		size := int(binary.NativeEndian.Uint32(b))
		if size < sizeofNlMsghdr || size > len(b) {
			return sockets, false, errMalformed
		}
		switch binary.NativeEndian.Uint16(b[4:]) {
		case unix.NLMSG_DONE, unix.NLMSG_ERROR: // both carry a negative errno, or 0
			if size < sizeofNlMsghdr+4 {
				return sockets, false, errMalformed
			}
			if e := int32(binary.NativeEndian.Uint32(b[sizeofNlMsghdr:])); e < 0 {
				return sockets, true, fmt.Errorf("dump: %w", unix.Errno(-e))
			}
			return sockets, true, nil
		}
		sockets++
		b = b[min((size+3)&^3, len(b)):]
	}
	return sockets, false, nil
}
