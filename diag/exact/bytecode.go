package exact

import (
	"encoding/binary"
	"math"

	"github.com/sockeye-tools/sockeye/diag"
)

// accepts reports whether a filter that a query carries picks the socket: inet_diag_bc_run of net/ipv4/inet_diag.c. Each
// instruction says how far the next one is, by whether it holds or not; arriving at the end accepts, going beyond it rejects.
func accepts(code []byte, r *record) bool {
	ne := binary.NativeEndian
	for len(code) > 0 {
		if len(code) < 4 {
			return false
		}
		var args [8]byte // those of all instructions but the two about hosts
		copy(args[:], code[4:])
		holds := true
		switch code[0] {
		case 1: // INET_DIAG_BC_JMP
			holds = false
		case 2: // INET_DIAG_BC_S_GE; a port is in the last half of a second inet_diag_bc_op
			holds = r.sport() >= ne.Uint16(args[2:])
		case 3: // INET_DIAG_BC_S_LE
			holds = r.sport() <= ne.Uint16(args[2:])
		case 4: // INET_DIAG_BC_D_GE
			holds = r.dport() >= ne.Uint16(args[2:])
		case 5: // INET_DIAG_BC_D_LE
			holds = r.dport() <= ne.Uint16(args[2:])
		case 6: // INET_DIAG_BC_AUTO
			holds = !r.locked()
		case 7: // INET_DIAG_BC_S_COND
			holds = hostCond(code[4:], r.family(), r.src(), r.sport())
		case 8: // INET_DIAG_BC_D_COND
			holds = hostCond(code[4:], r.family(), r.dst(), r.dport())
		case 9: // INET_DIAG_BC_DEV_COND
			holds = ne.Uint32(args[:]) == r.ifindex()
		case 10: // INET_DIAG_BC_MARK_COND
			holds = r.mark()&ne.Uint32(args[4:]) == ne.Uint32(args[:])
		case 11: // INET_DIAG_BC_S_EQ
			holds = r.sport() == ne.Uint16(args[2:])
		case 12: // INET_DIAG_BC_D_EQ
			holds = r.dport() == ne.Uint16(args[2:])
		case 13: // INET_DIAG_BC_CGROUP_COND
			holds = ne.Uint64(args[:]) == r.cgroup()
		}
		next := int(code[1])
		if !holds {
			next = int(ne.Uint16(code[2:]))
		}
		if next < 4 || next > len(code) {
			return false
		}
		code = code[next:]
	}
	return true
}

// hostCond is struct inet_diag_hostcond: family u8, prefix_len u8, pad, port s32, and the address.
func hostCond(cond []byte, family diag.Family, addr []byte, port uint16) bool {
	if len(cond) < 8 {
		return false
	}
	if p := int32(binary.NativeEndian.Uint32(cond[4:])); p != -1 && p != int32(port) {
		return false
	}
	bits, want := int(cond[1]), cond[8:]
	if f := diag.Family(cond[0]); f != diag.Unspec && f != family {
		mapped := f == diag.IPv4 && family == diag.IPv6 && [12]byte(addr) == [12]byte{10: 0xff, 11: 0xff}
		return mapped && samePrefix(addr[12:], want, bits)
	}
	return samePrefix(addr, want, bits)
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
