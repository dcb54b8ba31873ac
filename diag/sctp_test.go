package diag

import (
	"net/netip"
	"slices"
	"testing"
)

func TestSCTPInfoOfAllLengths(t *testing.T) {
	raw := ramp(sizeofSCTPInfo + 8)
	var full SCTPInfo
	for n := range len(raw) + 1 {
		i := SCTPInfo{Tag: 99, SockType: 99}
		if !withAttr(t, SCTP, AttrInfo, raw[:n]).SCTPInfo(&i) {
			t.Fatalf("%d bytes: no sctp_info", n)
		}
		if i.Size() != min(n, 368) {
			t.Errorf("%d bytes: Size() = %d", n, i.Size())
		}
		for _, f := range []struct {
			name      string
			at        int // offsetof in linux/sctp.h
			got, want uint32
		}{
			{"Tag", 0, i.Tag, num32At(raw, 0)}, {"RWnd", 8, i.RWnd, num32At(raw, 8)}, {"PeerTag", 48, i.PeerTag, num32At(raw, 48)},
			{"ISacks", 56, uint32(i.ISacks), uint32(num64At(raw, 56))}, {"PrimaryState", 296, uint32(i.PrimaryState), num32At(raw, 296)},
			{"PrimarySRTT", 304, i.PrimarySRTT, num32At(raw, 304)}, {"PrimaryHBInterval", 312, i.PrimaryHBInterval, num32At(raw, 312)},
			{"SockAutoclose", 344, i.SockAutoclose, num32At(raw, 344)}, {"SockType", 360, i.SockType, num32At(raw, 360)},
		} {
			switch {
			case n >= f.at+8 && f.got != f.want:
				t.Errorf("%d bytes: %s = %#x, want %#x", n, f.name, f.got, f.want)
			case n <= f.at && f.got != 0:
				t.Errorf("%d bytes: %s = %#x is not there", n, f.name, f.got)
			}
		}
		full = i
	}
	if full.PrimaryAddr[0] != raw[168] || full.PrimaryAddr[127] != raw[295] {
		t.Error("PrimaryAddr is elsewhere")
	}
	if without(t, SCTP).SCTPInfo(&full) || withAttr(t, TCP, AttrInfo, raw).SCTPInfo(&full) {
		t.Error("sctp_info out of nothing")
	}
}

func num32At(b []byte, off int) uint32 {
	v, _ := num32(b[off:])
	return v
}

func num64At(b []byte, off int) uint64 {
	v, _ := num64(b[off:])
	return v
}

func TestSCTPAddresses(t *testing.T) {
	storage := func(family uint16, port [2]byte, rest []byte) []byte {
		b := native(t, family)
		b = append(append(b, port[:]...), rest...)
		return append(b, make([]byte, 128-len(b))...)
	}
	v6 := netip.MustParseAddr("2001:db8::7").As16()
	raw := storage(2, [2]byte{0x0b, 0xb8}, []byte{192, 0, 2, 7})
	raw = append(raw, storage(77, [2]byte{}, nil)...) // unknown
	raw = append(raw, storage(10, [2]byte{0, 99}, append([]byte{0, 0, 0, 1}, v6[:]...))...)
	raw = append(raw, 2, 0, 0, 1) // cut off
	want := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.7:3000"), netip.MustParseAddrPort("[2001:db8::7]:99")}
	if got := slices.Collect(withAttr(t, SCTP, AttrLocals, raw).Locals()); !slices.Equal(got, want) {
		t.Errorf("Locals = %v", got)
	}
	s := withAttr(t, SCTP, AttrPeers, raw[256:])
	if got := slices.Collect(s.Peers()); !slices.Equal(got, want[1:]) {
		t.Errorf("Peers = %v", got)
	}
	if got := slices.Collect(s.Locals()); got != nil {
		t.Errorf("Locals out of nothing: %v", got)
	}
}

// Only associations have peers, and their states are not TCP's.
func TestAssociation(t *testing.T) {
	s := withAttr(t, SCTP, AttrPeers, make([]byte, 128))
	for state, want := range map[State]string{
		0: "CLOSED", 1: "COOKIE_WAIT", 2: "COOKIE_ECHOED", 3: "ESTABLISHED", 4: "SHUTDOWN_PENDING", 5: "SHUTDOWN_SENT",
		6: "SHUTDOWN_RECEIVED", 7: "SHUTDOWN_ACK_SENT", 8: "STATE_8",
	} {
		s.State = state
		if got, ok := s.Association(); !ok || got.String() != want {
			t.Errorf("state %d: %v %v, want %s", state, got, ok, want)
		}
	}
	if got, ok := withAttr(t, SCTP, AttrLocals, make([]byte, 128)).Association(); ok {
		t.Errorf("an endpoint: %v", got)
	}
	if got, ok := withAttr(t, TCP, AttrPeers, make([]byte, 128)).Association(); ok {
		t.Errorf("TCP: %v", got)
	}
}
