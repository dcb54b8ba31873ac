package diagtest

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Fuzzed makes an answer to r of any bytes, for fuzz tests: messages that are in order but for what the bytes say is wrong with them, behind
// which the connection ends.
//
// Each message begins with four bytes: what is done to it (below), flags, and two for the length of its payload, which follows.
//
//	0 NLMSG_DONE               1 NLMSG_ERROR              2 NLMSG_OVERRUN, where the flags are 0xff
//	3 NLMSG_NOOP               4 another sequence number  5 another port id
//	6 a length off by flags    7 a datagram of its own
func Fuzzed(r Request, b []byte) (out []Datagram) {
	const most = 20 // datagrams
	out = []Datagram{{}}
	for len(b) >= 4 && len(out) < most {
		how, flags, n := b[0]&15, b[1], int(binary.LittleEndian.Uint16(b[2:]))&0x3ff
		b = b[4:]
		n = min(n, len(b))
		payload := b[:n]
		b = b[n:]
		typ, to := uint16(sockDiagByFamily), r
		switch how {
		case 0:
			typ = unix.NLMSG_DONE
		case 1:
			typ = unix.NLMSG_ERROR
		case 2:
			if typ = unix.NLMSG_NOOP; flags == 0xff { // rarely: the program waits, and asks again
				typ = unix.NLMSG_OVERRUN
			}
		case 3:
			typ = unix.NLMSG_NOOP
		case 4:
			to.Seq++
		case 5:
			to.PID++
		case 7:
			out = append(out, Datagram{})
		}
		last := &out[len(out)-1]
		at := len(*last)
		*last = last.Append(to, typ, uint16(flags&0x1f)|unix.NLM_F_MULTI, payload)
		if how == 6 {
			binary.NativeEndian.PutUint32((*last)[at:], uint32(16+len(payload)+int(int8(flags))))
		}
	}
	return append(out, nil)
}

const sockDiagByFamily = 20
