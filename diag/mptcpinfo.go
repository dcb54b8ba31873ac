package diag

import (
	"structs"
	"unsafe"
)

// MPTCPInfo is struct mptcp_info of linux/mptcp.h as Linux 6.18 has it (96 bytes). Older kernels send less: Size tells how much.
type MPTCPInfo struct {
	_                  structs.HostLayout
	Subflows           uint8 // beyond the first
	AddAddrSignal      uint8
	AddAddrAccepted    uint8
	SubflowsMax        uint8
	AddAddrSignalMax   uint8
	AddAddrAcceptedMax uint8
	_                  [2]byte
	Flags              uint32 // MPTCPFallback, MPTCPRemoteKey
	Token              uint32
	WriteSeq           uint64
	SndUna             uint64
	RcvNxt             uint64
	LocalAddrUsed      uint8
	LocalAddrMax       uint8
	CsumEnabled        uint8
	_                  byte
	Retransmits        uint32 // segments. 6.5, with those below: padding where Size is 48
	BytesRetrans       uint64
	BytesSent          uint64
	BytesReceived      uint64
	BytesAcked         uint64
	SubflowsTotal      uint8 // 6.7
	EndpLaminarMax     uint8 // 6.18
	EndpFullmeshMax    uint8 // 6.19
	_                  byte
	LastDataSent       uint32 // ms ago. 6.10
	LastDataRecv       uint32 // ms ago. 6.10
	LastAckRecv        uint32 // ms ago. 6.10

	n uint16
}

const sizeofMPTCPInfo = int(unsafe.Offsetof(MPTCPInfo{}.n))

// Bits of MPTCPInfo.Flags (MPTCP_INFO_FLAG_* of linux/mptcp.h).
const (
	MPTCPFallback  = 1 // the connection fell back to TCP
	MPTCPRemoteKey = 2 // the peer's key was received
)

// Size returns how many bytes the kernel sent.
func (m *MPTCPInfo) Size() int { return int(m.n) }

// MPTCPInfo copies an MPTCP socket's mptcp_info to dst and reports whether the kernel sent one. Asked for by ExtInfo.
func (s *InetSocket) MPTCPInfo(dst *MPTCPInfo) bool {
	b, ok := s.Attr(AttrInfo)
	if !ok || s.Protocol != MPTCP {
		return false
	}
	raw := (*[sizeofMPTCPInfo]byte)(unsafe.Pointer(dst))
	n := copy(raw[:], b)
	clear(raw[n:])
	dst.n = uint16(n)
	return true
}
