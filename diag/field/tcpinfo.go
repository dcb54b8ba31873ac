package field

import (
	"encoding/binary"
	"math"
	"strings"
	"unsafe"

	"github.com/sockeye-tools/sockeye/diag"
)

// info is the struct that offsets are taken of.
var info diag.TCPInfo

// infinite is TCP_INFINITE_SSTHRESH of include/net/tcp.h.
const infinite = 0x7fffffff

// tcpFields are those of tcp_info. A listener has none: the kernel fills in its queue alone, and that is accept_q.
func tcpFields() []*Field {
	f := []*Field{
		num("rtt", &info.RTT, Microseconds, "", "smoothed round trip time").zero(),
		num("rttvar", &info.RTTVar, Microseconds, "", "its mean deviation").zero(),
		num("min_rtt", &info.MinRTT, Microseconds, "4.6", "least round trip time of the last minutes", "minrtt").sentinel(math.MaxUint32).zero(),
		num("rcv_rtt", &info.RcvRTT, Microseconds, "", "round trip time as the receiver estimates it").zero(),
		num("rto", &info.RTO, Microseconds, "", "retransmission timeout").zero(),
		num("ato", &info.ATO, Microseconds, "", "delayed acknowledgement timeout").zero(),
		num("cwnd", &info.SndCwnd, Segments, "", "congestion window", "snd_cwnd"),
		num("ssthresh", &info.SndSSThresh, Segments, "", "slow start threshold; absent while there is none", "snd_ssthresh").sentinel(infinite),
		num("mss", &info.SndMSS, Bytes, "", "largest segment that is sent", "snd_mss"),
		num("rcv_mss", &info.RcvMSS, Bytes, "", "largest segment that is received, as estimated", "rcvmss"),
		num("advmss", &info.AdvMSS, Bytes, "", "largest segment that was advertised"),
		num("pmtu", &info.PMTU, Bytes, "", "path MTU").zero(),
		num("unacked", &info.Unacked, Segments, "", "sent and not acknowledged"),
		num("sacked", &info.Sacked, Segments, "", "acknowledged out of order"),
		num("lost", &info.Lost, Segments, "", "taken for lost, and not yet acknowledged"),
		num("retrans", &info.Retrans, Segments, "", "retransmitted, and not yet acknowledged"),
		num("retrans_total", &info.TotalRetrans, Segments, "", "retransmitted over the connection's life", "total_retrans"),
		num("backoff", &info.Backoff, None, "", "how often the retransmission timeout was doubled"),
		num("probes", &info.Probes, None, "", "window or keepalive probes without an answer"),
		num("ca_state", &info.CAState, None, "", "congestion control: 0 open, 1 disorder, 2 cwr, 3 recovery, 4 loss"),
		num("reordering", &info.Reordering, Segments, "", "how far segments are taken to overtake each other"),
		num("reord_seen", &info.ReordSeen, None, "4.19", "times that reordering was seen"),
		num("dsack_dups", &info.DSACKDups, Segments, "4.19", "retransmitted needlessly, as DSACK told"),
		num("bytes_sent", &info.BytesSent, Bytes, "4.19", "sent, retransmissions included"),
		num("bytes_acked", &info.BytesAcked, Bytes, "4.1", "sent and acknowledged"),
		num("bytes_received", &info.BytesReceived, Bytes, "4.1", "received in order"),
		num("bytes_retrans", &info.BytesRetrans, Bytes, "4.19", "retransmitted"),
		num("notsent", &info.NotsentBytes, Bytes, "4.6", "in the send queue and not sent yet", "unsent"),
		num("segs_out", &info.SegsOut, Segments, "4.2", "sent"),
		num("segs_in", &info.SegsIn, Segments, "4.2", "received"),
		num("data_segs_out", &info.DataSegsOut, Segments, "4.6", "sent with data"),
		num("data_segs_in", &info.DataSegsIn, Segments, "4.6", "received with data"),
		num("delivered", &info.Delivered, Segments, "4.18", "delivered"),
		num("delivered_ce", &info.DeliveredCE, Segments, "4.18", "delivered with a congestion mark"),
		num("rcv_ooo", &info.RcvOOOPack, Packets, "5.4", "received out of order", "rcv_ooopack"),
		num("delivery_rate", &info.DeliveryRate, BytesPerSecond, "4.9", "at which data was delivered lately").zero(),
		num("pacing_rate", &info.PacingRate, BytesPerSecond, "3.15", "at which data is let out; absent while it is not paced").sentinel(math.MaxUint64).zero(),
		num("max_pacing_rate", &info.MaxPacingRate, BytesPerSecond, "3.15", "its limit (SO_MAX_PACING_RATE); absent while there is none").sentinel(math.MaxUint64),
		num("busy", &info.BusyTime, Microseconds, "4.10", "time with data to send"),
		num("rwnd_limited", &info.RwndLimited, Microseconds, "4.10", "time held up by the peer's window"),
		num("sndbuf_limited", &info.SndbufLimited, Microseconds, "4.10", "time held up by the send buffer"),
		num("last_send", &info.LastDataSent, Milliseconds, "", "since data was sent last", "lastsnd", "last_snd").connected(),
		num("last_recv", &info.LastDataRecv, Milliseconds, "", "since data was received last", "lastrcv", "last_rcv").connected(),
		num("last_ack", &info.LastAckRecv, Milliseconds, "", "since an acknowledgement was received last", "lastack").connected(),
		num("snd_wnd", &info.SndWnd, Bytes, "5.4", "the peer's window"),
		num("rcv_wnd", &info.RcvWnd, Bytes, "6.2", "our window"),
		num("rcv_space", &info.RcvSpace, Bytes, "", "what the receive buffer is tuned for"),
		num("rcv_ssthresh", &info.RcvSSThresh, Bytes, "", "limit of our window"),
		num("rehash", &info.Rehash, None, "6.2", "times that the flow hash was changed to find another path"),
		num("total_rto", &info.TotalRTO, None, "6.7", "retransmission timeouts"),
		num("total_rto_recoveries", &info.TotalRTORecoveries, None, "6.7", "recoveries from a retransmission timeout"),
		num("total_rto_time", &info.TotalRTOTime, Milliseconds, "6.7", "time spent in such recoveries"),
		{Name: "idle", Kind: Number, Unit: Milliseconds, Doc: "since data was sent or received last, whichever is later", number: idle},
		option("timestamps", diag.TCPOptTimestamps, "TCP timestamps are in use", "ts"),
		option("sack", diag.TCPOptSACK, "selective acknowledgement is in use"),
		option("wscale", diag.TCPOptWScale, "window scaling is in use"),
		option("ecn", diag.TCPOptECN, "explicit congestion notification was agreed on"),
		option("ecn_seen", diag.TCPOptECNSeen, "a packet with an ECN mark was received", "ecnseen"),
		option("fastopen", diag.TCPOptSynData, "data went with the SYN and was accepted"),
		{Name: "app_limited", Kind: Flag, Since: "4.9", Doc: "delivery_rate was limited by the application",
			number: func(_ *Context, s *diag.InetSocket) (uint64, bool) {
				b, ok := tcpInfo(s)
				if !ok || len(b) < int(unsafe.Offsetof(info.DeliveryRate)+unsafe.Sizeof(info.DeliveryRate)) || s.State != diag.Established { // came with it
					return 0, false
				}
				var t diag.TCPInfo
				return flag(s.TCPInfo(&t) && t.AppLimited()), true
			}},
	}
	for _, f := range f {
		f.Group, f.Ext, f.Where = TCP, diag.ExtInfo, Here
		f.key()
	}
	return append(f, &Field{Name: "cong", Key: "cong", Aliases: []string{"congestion", "ca"}, Group: TCP, Ext: diag.ExtCong, Where: Here, Kind: Text,
		Doc: "congestion control algorithm",
		word: func(_ *Context, s *diag.InetSocket) (string, bool) {
			name, ok := s.Cong()
			return unsafe.String(unsafe.SliceData(name), len(name)), ok && len(name) > 0
		}})
}

