package diag

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"
)

// rawInet is struct inet_diag_msg of linux/inet_diag.h.
type rawInet struct {
	Family, State, Timer, Retrans uint8
	Sport, Dport                  [2]byte
	Src, Dst                      [16]byte
	If                            uint32
	Cookie                        [2]uint32
	Expires, Rqueue, Wqueue       uint32
	UID, Inode                    uint32
}

func (r rawInet) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := binary.Append(nil, binary.NativeEndian, r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// native encodes numbers and structs of them.
func native(t testing.TB, vs ...any) (b []byte) {
	t.Helper()
	for _, v := range vs {
		var err error
		if b, err = binary.Append(b, binary.NativeEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// withAttr decodes a socket that has one attribute of the given value.
func withAttr(t testing.TB, p Protocol, a Attr, v []byte) *InetSocket {
	t.Helper()
	s, err := ParseInet(appendAttr(rawInet{Family: 2}.bytes(t), uint16(a), v), p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// without decodes a socket that has no attributes.
func without(t testing.TB, p Protocol) *InetSocket {
	t.Helper()
	s, err := ParseInet(rawInet{Family: 2}.bytes(t), p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDecodeHeader(t *testing.T) {
	raw := rawInet{
		Family: 2, State: 1, Timer: 2, Retrans: 3, Sport: [2]byte{0x12, 0x34}, Dport: [2]byte{0, 80},
		Src: [16]byte{192, 0, 2, 1, 0xff}, Dst: [16]byte{198, 51, 100, 9}, If: 7, Cookie: [2]uint32{0x89abcdef, 0x01234567},
		Expires: 1500, Rqueue: 11, Wqueue: 1 << 31, UID: 1000, Inode: 4026531840,
	}
	s, err := ParseInet(raw.bytes(t), UDP)
	if err != nil {
		t.Fatal(err)
	}
	want := InetSocket{
		Family: IPv4, Protocol: UDP, State: Established, Timer: TimerKeepalive, Retrans: 3,
		Local: netip.MustParseAddrPort("192.0.2.1:4660"), Remote: netip.MustParseAddrPort("198.51.100.9:80"),
		Interface: 7, Cookie: 0x0123456789abcdef, Expires: 1500 * time.Millisecond,
		RQueue: 11, WQueue: 1 << 31, UID: 1000, Inode: 4026531840, Source: FromNetlink,
	}
	same(t, s, &want)

	raw.Family = 10
	raw.Src = netip.MustParseAddr("2001:db8::1").As16()
	raw.Dst = netip.MustParseAddr("::ffff:198.51.100.9").As16()
	if s, err = ParseInet(raw.bytes(t), UDP); err != nil {
		t.Fatal(err)
	}
	want.Family = IPv6
	want.Local = netip.MustParseAddrPort("[2001:db8::1]:4660")
	want.Remote = netip.MustParseAddrPort("[::ffff:198.51.100.9]:80") // stays IPv6, as the socket is
	same(t, s, &want)
}

// same compares the fields that the header fills.
func same(t *testing.T, got, want *InetSocket) {
	t.Helper()
	g := *got
	g.msg, g.have, g.pos = nil, 0, want.pos
	if !reflect.DeepEqual(&g, want) {
		t.Errorf("got  %+v\nwant %+v", &g, want)
	}
}

func TestDecodeCutOff(t *testing.T) {
	full := appendAttr(rawInet{Family: 2}.bytes(t), uint16(AttrMark), native(t, uint32(7)))
	for n := range len(full) + 1 {
		s, err := ParseInet(full[:n], TCP)
		switch {
		case n == 72 || n == len(full):
			if err != nil {
				t.Errorf("%d bytes: %v", n, err)
			} else if _, ok := s.Mark(); ok != (n > 72) {
				t.Errorf("%d bytes: mark is there: %v", n, ok)
			}
		case n > 72 && n < 76: // padding, not an attribute
			if err != nil || s.have != 0 {
				t.Errorf("%d bytes: %v, attributes %#x", n, err, s.have)
			}
		default:
			if _, ok := errors.AsType[*MessageError](err); !ok {
				t.Errorf("%d bytes: error %v, want a MessageError", n, err)
			}
		}
	}
	if _, err := ParseInet(make([]byte, 1<<16), TCP); err == nil {
		t.Error("64 KiB were taken for a message")
	}
}

func TestDecodeAttributes(t *testing.T) {
	b := rawInet{Family: 2}.bytes(t)
	value := func(typ uint16) []byte { return bytes.Repeat([]byte{byte(typ)}, int(typ)%5) }
	var types []uint16
	for typ := range uint16(40) { // from 23 on nobody knows them
		types = append(types, typ)
	}
	types = append(types, 0x3fff)
	for _, typ := range types {
		flags := uint16(0)
		if typ%2 == 0 {
			flags = 0x8000 // NLA_F_NESTED
		}
		b = appendAttr(b, typ|flags, value(typ))
	}
	s, err := ParseInet(b, TCP)
	if err != nil {
		t.Fatal(err)
	}
	for typ := range uint16(256) {
		v, ok := s.Attr(Attr(typ))
		if want := typ <= uint16(AttrSockOpt); ok != want || ok && !bytes.Equal(v, value(typ)) {
			t.Errorf("attribute %d: %v %v", typ, v, ok)
		}
	}

	// A socket that was used before keeps nothing.
	if err := s.decode(rawInet{Family: 2}.bytes(t), TCP); err != nil {
		t.Fatal(err)
	}
	for typ := range uint16(23) {
		if v, ok := s.Attr(Attr(typ)); ok {
			t.Errorf("attribute %d is left over: %v", typ, v)
		}
	}
}

func TestDecodeLyingAttribute(t *testing.T) {
	for _, n := range []uint16{0, 1, 3, 9, 0xffff} {
		b := rawInet{Family: 2}.bytes(t)
		b = appendAttr(b, uint16(AttrMark), native(t, uint32(7)))
		b = append(b, native(t, n, uint16(AttrTOS), uint32(0))...)
		s := &InetSocket{}
		err := s.decode(b, TCP)
		if m, ok := errors.AsType[*MessageError](err); !ok || m.Want != int(n) || m.Len != 8 {
			t.Errorf("length %d: error %v", n, err)
		}
		if _, ok := s.TOS(); ok {
			t.Errorf("length %d: TOS is there", n)
		}
	}
}

func TestClone(t *testing.T) {
	b := appendAttr(rawInet{Family: 2}.bytes(t), uint16(AttrCong), []byte("cubic\x00"))
	s, err := ParseInet(b, TCP)
	if err != nil {
		t.Fatal(err)
	}
	c := s.Clone()
	clear(b)
	if v, ok := c.Cong(); !ok || string(v) != "cubic" {
		t.Errorf("Cong of the clone = %q, %v", v, ok)
	}
	if v, _ := s.Cong(); string(v) == "cubic" {
		t.Error("the socket did not borrow")
	}
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	for _, k := range kinds {
		batch, n := datagram(k.ext)
		if n < 50 {
			t.Fatalf("%d sockets", n)
		}
		allocs := testing.AllocsPerRun(20, func() {
			var ulp ULP
			for s := range batch.Inet() {
				s.TCPInfo(&sink.info)
				s.ULP(&ulp)
				mem, _ := s.SKMemInfo()
				old, _ := s.MemInfo()
				cong, _ := s.Cong()
				mark, _ := s.Mark()
				opt, _ := s.SockOpt()
				bbr, _ := s.BBRInfo()
				sink.n += int(mem.RMemAlloc+old.RMem+mark) + len(cong) + int(opt) + int(bbr.MinRTT)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations for %d sockets, want 0", k.name, allocs, n)
		}
	}
}

func FuzzDecodeInet(f *testing.F) {
	f.Add(rawInet{Family: 2}.bytes(f), uint16(TCP))
	f.Add(rawInet{Family: 10}.bytes(f)[:40], uint16(TCP))
	for _, p := range []Protocol{TCP, SCTP, MPTCP} {
		b := appendAttr(rawInet{Family: 10, State: 10}.bytes(f), uint16(AttrInfo), make([]byte, 120))
		b = appendAttr(b, uint16(AttrULPInfo), appendAttr(appendAttr(nil, 1, []byte("mptcp\x00")), 3|0x8000, make([]byte, 24)))
		b = appendAttr(b, uint16(AttrMD5Sig), make([]byte, 200))
		b = appendAttr(b, uint16(AttrLocals), make([]byte, 256))
		f.Add(b, uint16(p))
		b = slices.Clone(b)
		b[72] = 0xff
		f.Add(b, uint16(p))
	}
	f.Fuzz(func(t *testing.T, b []byte, p uint16) {
		s, err := ParseInet(b, Protocol(p))
		if (s == nil) == (err == nil) {
			t.Fatalf("socket %v, error %v", s, err)
		}
		if err != nil {
			return
		}
		used := 0
		for a := range attrMax {
			v, _ := s.Attr(Attr(a))
			used += len(v)
		}
		if used > len(b) {
			t.Errorf("attributes have %d bytes of %d", used, len(b))
		}
		var (
			info  TCPInfo
			mptcp MPTCPInfo
			sctp  SCTPInfo
			ulp   ULP
		)
		s.TCPInfo(&info)
		s.MPTCPInfo(&mptcp)
		s.SCTPInfo(&sctp)
		s.ULP(&ulp)
		s.SockOpt()
		s.MemInfo()
		s.SKMemInfo()
		s.VegasInfo()
		s.DCTCPInfo()
		s.BBRInfo()
		n := 0
		for range s.BPFStorages() {
			n++
		}
		if n > len(b)/12 { // two attributes and a number in one
			t.Errorf("%d values of BPF maps in %d bytes", n, len(b))
		}
		n = 0
		for range s.MD5Sigs() {
			n++
		}
		for range s.Locals() {
			n++
		}
		for range s.Peers() {
			n++
		}
		if n > len(b)/50 {
			t.Errorf("%d keys and addresses in %d bytes", n, len(b))
		}
		if c := s.Clone(); c.Local != s.Local || !bytes.Equal(c.msg, s.msg) {
			t.Error("the clone differs")
		}
	})
}
