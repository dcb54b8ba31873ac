package scene

import (
	"bytes"
	"net/netip"
	"reflect"
	"testing"
)

func TestSegmentRoundTrip(t *testing.T) {
	for _, ends := range [][2]string{{"192.0.2.1:80", "192.0.2.10:65535"}, {"[2001:db8::1]:1", "[2001:db8::10]:443"}} {
		for _, payload := range []string{"", "x", "odd", "even"} {
			in := segment{src: netip.MustParseAddrPort(ends[0]), dst: netip.MustParseAddrPort(ends[1]), seq: 0xfffffff0, ack: 7,
				flags: flagACK | flagPSH, window: 512, payload: []byte(payload)}
			packet := in.append([]byte("before"))
			if !bytes.HasPrefix(packet, []byte("before")) {
				t.Fatal("append does not append")
			}
			packet = packet[6:]
			out, err := parseSegment(append(packet, "trailer"...))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(in, out) {
				t.Errorf("%v round trip:\n%+v\n%+v", ends, in, out)
			}
			// RFC 1071: with the checksum in place, the sum is all ones.
			tcp := packet[len(packet)-tcpHeaderLen-len(payload):]
			header := packet[:len(packet)-len(tcp)]
			if in.src.Addr().Is4() {
				if got := fold(sum(0, header)); got != 0xffff {
					t.Errorf("IPv4 header sums up to %#x", got)
				}
			}
			addresses := header[len(header)-in.src.Addr().BitLen()/4:]
			pseudo := sum(uint32(protoTCP+len(tcp)), addresses)
			if got := fold(sum(pseudo, tcp)); got != 0xffff {
				t.Errorf("%v %q: segment sums up to %#x", ends, payload, got)
			}
		}
	}
}

func TestSegmentSum(t *testing.T) {
	// The example of RFC 1071, section 3.
	if got := fold(sum(0, []byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7})); got != 0xddf2 {
		t.Errorf("sum = %#x, want 0xddf2", got)
	}
}

func TestSegmentLength(t *testing.T) {
	s := segment{flags: flagSYN | flagFIN, payload: []byte("abc")}
	if s.length() != 5 {
		t.Errorf("length = %d, want 5", s.length())
	}
}

func TestParseSegmentShort(t *testing.T) {
	for _, ends := range [][2]string{{"192.0.2.1:80", "192.0.2.10:1"}, {"[2001:db8::1]:1", "[2001:db8::10]:443"}} {
		s := segment{src: netip.MustParseAddrPort(ends[0]), dst: netip.MustParseAddrPort(ends[1]), flags: flagSYN, mss: 1400}
		packet := s.append(nil)
		for n := range packet {
			if got, err := parseSegment(packet[:n]); err == nil {
				t.Errorf("%d of %d bytes parsed to %+v", n, len(packet), got)
			}
		}
		packet[len(packet)-4-tcpHeaderLen+12] = 0xf0 // a header longer than the packet
		if _, err := parseSegment(packet); err == nil {
			t.Error("data offset beyond the packet accepted")
		}
	}
}