// key makes the name that programs see.
func (f *Field) key() {
	f.Key = f.Name
	switch f.Unit {
	case None:
	case Bytes:
		if !strings.HasPrefix(f.Name, "bytes_") {
			f.Key += "_bytes"
		}
	case BytesPerSecond:
		f.Key += "_bytes_per_second"
	case PerSecond:
		f.Key += "_per_second"
	default:
		f.Key += "_" + f.Unit.String()
	}
}

// tcpInfo returns the bytes of tcp_info, where they say anything.
func tcpInfo(s *diag.InetSocket) ([]byte, bool) {
	if s.Protocol != diag.TCP || s.State == diag.Listen || s.State == diag.Close {
		return nil, false
	}
	return s.Attr(diag.AttrInfo)
}

// num is a number at the place of a member of tcp_info.
func num[T uint8 | uint16 | uint32 | uint64](name string, member *T, u Unit, since, doc string, aliases ...string) *Field {
	off := int(uintptr(unsafe.Pointer(member)) - uintptr(unsafe.Pointer(&info)))
	size := int(unsafe.Sizeof(*member))
	end := off + size
	f := &Field{Name: name, Aliases: aliases, Kind: Number, Unit: u, Since: since, Doc: doc}
	f.number = func(_ *Context, s *diag.InetSocket) (uint64, bool) {
		b, ok := tcpInfo(s)
		if !ok || len(b) < end {
			return 0, false
		}
		switch size {
		case 1:
			return uint64(b[off]), true
		case 2:
			return uint64(binary.NativeEndian.Uint16(b[off:])), true
		case 4:
			return uint64(binary.NativeEndian.Uint32(b[off:])), true
		}
		return binary.NativeEndian.Uint64(b[off:]), true
	}
	return f
}

