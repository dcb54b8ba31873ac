package diag

import (
	"structs"
	"unsafe"
)

// TCPInfo is struct tcp_info of linux/tcp.h as Linux 6.18 has it (280 bytes). Older kernels send less of it: Has tells what was
// sent, the rest is 0. Times are in the unit that the kernel uses: microseconds where the comment says us, else milliseconds.
type TCPInfo struct {
	_           structs.HostLayout
	State       uint8 // as State
	CAState     uint8 // 0 open, 1 disorder, 2 cwr, 3 recovery, 4 loss
	Retransmits uint8 // unanswered retransmissions of the oldest segment
	Probes      uint8 // unanswered zero window or keepalive probes
	Backoff     uint8
	Options     uint8 // TCPOpt* bits
	wscale      uint8
	flags       uint8

	RTO    uint32 // us
	ATO    uint32 // us
	SndMSS uint32
	RcvMSS uint32

	Unacked uint32 // segments; in Listen: connections not yet accepted
	Sacked  uint32 // segments; in Listen: limit of the accept queue
	Lost    uint32 // segments
	Retrans uint32 // segments retransmitted and not yet acknowledged
	Fackets uint32 // segments

	LastDataSent uint32 // ms ago
	LastAckSent  uint32 // never filled by the kernel
	LastDataRecv uint32 // ms ago
	LastAckRecv  uint32 // ms ago

	PMTU        uint32 // bytes
	RcvSSThresh uint32 // bytes
	RTT         uint32 // us
	RTTVar      uint32 // us
	SndSSThresh uint32 // segments
	SndCwnd     uint32 // segments
	AdvMSS      uint32 // bytes
	Reordering  uint32 // segments

	RcvRTT   uint32 // us
	RcvSpace uint32 // bytes

	TotalRetrans uint32 // segments

	PacingRate    uint64 // bytes per second; ^0: none
	MaxPacingRate uint64 // bytes per second; ^0: none. 3.15
	BytesAcked    uint64 // RFC 4898 tcpEStatsAppHCThruOctetsAcked. 4.1
	BytesReceived uint64 // RFC 4898 tcpEStatsAppHCThruOctetsReceived. 4.1
	SegsOut       uint32 // RFC 4898 tcpEStatsPerfSegsOut. 4.2
	SegsIn        uint32 // RFC 4898 tcpEStatsPerfSegsIn. 4.2

	NotsentBytes uint32 // 4.6
	MinRTT       uint32 // us; ^0: not measured. 4.6
	DataSegsIn   uint32 // RFC 4898 tcpEStatsDataSegsIn. 4.6
	DataSegsOut  uint32 // RFC 4898 tcpEStatsDataSegsOut. 4.6

	DeliveryRate uint64 // bytes per second. 4.9

	BusyTime      uint64 // us with data to send. 4.10
	RwndLimited   uint64 // us limited by the peer's window. 4.10
	SndbufLimited uint64 // us limited by the send buffer. 4.10

	Delivered   uint32 // segments. 4.18
	DeliveredCE uint32 // segments. 4.18

	BytesSent    uint64 // RFC 4898 tcpEStatsPerfHCDataOctetsOut. 4.19
	BytesRetrans uint64 // RFC 4898 tcpEStatsPerfOctetsRetrans. 4.19
	DSACKDups    uint32 // RFC 4898 tcpEStatsStackDSACKDups. 4.19
	ReordSeen    uint32 // reordering events. 4.19

	RcvOOOPack uint32 // packets received out of order. 5.4
	SndWnd     uint32 // the peer's window, bytes. 5.4

	RcvWnd uint32 // our window, bytes. 6.2
	Rehash uint32 // times that the flow hash was changed. 6.2

	TotalRTO           uint16 // retransmission timeouts, SYN and established. 6.7
	TotalRTORecoveries uint16 // 6.7
	TotalRTOTime       uint32 // ms. 6.7

	ReceivedCE       uint32 // packets marked CE. 6.18, with those below (Accurate ECN)
	DeliveredE1Bytes uint32
	DeliveredE0Bytes uint32
	DeliveredCEBytes uint32
	ReceivedE1Bytes  uint32
	ReceivedE0Bytes  uint32
	ReceivedCEBytes  uint32
	// The modes of Accurate ECN: two numbers in Linux 6.18, bit fields of the same size in 7.2, and nothing in the message tells which.
	_ [4]byte

	n uint16 // bytes that the kernel sent
}

const sizeofTCPInfo = int(unsafe.Offsetof(TCPInfo{}.n))

// Bits of TCPInfo.Options (TCPI_OPT_* of linux/tcp.h).
const (
	TCPOptTimestamps = 1
	TCPOptSACK       = 2
	TCPOptWScale     = 4
	TCPOptECN        = 8
	TCPOptECNSeen    = 16
	TCPOptSynData    = 32  // the SYN-ACK acknowledged data in the SYN
	TCPOptUsecTS     = 64  // timestamps in microseconds. 6.7
	TCPOptTFOChild   = 128 // came from a Fast Open listener. 6.16
)

// TCPInfo copies the socket's tcp_info to dst and reports whether the kernel sent one. Asked for by ExtInfo; sockets in
// TimeWait and SynRecv have none.
func (s *InetSocket) TCPInfo(dst *TCPInfo) bool {
	b, ok := s.Attr(AttrInfo)
	if !ok || s.Protocol != TCP {
		return false
	}
	dst.set(b)
	return true
}

func (t *TCPInfo) set(b []byte) {
	raw := (*[sizeofTCPInfo]byte)(unsafe.Pointer(t))
	n := copy(raw[:], b)
	clear(raw[n:])
	t.n = uint16(n)
}

// Has reports whether the kernel sent a field of t, given by its address: Has(&info, &info.RcvWnd).
func Has[T uint8 | uint16 | uint32 | uint64](t *TCPInfo, field *T) bool {
	end := uintptr(unsafe.Pointer(field)) + unsafe.Sizeof(*field) - uintptr(unsafe.Pointer(t))
	return end <= uintptr(t.n)
}

// SndWScale returns the window scale of the peer's window (tcpi_snd_wscale): the shift that the peer announced.
func (t *TCPInfo) SndWScale() uint8 {
	if bigEndian {
		return t.wscale >> 4
	}
	return t.wscale & 15
}

// RcvWScale returns the window scale of our window (tcpi_rcv_wscale).
func (t *TCPInfo) RcvWScale() uint8 {
	if bigEndian {
		return t.wscale & 15
	}
	return t.wscale >> 4
}

// AppLimited reports whether DeliveryRate was limited by the application (tcpi_delivery_rate_app_limited). 4.9
func (t *TCPInfo) AppLimited() bool {
	if bigEndian {
		return t.flags>>7 != 0
	}
	return t.flags&1 != 0
}

// FastOpenClientFail returns why Fast Open failed: 0 unknown or did not, 1 no cookie, 2 data not acknowledged, 3 SYN
// retransmitted (enum tcp_fastopen_client_fail). 5.5
func (t *TCPInfo) FastOpenClientFail() uint8 {
	if bigEndian {
		return t.flags >> 5 & 3
	}
	return t.flags >> 1 & 3
}

// bigEndian: C bit fields start at the top of the byte there.
var bigEndian = func() bool {
	x := uint16(1)
	return *(*byte)(unsafe.Pointer(&x)) == 0
}()
