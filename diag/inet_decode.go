package diag

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"
)

// decode fills s from the payload of one SOCK_DIAG_BY_FAMILY message, which s borrows. Attributes that this package does not
// know are skipped; the first one whose length is wrong ends the walk, and is reported.
func (s *InetSocket) decode(b []byte, proto Protocol) error {
	if len(b) < sizeofInetDiagMsg {
		return &MessageError{What: "inet_diag_msg", Len: len(b), Want: sizeofInetDiagMsg}
	}
	ne, be := binary.NativeEndian, binary.BigEndian
	s.Family = Family(b[offFamily])
	s.Protocol = proto
	s.State = State(b[offState])
	s.Timer = Timer(b[offTimer])
	s.Retrans = b[offRetrans]
	sport, dport := be.Uint16(b[offSport:]), be.Uint16(b[offDport:])
	if s.Family == IPv4 {
		s.Local = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[offSrc:])), sport)
		s.Remote = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[offDst:])), dport)
	} else {
		s.Local = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[offSrc:])), sport)
		s.Remote = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[offDst:])), dport)
	}
	s.Interface = ne.Uint32(b[offIf:])
	s.Cookie = uint64(ne.Uint32(b[offCookie+4:]))<<32 | uint64(ne.Uint32(b[offCookie:]))
	s.Expires = time.Duration(ne.Uint32(b[offExpires:])) * time.Millisecond
	s.RQueue = ne.Uint32(b[offRqueue:])
	s.WQueue = ne.Uint32(b[offWqueue:])
	s.UID = ne.Uint32(b[offUID:])
	s.Inode = ne.Uint32(b[offInode:])
	s.Source = FromNetlink
	return s.attributes(b[sizeofInetDiagMsg:])
}

// attributes indexes the attributes in b.
func (s *InetSocket) attributes(b []byte) (err error) {
	s.msg = b
	s.have, err = indexAttrs(b, s.pos[:])
	return err
}

// ParseInet decodes the payload of one message of a dump: struct inet_diag_msg and the attributes behind it. The socket borrows
// b. It is for programs that have recorded a dump.
func ParseInet(b []byte, p Protocol) (*InetSocket, error) {
	if len(b) > math.MaxUint16 { // no dump has them; spans count to here
		return nil, &MessageError{What: "inet_diag_msg", Len: len(b), Want: math.MaxUint16}
	}
	s := &InetSocket{}
	if err := s.decode(b, p); err != nil {
		return nil, err
	}
	return s, nil
}
