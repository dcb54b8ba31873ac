package ss

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// ne and be are how the kernel stores numbers, and how the network does.
var (
	ne = binary.NativeEndian
	be = binary.BigEndian
)

// message is one answer of the kernel in the making (struct inet_diag_msg of linux/inet_diag.h).
type message struct {
	proto          diag.Protocol // of the query; 0: TCP
	state          diag.State
	timer          diag.Timer
	retrans        uint8
	src, dst       string // ADDRESS:PORT
	ifindex        uint32
	cookie         uint64
	expires        uint32 // ms
	rqueue, wqueue uint32
	uid, inode     uint32
	attrs          []byte
}

// attr makes an attribute of the values, which are numbers, byte slices and strings.
func attr(typ diag.Attr, values ...any) []byte {
	var v []byte
	for _, x := range values {
		v = appendValue(v, x)
	}
	// On big-endian processors bit fields begin at the top of the byte. Tests write them as they are elsewhere.
	if typ == diag.AttrSockOpt && bigEndian && len(v) == 2 {
		v[0], v[1] = bits.Reverse8(v[1]), bits.Reverse8(v[0])
	}
	b := ne.AppendUint16(nil, uint16(4+len(v)))
	b = append(ne.AppendUint16(b, uint16(typ)), v...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func appendValue(b []byte, x any) []byte {
	switch x := x.(type) {
	case uint8:
		return append(b, x)
	case uint16:
		return ne.AppendUint16(b, x)
	case uint32:
		return ne.AppendUint32(b, x)
	case int:
		return ne.AppendUint32(b, uint32(x))
	case uint64:
		return ne.AppendUint64(b, x)
	case string:
		return append(append(b, x...), 0)
	case []byte:
		return append(b, x...)
	}
	panic("no such value")
}

// payload returns the message as the kernel sends it, without the netlink header.
func (m message) payload() []byte {
	src, dst := m.addr(m.src, "192.0.2.1:1000"), m.addr(m.dst, "198.51.100.2:2000")
	family := diag.IPv6
	if src.Addr().Is4() {
		family = diag.IPv4
	}
	if m.state == 0 {
		m.state = diag.Established
	}
	b := []byte{byte(family), byte(m.state), byte(m.timer), m.retrans}
	b = be.AppendUint16(b, src.Port())
	b = be.AppendUint16(b, dst.Port())
	for _, a := range []netip.Addr{src.Addr(), dst.Addr()} {
		b = append(b, append(a.AsSlice(), make([]byte, 16-a.BitLen()/8)...)...)
	}
	for _, v := range []uint32{
		m.ifindex, uint32(m.cookie), uint32(m.cookie >> 32), m.expires, m.rqueue, m.wqueue, m.uid, m.inode,
	} {
		b = ne.AppendUint32(b, v)
	}
	return append(b, m.attrs...)
}

func (m message) addr(s, or string) netip.AddrPort {
	if s == "" {
		s = or
	}
	return netip.MustParseAddrPort(s)
}

// socket decodes the message.
func (m message) socket(t testing.TB) *diag.InetSocket {
	t.Helper()
	s, err := diag.ParseInet(m.payload(), max(m.proto, diag.TCP))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tcpInfo makes a struct tcp_info (linux/tcp.h) of 280 bytes with the given fields.
func tcpInfo(fields map[string]uint64) []byte {
	b := make([]byte, 280)
	for name, v := range fields {
		f, ok := tcpInfoFields[name]
		if !ok {
			panic("no field " + name)
		}
		switch f.size {
		case 1:
			b[f.off] = byte(v)
			switch {
			case !bigEndian:
			case name == "wscale":
				b[f.off] = bits.RotateLeft8(byte(v), 4)
			case name == "app_limited":
				b[f.off] = bits.Reverse8(byte(v))
			}
		case 4:
			ne.PutUint32(b[f.off:], uint32(v))
		case 8:
			ne.PutUint64(b[f.off:], v)
		}
	}
	return b
}

type field struct{ off, size int }

// tcpInfoFields are the offsets in struct tcp_info, as pahole(1) tells them for Linux 6.18.
var tcpInfoFields = map[string]field{
	"state": {0, 1}, "backoff": {4, 1}, "options": {5, 1}, "wscale": {6, 1}, "app_limited": {7, 1},
	"rto": {8, 4}, "ato": {12, 4}, "snd_mss": {16, 4}, "rcv_mss": {20, 4},
	"unacked": {24, 4}, "sacked": {28, 4}, "lost": {32, 4}, "retrans": {36, 4}, "fackets": {40, 4},
	"last_data_sent": {44, 4}, "last_ack_sent": {48, 4}, "last_data_recv": {52, 4}, "last_ack_recv": {56, 4},
	"pmtu": {60, 4}, "rcv_ssthresh": {64, 4}, "rtt": {68, 4}, "rttvar": {72, 4}, "snd_ssthresh": {76, 4},
	"snd_cwnd": {80, 4}, "advmss": {84, 4}, "reordering": {88, 4}, "rcv_rtt": {92, 4}, "rcv_space": {96, 4},
	"total_retrans": {100, 4}, "pacing_rate": {104, 8}, "max_pacing_rate": {112, 8}, "bytes_acked": {120, 8},
	"bytes_received": {128, 8}, "segs_out": {136, 4}, "segs_in": {140, 4}, "notsent_bytes": {144, 4},
	"min_rtt": {148, 4}, "data_segs_in": {152, 4}, "data_segs_out": {156, 4}, "delivery_rate": {160, 8},
	"busy_time": {168, 8}, "rwnd_limited": {176, 8}, "sndbuf_limited": {184, 8}, "delivered": {192, 4},
	"delivered_ce": {196, 4}, "bytes_sent": {200, 8}, "bytes_retrans": {208, 8}, "dsack_dups": {216, 4},
	"reord_seen": {220, 4}, "rcv_ooopack": {224, 4}, "snd_wnd": {228, 4}, "rcv_wnd": {232, 4}, "rehash": {236, 4},
}

// sctpInfo makes a struct sctp_info (linux/sctp.h) with a different number in every field, or 0 in all.
func sctpInfo(filled bool) []byte {
	var b []byte
	n := uint32(0)
	u := func(sizes ...int) {
		for _, size := range sizes {
			n++
			v := n
			if !filled {
				v = 0
			}
			switch size {
			case 1:
				b = append(b, byte(v))
			case 2:
				b = ne.AppendUint16(b, uint16(v))
			case 4:
				b = ne.AppendUint32(b, v)
			case 8:
				b = ne.AppendUint64(b, uint64(v))
			}
		}
	}
	u(4, 4, 4)          // tag, state, rwnd
	u(2, 2, 2, 2)       // unackdata, penddata, instrms, outstrms
	u(4, 4, 4, 4, 4, 4) // fragmentation point, inqueue, outqueue, overall error, max burst, maxseg
	u(4, 4, 1, 1, 2)    // peer rwnd, peer tag, peer capable, peer sack, reserved
	u(8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8)
	b = append(b, make([]byte, 128)...)      // p_address
	u(4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 2, 2) // p_state ... p_error
	u(4, 4, 4, 1, 1, 1, 1, 4, 4)             // s_autoclose ... s_type
	return b
}

// sockaddr makes a struct sockaddr_storage.
func sockaddr(s string) []byte {
	a := netip.MustParseAddrPort(s)
	b := make([]byte, 128)
	if a.Addr().Is4() {
		ne.PutUint16(b, uint16(diag.IPv4))
		copy(b[4:], a.Addr().AsSlice())
	} else {
		ne.PutUint16(b, uint16(diag.IPv6))
		copy(b[8:], a.Addr().AsSlice())
	}
	be.PutUint16(b[2:], a.Port())
	return b
}

// md5sig makes a struct tcp_diag_md5sig (linux/tcp.h).
func md5sig(prefix, key string) []byte {
	p := netip.MustParsePrefix(prefix)
	b := make([]byte, 100)
	b[0], b[1] = byte(diag.IPv6), byte(p.Bits())
	if p.Addr().Is4() {
		b[0] = byte(diag.IPv4)
	}
	ne.PutUint16(b[2:], uint16(len(key)))
	copy(b[4:], p.Addr().AsSlice())
	copy(b[20:], key)
	return b
}
