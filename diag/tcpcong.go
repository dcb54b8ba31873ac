package diag

import "encoding/binary"

// VegasInfo is struct tcpvegas_info of linux/inet_diag.h: what TCP Vegas, and algorithms built on it, tell.
type VegasInfo struct {
	Enabled bool
	RTTCnt  uint32 // samples in the current window
	RTT     uint32 // us
	MinRTT  uint32 // us
}

// VegasInfo returns the socket's tcpvegas_info. Asked for by ExtVegasInfo.
func (s *InetSocket) VegasInfo() (v VegasInfo, ok bool) {
	b, ok := s.Attr(AttrVegasInfo)
	if !ok || len(b) < 16 {
		return v, false
	}
	ne := binary.NativeEndian
	return VegasInfo{ne.Uint32(b) != 0, ne.Uint32(b[4:]), ne.Uint32(b[8:]), ne.Uint32(b[12:])}, true
}

// DCTCPInfo is struct tcp_dctcp_info of linux/inet_diag.h. Linux 3.18.
type DCTCPInfo struct {
	Enabled bool // false: the peer does not speak ECN, and DCTCP behaves as Reno
	CEState uint16
	Alpha   uint32 // marked fraction, 0 to 1024
	ABECN   uint32 // bytes acknowledged with ECN echo in the window
	ABTot   uint32 // bytes acknowledged in the window
}

// DCTCPInfo returns the socket's tcp_dctcp_info. Asked for by ExtVegasInfo.
func (s *InetSocket) DCTCPInfo() (d DCTCPInfo, ok bool) {
	b, ok := s.Attr(AttrDCTCPInfo)
	if !ok || len(b) < 16 {
		return d, false
	}
	ne := binary.NativeEndian
	return DCTCPInfo{ne.Uint16(b) != 0, ne.Uint16(b[2:]), ne.Uint32(b[4:]), ne.Uint32(b[8:]), ne.Uint32(b[12:])}, true
}

// BBRInfo is struct tcp_bbr_info of linux/inet_diag.h. Linux 4.9.
type BBRInfo struct {
	Bandwidth  uint64 // bytes per second
	MinRTT     uint32 // us
	PacingGain uint32 // in 1/256
	CwndGain   uint32 // in 1/256
}

// BBRInfo returns the socket's tcp_bbr_info. Asked for by ExtVegasInfo.
func (s *InetSocket) BBRInfo() (v BBRInfo, ok bool) {
	b, ok := s.Attr(AttrBBRInfo)
	if !ok || len(b) < 20 {
		return v, false
	}
	ne := binary.NativeEndian
	return BBRInfo{
		Bandwidth:  uint64(ne.Uint32(b[4:]))<<32 | uint64(ne.Uint32(b)),
		MinRTT:     ne.Uint32(b[8:]),
		PacingGain: ne.Uint32(b[12:]),
		CwndGain:   ne.Uint32(b[16:]),
	}, true
}
