package filter

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// entry is what the kernel judges a socket by (struct inet_diag_entry of linux/inet_diag.h).
type entry struct {
	family       diag.Family
	src, dst     netip.Addr
	sport, dport uint16
	locked       bool // SOCK_BINDPORT_LOCK: the port was chosen with bind
	ifindex      uint32
	mark         uint32
	cgroup       uint64
}

// socket returns e as a dump reports it. What is 0 may be left out.
func (e *entry) socket(t testing.TB) *diag.InetSocket {
	t.Helper()
	ne, be := binary.NativeEndian, binary.BigEndian
	b := make([]byte, 72)
	b[0], b[1] = byte(e.family), byte(diag.Established)
	be.PutUint16(b[4:], e.sport)
	be.PutUint16(b[6:], e.dport)
	copy(b[8:24], e.src.AsSlice())
	copy(b[24:40], e.dst.AsSlice())
	ne.PutUint32(b[40:], e.ifindex)
	if e.mark != 0 {
		b = ne.AppendUint16(ne.AppendUint16(b, 8), uint16(diag.AttrMark))
		b = ne.AppendUint32(b, e.mark)
	}
	if e.cgroup != 0 {
		b = ne.AppendUint16(ne.AppendUint16(b, 12), uint16(diag.AttrCgroupID))
		b = ne.AppendUint64(b, e.cgroup)
	}
	s, err := diag.ParseInet(b, diag.TCP)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// audit is the kernel's check of a program: why it would refuse it, or "".
func audit(code []byte) string {
	if len(code) < 4 {
		return "too short"
	}
	// The instructions that the yes jumps come by, by what is left behind them.
	chain := map[int]bool{}
	for left := len(code); left > 0; {
		if chain[left] = true; left < 4 {
			return "cut off"
		}
		yes := int(code[len(code)-left+1])
		if yes < 4 || yes%4 != 0 {
			return "yes is crooked"
		}
		left -= yes
	}
	for left := len(code); left > 0; {
		op := code[len(code)-left:]
		need := 4
		switch op[0] {
		case 7, 8:
			if need += 8; left < need {
				return "host condition cut off"
			}
			size, ok := map[byte]int{0: 0, 2: 4, 10: 16}[op[4]]
			if !ok {
				return "unknown family"
			}
			if need += size; left < need {
				return "address cut off"
			}
			if int(op[5]) > 8*size {
				return "prefix too long"
			}
		case 2, 3, 4, 5, 9, 11, 12:
			need += 4
		case 10, 13:
			need += 8
		case 0, 1, 6:
		default:
			return "unknown code"
		}
		if left < need {
			return "operands cut off"
		}
		yes, no := int(op[1]), int(binary.NativeEndian.Uint16(op[2:]))
		if op[0] != 0 {
			if no < need || no > left+4 || no%4 != 0 {
				return "no jumps out of the program"
			}
			if no < left && !chain[left-no] {
				return "no lands between instructions"
			}
		}
		if yes < need || yes > left+4 {
			return "yes jumps out of the program"
		}
		left -= yes
		if left < 0 {
			return "yes jumps beyond the end"
		}
	}
	return ""
}

// run is the kernel's machine: whether the program accepts e.
func run(code []byte, e *entry) bool {
	ne := binary.NativeEndian
	left := len(code)
	for left > 0 {
		op := code[len(code)-left:]
		holds := true
		switch op[0] {
		case 1:
			holds = false
		case 2:
			holds = e.sport >= ne.Uint16(op[6:])
		case 3:
			holds = e.sport <= ne.Uint16(op[6:])
		case 4:
			holds = e.dport >= ne.Uint16(op[6:])
		case 5:
			holds = e.dport <= ne.Uint16(op[6:])
		case 6:
			holds = !e.locked
		case 7:
			holds = hostCond(op[4:], e.family, e.src, e.sport)
		case 8:
			holds = hostCond(op[4:], e.family, e.dst, e.dport)
		case 9:
			holds = ne.Uint32(op[4:]) == e.ifindex
		case 10:
			holds = e.mark&ne.Uint32(op[8:]) == ne.Uint32(op[4:])
		case 11:
			holds = e.sport == ne.Uint16(op[6:])
		case 12:
			holds = e.dport == ne.Uint16(op[6:])
		case 13:
			holds = ne.Uint64(op[4:]) == e.cgroup
		}
		if holds {
			left -= int(op[1])
		} else {
			left -= int(ne.Uint16(op[2:]))
		}
	}
	return left == 0
}

func hostCond(cond []byte, family diag.Family, addr netip.Addr, port uint16) bool {
	if p := int32(binary.NativeEndian.Uint32(cond[4:])); p != -1 && p != int32(port) {
		return false
	}
	want, bits, a := diag.Family(cond[0]), int(cond[1]), addr.AsSlice()
	if want != diag.Unspec && want != family {
		mapped := []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}
		return want == diag.IPv4 && family == diag.IPv6 && bytes.HasPrefix(a, mapped) && sameBits(a[12:], cond[8:], bits)
	}
	return bits == 0 || sameBits(a, cond[8:], bits)
}

// sameBits compares the first bits of a and b.
func sameBits(a, b []byte, bits int) bool {
	for i := range bits {
		if (a[i/8]^b[i/8])>>(7-i%8)&1 != 0 {
			return false
		}
	}
	return true
}
