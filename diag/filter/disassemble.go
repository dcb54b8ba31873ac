package filter

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"net/netip"
	"strconv"

	"github.com/sockeye-tools/sockeye/diag"
)

var mnemonics = [...]string{
	bcNop: "nop", bcJmp: "jmp", bcSGE: "s_ge", bcSLE: "s_le", bcDGE: "d_ge", bcDLE: "d_le", bcAuto: "auto", bcSCond: "s_cond",
	bcDCond: "d_cond", bcDevCond: "dev_cond", bcMarkCond: "mark_cond", bcSEQ: "s_eq", bcDEQ: "d_eq", bcCgroupCond: "cgroup_cond",
}

// Disassemble writes a program of INET_DIAG_REQ_BYTECODE in words, one instruction a line: its offset in bytes, the name of its
// code (INET_DIAG_BC_* of linux/inet_diag.h), its operands, and where it goes on if it does not hold. If it holds, the next line
// is next. What is no instruction is written in hexadecimal, to the end.
func Disassemble(code []byte) string {
	var b []byte
	for off := 0; off < len(code); {
		line := len(b)
		b = strconv.AppendInt(b, int64(off), 10)
		for len(b) < line+5 {
			b = append(b, ' ')
		}
		n := 0
		if b, n = appendOp(b, code, off); n == 0 {
			b = append(b, "?  "...)
			b = hex.AppendEncode(b, code[off:])
			n = len(code) - off
		}
		b = append(b, '\n')
		off += n
	}
	return string(b)
}

// appendOp appends the instruction at off and returns its length; 0 if there is none.
func appendOp(b, code []byte, off int) ([]byte, int) {
	op := code[off:]
	if len(op) < sizeofBcOp || int(op[0]) >= len(mnemonics) {
		return b, 0
	}
	arg := op[sizeofBcOp:]
	n, args := opArgs(op[0], arg)
	yes := int(op[1]) // may be longer than the operands
	if n < 0 || yes < sizeofBcOp+n || yes%sizeofBcOp != 0 {
		return b, 0
	}
	b = append(b, mnemonics[op[0]]...)
	b = append(b, args...)
	if op[0] == bcJmp {
		b = append(b, " -> "...)
	} else if op[0] != bcNop {
		b = append(b, ", else "...)
	}
	if op[0] != bcNop {
		b = appendTarget(b, off+int(binary.NativeEndian.Uint16(op[2:])), len(code))
	}
	if yes > len(op) {
		return append(b, ", then reject"...), len(op)
	}
	return b, yes
}

func appendTarget(b []byte, to, end int) []byte {
	switch {
	case to == end:
		return append(b, "accept"...)
	case to > end:
		return append(b, "reject"...)
	}
	return strconv.AppendInt(b, int64(to), 10)
}

// opArgs returns the length of the operands of an instruction and their text; -1 if they are cut off or make no sense.
func opArgs(code byte, arg []byte) (n int, text string) {
	ne := binary.NativeEndian
	switch code {
	case bcSGE, bcSLE, bcDGE, bcDLE, bcSEQ, bcDEQ:
		if n = sizeofBcOp; len(arg) >= n {
			return n, " " + strconv.Itoa(int(ne.Uint16(arg[2:])))
		}
	case bcDevCond:
		if n = 4; len(arg) >= n {
			return n, " " + strconv.FormatUint(uint64(ne.Uint32(arg)), 10)
		}
	case bcMarkCond:
		if n = 8; len(arg) >= n {
			text = " 0x" + strconv.FormatUint(uint64(ne.Uint32(arg)), 16)
			return n, text + "/0x" + strconv.FormatUint(uint64(ne.Uint32(arg[4:])), 16)
		}
	case bcCgroupCond:
		if n = 8; len(arg) >= n {
			return n, " " + strconv.FormatUint(ne.Uint64(arg), 10)
		}
	case bcSCond, bcDCond:
		if len(arg) >= sizeofHostCond {
			return hostArgs(arg)
		}
	default:
		return 0, ""
	}
	return -1, ""
}

func hostArgs(arg []byte) (n int, text string) {
	size := map[diag.Family]int{diag.Unspec: 0, diag.IPv4: 4, diag.IPv6: 16}
	addrLen, ok := size[diag.Family(arg[0])]
	bits := int(arg[offHostPrefix])
	n = sizeofHostCond + addrLen
	if !ok || len(arg) < n || bits > 8*addrLen {
		return -1, ""
	}
	text = " *"
	if a, ok := netip.AddrFromSlice(arg[sizeofHostCond:n]); ok {
		text = " " + netip.PrefixFrom(a, bits).String()
	}
	if port := int32(binary.NativeEndian.Uint32(arg[offHostPort:])); uint32(port) != math.MaxUint32 {
		text += " port " + strconv.Itoa(int(port))
	}
	return n, text
}
