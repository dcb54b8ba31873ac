package filter

import (
	"encoding/binary"
	"math"
	"net/netip"

	"github.com/sockeye-tools/sockeye/diag"
)

// Subject is what bytecode judges a socket by: struct inet_diag_entry of linux/inet_diag.h, as inet_diag_bc_sk of net/ipv4/inet_diag.c
// fills it.
type Subject struct {
	// Local and Remote are IPv4 for a socket of AF_INET, and IPv6 (with IPv4-mapped addresses as such) for one of AF_INET6.
	Local, Remote netip.AddrPort
	Interface     uint32 // index of the device that the socket is bound to; 0: none
	Mark          uint32 // SO_MARK
	Cgroup        uint64 // id of the socket's cgroup v2; 0 in TIME_WAIT and SYN_RECV
	Locked        bool   // SOCK_BINDPORT_LOCK: the local port was chosen with bind(2); false in TIME_WAIT and SYN_RECV
}

// Accepts reports whether the kernel accepts a socket by a program of INET_DIAG_REQ_BYTECODE: inet_diag_bc_run of
// net/ipv4/inet_diag.c. An empty program accepts every socket. One that the kernel refuses with EINVAL may say anything, but comes to
// an end. It does not allocate.
func Accepts(code []byte, s *Subject) bool {
	ne := binary.NativeEndian
	for len(code) > 0 {
		if len(code) < sizeofBcOp {
			return false
		}
		var args [8]byte // those of all instructions but the two about hosts
		copy(args[:], code[sizeofBcOp:])
		port := ne.Uint16(args[2:]) // the no of a second inet_diag_bc_op
		holds := true
		switch code[0] {
		case bcJmp:
			holds = false
		case bcSGE:
			holds = s.Local.Port() >= port
		case bcSLE:
			holds = s.Local.Port() <= port
		case bcDGE:
			holds = s.Remote.Port() >= port
		case bcDLE:
			holds = s.Remote.Port() <= port
		case bcAuto:
			holds = !s.Locked
		case bcSCond:
			holds = hostCond(code[sizeofBcOp:], s.Local)
		case bcDCond:
			holds = hostCond(code[sizeofBcOp:], s.Remote)
		case bcDevCond:
			holds = ne.Uint32(args[:]) == s.Interface
		case bcMarkCond:
			holds = s.Mark&ne.Uint32(args[4:]) == ne.Uint32(args[:])
		case bcSEQ:
			holds = s.Local.Port() == port
		case bcDEQ:
			holds = s.Remote.Port() == port
		case bcCgroupCond:
			holds = ne.Uint64(args[:]) == s.Cgroup
		}
		next := int(code[1])
		if !holds {
			next = int(ne.Uint16(code[2:]))
		}
		if next < sizeofBcOp || next > len(code) {
			return false
		}
		code = code[next:]
	}
	return true
}

// hostCond judges one end of a socket by a struct inet_diag_hostcond and the address behind it.
func hostCond(cond []byte, end netip.AddrPort) bool {
	if len(cond) < sizeofHostCond {
		return false
	}
	if p := int32(binary.NativeEndian.Uint32(cond[offHostPort:])); p != -1 && p != int32(end.Port()) {
		return false
	}
	a := end.Addr()
	switch diag.Family(cond[0]) {
	case diag.Unspec:
	case diag.IPv4: // of an IPv6 socket: a mapped address
		if a = a.Unmap(); !a.Is4() {
			return false
		}
	case diag.IPv6:
		if !a.Is6() {
			return false
		}
	default:
		return false
	}
	bits, want := int(cond[offHostPrefix]), cond[sizeofHostCond:]
	if a.Is4() {
		b := a.As4()
		return samePrefix(b[:], want, bits)
	}
	b := a.As16()
	return samePrefix(b[:], want, bits)
}

// samePrefix compares the first bits of a and b.
func samePrefix(a, b []byte, bits int) bool {
	if n := (bits + 7) / 8; n > len(a) || n > len(b) {
		return false
	}
	for ; bits >= 8; bits, a, b = bits-8, a[1:], b[1:] {
		if a[0] != b[0] {
			return false
		}
	}
	return bits == 0 || (a[0]^b[0])&byte(math.MaxUint8<<(8-bits)) == 0
}
