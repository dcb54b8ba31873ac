package diag

import (
	"encoding/binary"
	"iter"
	"net/netip"
	"strconv"
	"structs"
	"unsafe"
)

// SCTPInfo is struct sctp_info of linux/sctp.h (368 bytes). Older kernels send less: Size tells how much.
type SCTPInfo struct {
	_                  structs.HostLayout
	Tag                uint32
	State              uint32
	RWnd               uint32
	UnackData          uint16
	PendData           uint16
	InStrms            uint16
	OutStrms           uint16
	FragmentationPoint uint32
	InQueue            uint32
	OutQueue           uint32
	OverallError       uint32
	MaxBurst           uint32
	MaxSeg             uint32
	PeerRWnd           uint32
	PeerTag            uint32
	PeerCapable        uint8
	PeerSACK           uint8
	_                  uint16

	ISacks      uint64
	OSacks      uint64
	OPackets    uint64
	IPackets    uint64
	RtxChunks   uint64
	OutOfSeqTSN uint64
	IDupChunks  uint64
	GapCnt      uint64
	OUODChunks  uint64
	IUODChunks  uint64
	OODChunks   uint64
	IODChunks   uint64
	OCtrlChunks uint64
	ICtrlChunks uint64

	PrimaryAddr              [128]byte // struct sockaddr_storage
	PrimaryState             int32
	PrimaryCwnd              uint32
	PrimarySRTT              uint32 // ms
	PrimaryRTO               uint32 // ms
	PrimaryHBInterval        uint32 // ms
	PrimaryPathMaxRxt        uint32
	PrimarySackDelay         uint32 // ms
	PrimarySackFreq          uint32
	PrimarySSThresh          uint32
	PrimaryPartialBytesAcked uint32
	PrimaryFlightSize        uint32
	PrimaryError             uint16
	_                        uint16

	SockAutoclose    uint32
	SockAdaptInd     uint32
	SockPDPoint      uint32
	SockNoDelay      uint8
	SockDisableFrags uint8
	SockV4Mapped     uint8
	SockFragInterlv  uint8
	SockType         uint32
	_                uint32

	n uint16
}

const sizeofSCTPInfo = int(unsafe.Offsetof(SCTPInfo{}.n))

// Size returns how many bytes the kernel sent.
func (i *SCTPInfo) Size() int { return int(i.n) }

// SCTPInfo copies an SCTP socket's sctp_info to dst and reports whether the kernel sent one. Asked for by ExtInfo.
func (s *InetSocket) SCTPInfo(dst *SCTPInfo) bool {
	b, ok := s.Attr(AttrInfo)
	if !ok || s.Protocol != SCTP {
		return false
	}
	raw := (*[sizeofSCTPInfo]byte)(unsafe.Pointer(dst))
	n := copy(raw[:], b)
	clear(raw[n:])
	dst.n = uint16(n)
	return true
}

// AssocState is the state of an SCTP association (enum sctp_state of the kernel's net/sctp/constants.h).
type AssocState uint8

// The states of an association (RFC 9260, section 4).
const (
	AssocClosed           AssocState = 0
	AssocCookieWait       AssocState = 1
	AssocCookieEchoed     AssocState = 2
	AssocEstablished      AssocState = 3
	AssocShutdownPending  AssocState = 4
	AssocShutdownSent     AssocState = 5
	AssocShutdownReceived AssocState = 6
	AssocShutdownAckSent  AssocState = 7
)

var assocStateNames = [...]string{
	"CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED", "SHUTDOWN_PENDING", "SHUTDOWN_SENT", "SHUTDOWN_RECEIVED", "SHUTDOWN_ACK_SENT",
}

// String returns the kernel's name of the state without its SCTP_STATE_ prefix, such as "COOKIE_WAIT".
func (s AssocState) String() string {
	if int(s) < len(assocStateNames) {
		return assocStateNames[s]
	}
	return "STATE_" + strconv.Itoa(int(s))
}

// Association reports whether the row of an SCTP socket is one of its associations, and its state. The kernel sends a row for the
// endpoint, whose State is one of TCP's, and behind it one with the same inode for each association, whose State is no state of
// TCP: it is the number that Association returns. Linux 4.7.
func (s *InetSocket) Association() (AssocState, bool) {
	if _, ok := s.Attr(AttrPeers); !ok || s.Protocol != SCTP { // an endpoint has none
		return 0, false
	}
	return AssocState(s.State), true
}

// Locals returns the local addresses of an SCTP endpoint or association (INET_DIAG_LOCALS). Linux 4.7.
func (s *InetSocket) Locals() iter.Seq[netip.AddrPort] { return s.sockaddrs(AttrLocals) }

// Peers returns the peer's addresses of an SCTP association (INET_DIAG_PEERS). Linux 4.7.
func (s *InetSocket) Peers() iter.Seq[netip.AddrPort] { return s.sockaddrs(AttrPeers) }

// sockaddrs walks an array of struct sockaddr_storage.
func (s *InetSocket) sockaddrs(a Attr) iter.Seq[netip.AddrPort] {
	const size = 128
	return func(yield func(netip.AddrPort) bool) {
		b, _ := s.Attr(a)
		for ; len(b) >= size; b = b[size:] {
			port := binary.BigEndian.Uint16(b[2:])
			var addr netip.Addr
			switch Family(binary.NativeEndian.Uint16(b)) {
			case IPv4:
				addr = netip.AddrFrom4([4]byte(b[4:]))
			case IPv6:
				addr = netip.AddrFrom16([16]byte(b[8:]))
			default:
				continue
			}
			if !yield(netip.AddrPortFrom(addr, port)) {
				return
			}
		}
	}
}
