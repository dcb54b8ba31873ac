package diag

import "testing"

func TestSockOpt(t *testing.T) {
	// The bits of struct inet_diag_sockopt in their order, each in the place that the C compiler gives it.
	order := []SockOpt{
		OptRecvErr, OptIsICSK, OptFreebind, OptHdrIncl, OptMCLoop, OptTransparent, OptMCAll, OptNoDefrag,
		OptBindAddressNoPort, OptRecvErrRFC4884, OptDeferConnect,
	}
	for i, opt := range order {
		raw := make([]byte, 2)
		raw[i/8] = 1 << (i % 8)
		if bigEndian {
			raw[i/8] = 0x80 >> (i % 8)
		}
		if v, ok := withAttr(t, TCP, AttrSockOpt, raw).SockOpt(); !ok || v != opt {
			t.Errorf("bit %d: %#x, %v, want %#x", i, v, ok, opt)
		}
	}
	for n, want := range []bool{false, false, true, true} {
		if v, ok := withAttr(t, TCP, AttrSockOpt, make([]byte, n)).SockOpt(); ok != want || v != 0 {
			t.Errorf("%d bytes: %#x, %v", n, v, ok)
		}
	}
	if _, ok := without(t, TCP).SockOpt(); ok {
		t.Error("flags out of nothing")
	}
	for b, want := range map[byte]byte{0: 0, 1: 0x80, 0x80: 1, 0xd2: 0x4b, 0xff: 0xff} {
		if r := reverse8(b); r != want {
			t.Errorf("reverse8(%#x) = %#x, want %#x", b, r, want)
		}
	}
}
