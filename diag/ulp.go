package diag

import "encoding/binary"

// Nested attributes of INET_DIAG_ULP_INFO (INET_ULP_INFO_* of linux/inet_diag.h, TLS_INFO_* of linux/tls.h,
// MPTCP_SUBFLOW_ATTR_* of linux/mptcp.h).
const (
	ulpName  = 1
	ulpTLS   = 2
	ulpMPTCP = 3

	tlsVersion  = 1
	tlsCipher   = 2
	tlsTxConf   = 3
	tlsRxConf   = 4
	tlsZCROTx   = 5
	tlsRxNoPad  = 6
	subTokenRem = 1
	subTokenLoc = 2
	subRelSeq   = 3
	subMapSeq   = 4
	subMapSFSeq = 5
	subSSNOff   = 6
	subMapLen   = 7
	subFlags    = 8
	subIDRem    = 9
	subIDLoc    = 10
)

// ULP is the upper layer protocol on a TCP socket (INET_DIAG_ULP_INFO). Linux 5.5.
type ULP struct {
	Name  []byte // such as "tls", "mptcp", "espintcp", "smc"; borrowed
	TLS   TLSInfo
	MPTCP SubflowInfo
	// HasTLS and HasMPTCP: the kernel sent the nested block.
	HasTLS, HasMPTCP bool
}

// TLSInfo is what kernel TLS tells (linux/tls.h). Fields are 0 where the kernel did not send them.
type TLSInfo struct {
	Version uint16 // 0x0303 is TLS 1.2, 0x0304 is TLS 1.3
	Cipher  uint16 // TLS_CIPHER_*
	TxConf  uint16 // TLSConf*
	RxConf  uint16 // TLSConf*
	ZCROTx  bool   // zero-copy sendfile. 6.0
	NoPadRx bool   // the peer is expected not to pad. 6.0
}

// Values of TLSInfo.TxConf and RxConf (TLS_CONF_* of linux/tls.h).
const (
	TLSConfBase     = 1
	TLSConfSW       = 2
	TLSConfHW       = 3
	TLSConfHWRecord = 4
)

// SubflowInfo is what MPTCP tells of a subflow (MPTCP_SUBFLOW_ATTR_* of linux/mptcp.h). Linux 5.6.
type SubflowInfo struct {
	Flags                   uint32 // MPTCP_SUBFLOW_FLAG_*
	TokenRemote, TokenLocal uint32 // of the connection; TokenRemote is 0 in the first subflow
	IDRemote, IDLocal       uint8
	MapSeq                  uint64
	MapSubflowSeq           uint32
	SSNOffset               uint32
	RelWriteSeq             uint32
	MapDataLen              uint16

	have uint16 // bit 1<<attribute
}

// HasMapSeq and its like report which attributes the kernel sent.
func (m *SubflowInfo) HasMapSeq() bool        { return m.have&(1<<subMapSeq) != 0 }
func (m *SubflowInfo) HasMapSubflowSeq() bool { return m.have&(1<<subMapSFSeq) != 0 }
func (m *SubflowInfo) HasSSNOffset() bool     { return m.have&(1<<subSSNOff) != 0 }
func (m *SubflowInfo) HasMapDataLen() bool    { return m.have&(1<<subMapLen) != 0 }
func (m *SubflowInfo) HasRelWriteSeq() bool   { return m.have&(1<<subRelSeq) != 0 }
func (m *SubflowInfo) HasFlags() bool         { return m.have&(1<<subFlags) != 0 }
func (m *SubflowInfo) HasTokens() bool        { return m.have&(1<<subTokenRem|1<<subTokenLoc) != 0 }
func (m *SubflowInfo) HasIDs() bool           { return m.have&(1<<subIDRem|1<<subIDLoc) != 0 }

// ULP decodes the socket's upper layer protocol into dst and reports whether the kernel told of one. Asked for by
// ExtInfo. Before Linux 6.15 it comes only to who has CAP_NET_ADMIN; since then to all, but for the sequence numbers of MPTCP.
func (s *InetSocket) ULP(dst *ULP) bool {
	b, ok := s.Attr(AttrULPInfo)
	if !ok {
		return false
	}
	*dst = ULP{}
	for typ, v := range attrs(b) {
		switch typ {
		case ulpName:
			dst.Name = cstring(v)
		case ulpTLS:
			dst.HasTLS = true
			dst.TLS.decode(v)
		case ulpMPTCP:
			dst.HasMPTCP = true
			dst.MPTCP.decode(v)
		}
	}
	return true
}

func (t *TLSInfo) decode(b []byte) {
	for typ, v := range attrs(b) {
		switch typ {
		case tlsVersion:
			t.Version, _ = num16(v)
		case tlsCipher:
			t.Cipher, _ = num16(v)
		case tlsTxConf:
			t.TxConf, _ = num16(v)
		case tlsRxConf:
			t.RxConf, _ = num16(v)
		case tlsZCROTx:
			t.ZCROTx = true
		case tlsRxNoPad:
			t.NoPadRx = true
		}
	}
}

func (m *SubflowInfo) decode(b []byte) {
	for typ, v := range attrs(b) {
		ok := false
		switch typ {
		case subTokenRem:
			m.TokenRemote, ok = num32(v)
		case subTokenLoc:
			m.TokenLocal, ok = num32(v)
		case subRelSeq:
			m.RelWriteSeq, ok = num32(v)
		case subMapSeq:
			m.MapSeq, ok = num64(v)
		case subMapSFSeq:
			m.MapSubflowSeq, ok = num32(v)
		case subSSNOff:
			m.SSNOffset, ok = num32(v)
		case subMapLen:
			m.MapDataLen, ok = num16(v)
		case subFlags:
			m.Flags, ok = num32(v)
		case subIDRem:
			m.IDRemote, ok = num8(v)
		case subIDLoc:
			m.IDLocal, ok = num8(v)
		}
		if ok {
			m.have |= 1 << typ
		}
	}
}

// attrs walks nested attributes; a broken one ends the walk.
func attrs(b []byte) func(yield func(uint16, []byte) bool) {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= sizeofNlAttr {
			n := int(binary.NativeEndian.Uint16(b))
			if n < sizeofNlAttr || n > len(b) {
				return
			}
			if !yield(binary.NativeEndian.Uint16(b[2:])&nlaTypeMask, b[sizeofNlAttr:n]) {
				return
			}
			b = b[min((n+3)&^3, len(b)):]
		}
	}
}

// num8 and its like read a number, and report whether it is there.
func num8(b []byte) (uint8, bool) {
	if len(b) < 1 {
		return 0, false
	}
	return b[0], true
}

func num16(b []byte) (uint16, bool) {
	if len(b) < 2 {
		return 0, false
	}
	return binary.NativeEndian.Uint16(b), true
}

func num32(b []byte) (uint32, bool) {
	if len(b) < 4 {
		return 0, false
	}
	return binary.NativeEndian.Uint32(b), true
}

func num64(b []byte) (uint64, bool) {
	if len(b) < 8 {
		return 0, false
	}
	return binary.NativeEndian.Uint64(b), true
}