// connected: counted from boot until the peer has answered.
func (f *Field) connected() *Field {
	read := f.number
	f.number = func(c *Context, s *diag.InetSocket) (uint64, bool) {
		if s.State == diag.SynSent {
			return 0, false
		}
		return read(c, s)
	}
	return f
}

// zero: 0 means that it was not measured.
func (f *Field) zero() *Field { return f.sentinel(0) }

// sentinel: v means that there is none.
func (f *Field) sentinel(v uint64) *Field {
	read := f.number
	f.number = func(c *Context, s *diag.InetSocket) (uint64, bool) {
		n, ok := read(c, s)
		return n, ok && n != v
	}
	return f
}

func option(name string, bit uint8, doc string, aliases ...string) *Field {
	off := int(unsafe.Offsetof(info.Options))
	return &Field{Name: name, Aliases: aliases, Kind: Flag, Doc: doc, number: func(_ *Context, s *diag.InetSocket) (uint64, bool) {
		b, ok := tcpInfo(s)
		if !ok || len(b) <= off || s.State == diag.SynSent {
			return 0, false
		}
		return flag(b[off]&bit != 0), true
	}}
}

func idle(_ *Context, s *diag.InetSocket) (uint64, bool) {
	b, ok := tcpInfo(s)
	sent, rcvd := int(unsafe.Offsetof(info.LastDataSent)), int(unsafe.Offsetof(info.LastDataRecv))
	if !ok || len(b) < rcvd+4 || s.State == diag.SynSent {
		return 0, false
	}
	return uint64(min(binary.NativeEndian.Uint32(b[sent:]), binary.NativeEndian.Uint32(b[rcvd:]))), true
}

func flag(v bool) uint64 {
	if v {
		return 1
	}
	return 0
}
