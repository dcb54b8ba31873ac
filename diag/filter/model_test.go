package filter

import (
	"encoding/binary"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// socketOf returns a socket as a dump reports it. What is 0 may be left out.
func socketOf(t testing.TB, s *Subject) *diag.InetSocket {
	t.Helper()
	ne, be := binary.NativeEndian, binary.BigEndian
	b := make([]byte, 72)
	b[0], b[1] = byte(familyOf(s)), byte(diag.Established)
	be.PutUint16(b[4:], s.Local.Port())
	be.PutUint16(b[6:], s.Remote.Port())
	copy(b[8:24], s.Local.Addr().AsSlice())
	copy(b[24:40], s.Remote.Addr().AsSlice())
	ne.PutUint32(b[40:], s.Interface)
	if s.Mark != 0 {
		b = ne.AppendUint16(ne.AppendUint16(b, 8), uint16(diag.AttrMark))
		b = ne.AppendUint32(b, s.Mark)
	}
	if s.Cgroup != 0 {
		b = ne.AppendUint16(ne.AppendUint16(b, 12), uint16(diag.AttrCgroupID))
		b = ne.AppendUint64(b, s.Cgroup)
	}
	socket, err := diag.ParseInet(b, diag.TCP)
	if err != nil {
		t.Fatal(err)
	}
	return socket
}

func familyOf(s *Subject) diag.Family {
	if s.Local.Addr().Is4() {
		return diag.IPv4
	}
	return diag.IPv6
}

// audit is the kernel's check of a program: why it would refuse it, or "".
func audit(code []byte) string {
	if len(code) < 4 {
		return "too short"
	}
	// The instructions that the yes jumps come by, by what is left behind them.
	chain := make([]bool, len(code)+1)
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
