package ss

import (
	"github.com/sockeye-tools/sockeye/diag"
)

// appendMD5 appends the keys of TCP_MD5SIG.
func (p *Writer) appendMD5(b []byte, s *diag.InetSocket) []byte {
	first := true
	for k := range s.MD5Sigs() {
		if first {
			b = append(b, " md5keys:"...)
		} else {
			b = append(b, ',')
		}
		first = false
		b = p.appendHost(b, k.Prefix.Addr())
		b = append(appendUint(append(b, '/'), uint64(k.Prefix.Bits())), '=')
		for _, c := range k.Key {
			if c <= ' ' || c >= 0x7f || c == ',' || c == '\\' {
				b = append(b, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
			} else {
				b = append(b, c)
			}
		}
	}
	return b
}

// appendULP appends the upper layer protocol on a TCP socket.
func (p *Writer) appendULP(b []byte, s *diag.InetSocket) []byte {
	u := &p.ulp
	if !s.ULP(u) {
		return b
	}
	if u.Name != nil {
		b = appendASCII(append(b, " tcp-ulp-"...), u.Name)
	}
	if u.HasTLS {
		b = appendTLS(b, &u.TLS)
	}
	if u.HasMPTCP {
		b = appendSubflow(b, &u.MPTCP)
	}
	return b
}

// TLS_CIPHER_* of linux/tls.h. ss names no others.
const (
	cipherAESGCM128 = 51
	cipherAESGCM256 = 52
)

func appendTLS(b []byte, t *diag.TLSInfo) []byte {
	switch t.Version {
	case 0:
	case 0x303:
		b = append(b, " version: 1.2"...)
	case 0x304:
		b = append(b, " version: 1.3"...)
	default:
		b = append(appendUint(append(b, " version: unknown("...), uint64(t.Version)), ')')
	}
	switch t.Cipher {
	case cipherAESGCM128:
		b = append(b, " cipher: aes-gcm-128"...)
	case cipherAESGCM256:
		b = append(b, " cipher: aes-gcm-256"...)
	}
	b = appendTLSConf(b, " rxconf: ", t.RxConf)
	b = appendTLSConf(b, " txconf: ", t.TxConf)
	if t.ZCROTx {
		b = append(b, " zc_ro_tx"...)
	}
	if t.NoPadRx {
		b = append(b, " no_pad_rx"...)
	}
	return b
}

func appendTLSConf(b []byte, name string, conf uint16) []byte {
	if conf == 0 {
		return b
	}
	b = append(b, name...)
	switch conf {
	case diag.TLSConfBase:
		return append(b, "none"...)
	case diag.TLSConfSW:
		return append(b, "sw"...)
	case diag.TLSConfHW:
		return append(b, "hw"...)
	case diag.TLSConfHWRecord:
		return append(b, "hw-record"...)
	}
	return append(appendUint(append(b, "unknown("...), uint64(conf)), ')')
}

// subflowFlags are letters for MPTCP_SUBFLOW_FLAG_* of linux/mptcp.h, from bit 0 on.
const subflowFlags = "MmJjBbecv"

func appendSubflow(b []byte, m *diag.SubflowInfo) []byte {
	if m.Flags != 0 {
		b = append(b, " flags:"...)
		for i, c := range []byte(subflowFlags) {
			if m.Flags&(1<<i) != 0 {
				b = append(b, c)
			}
		}
	}
	if m.HasTokens() && m.HasIDs() {
		b = appendHex4(append(b, " token:"...), m.TokenRemote)
		b = appendUint(append(b, "(id:"...), uint64(m.IDRemote))
		b = appendHex4(append(b, ")/"...), m.TokenLocal)
		b = appendUint(append(b, "(id:"...), uint64(m.IDLocal))
		b = append(b, ')')
	}
	if m.HasMapSeq() {
		b = appendUint(append(b, " seq:"...), m.MapSeq)
	}
	if m.HasMapSubflowSeq() {
		b = appendUint(append(b, " sfseq:"...), uint64(m.MapSubflowSeq))
	}
	if m.HasSSNOffset() {
		b = appendUint(append(b, " ssnoff:"...), uint64(m.SSNOffset))
	}
	if m.HasMapDataLen() {
		b = appendUint(append(b, " maplen:"...), uint64(m.MapDataLen))
	}
	return b
}
