package scene

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// TCP flags (RFC 9293).
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	flagPSH
	flagACK
)

const (
	protoTCP      = 6
	ipv4HeaderLen = 20
	ipv6HeaderLen = 40
	tcpHeaderLen  = 20
)

// A segment is a TCP segment with its addresses. Options are dropped when it is read; mss is the only one written.
type segment struct {
	src, dst netip.AddrPort
	seq, ack uint32
	flags    uint8
	window   uint16
	mss      uint16 // 0: not said
	payload  []byte
}

// length is the sequence space that the segment takes.
func (s *segment) length() uint32 {
	n := uint32(len(s.payload))
	if s.flags&flagSYN != 0 {
		n++
	}
	if s.flags&flagFIN != 0 {
		n++
	}
	return n
}

var errNotTCP = errors.New("not a TCP segment")

// parseSegment reads an IP packet without extension headers and fragments, which a TUN device of a quiet namespace gives.
// The payload shares the packet's memory.
func parseSegment(b []byte) (segment, error) {
	var s segment
	var src, dst netip.Addr
	switch {
	case len(b) >= ipv4HeaderLen && b[0]>>4 == 4 && b[9] == protoTCP:
		header, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
		if header < ipv4HeaderLen || total > len(b) || total < header {
			return s, errNotTCP
		}
		src, dst = netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
		b = b[header:total]
	case len(b) >= ipv6HeaderLen && b[0]>>4 == 6 && b[6] == protoTCP:
		total := ipv6HeaderLen + int(binary.BigEndian.Uint16(b[4:]))
		if total > len(b) {
			return s, errNotTCP
		}
		src, dst = netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
		b = b[ipv6HeaderLen:total]
	default:
		return s, errNotTCP
	}
	if len(b) < tcpHeaderLen {
		return s, errNotTCP
	}
	offset := int(b[12]>>4) * 4
	if offset < tcpHeaderLen || offset > len(b) {
		return s, errNotTCP
	}
	s.src = netip.AddrPortFrom(src, binary.BigEndian.Uint16(b))
	s.dst = netip.AddrPortFrom(dst, binary.BigEndian.Uint16(b[2:]))
	s.seq = binary.BigEndian.Uint32(b[4:])
	s.ack = binary.BigEndian.Uint32(b[8:])
	s.flags = b[13]
	s.window = binary.BigEndian.Uint16(b[14:])
	s.payload = b[offset:]
	return s, nil
}

// append appends the IP packet that carries the segment. Both addresses must be of one family.
func (s *segment) append(b []byte) []byte {
	offset := tcpHeaderLen
	if s.mss != 0 {
		offset += 4
	}
	size := offset + len(s.payload)
	be := binary.BigEndian
	start := len(b)
	if s.src.Addr().Is4() {
		src, dst := s.src.Addr().As4(), s.dst.Addr().As4()
		b = append(b, 4<<4|5, 0)
		b = be.AppendUint16(b, uint16(ipv4HeaderLen+size))
		b = append(b, 0, 0, 0x40, 0) // do not fragment
		b = append(b, 64, protoTCP, 0, 0)
		b = append(b, src[:]...)
		b = append(b, dst[:]...)
		be.PutUint16(b[start+10:], ^fold(sum(0, b[start:])))
	} else {
		src, dst := s.src.Addr().As16(), s.dst.Addr().As16()
		b = append(b, 6<<4, 0, 0, 0)
		b = be.AppendUint16(b, uint16(size))
		b = append(b, protoTCP, 64)
		b = append(b, src[:]...)
		b = append(b, dst[:]...)
	}
	tcp := len(b)
	b = be.AppendUint16(b, s.src.Port())
	b = be.AppendUint16(b, s.dst.Port())
	b = be.AppendUint32(b, s.seq)
	b = be.AppendUint32(b, s.ack)
	b = append(b, byte(offset/4)<<4, s.flags)
	b = be.AppendUint16(b, s.window)
	b = append(b, 0, 0, 0, 0) // checksum, urgent pointer
	if s.mss != 0 {
		b = append(b, 2, 4)
		b = be.AppendUint16(b, s.mss)
	}
	b = append(b, s.payload...)
	// The pseudo header's addresses are the last bytes before the TCP header in both versions.
	addresses := 2 * s.src.Addr().BitLen() / 8
	be.PutUint16(b[tcp+16:], ^fold(sum(uint32(protoTCP+size), b[tcp-addresses:])))
	return b
}

// sum adds up the 16-bit words of b (RFC 1071). b must be shorter than 128 KiB.
func sum(n uint32, b []byte) uint32 {
	for ; len(b) >= 2; b = b[2:] {
		n += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		n += uint32(b[0]) << 8
	}
	return n
}

// fold folds the carries in.
func fold(n uint32) uint16 {
	for n > 0xffff {
		n = n>>16 + n&0xffff
	}
	return uint16(n)
}
