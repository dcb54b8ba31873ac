package ss

import (
	"math"
	"strconv"

	"github.com/sockeye-tools/sockeye/diag"
)

const none = ^uint64(0) // of a pacing rate: not limited

// count appends NAME and a number, unless it is 0.
func count(b []byte, name string, v uint64) []byte {
	if v == 0 {
		return b
	}
	return appendUint(append(b, name...), v)
}

// millis appends NAME and microseconds as milliseconds, unless they are 0.
func millis(b []byte, name string, us uint32) []byte {
	if us == 0 {
		return b
	}
	return appendMillis(append(b, name...), us)
}

// appendTCP appends what TCP tells: tcp_info, MD5 keys, the upper layer protocol.
func (p *Writer) appendTCP(b []byte, s *diag.InetSocket) []byte {
	if i := &p.info; s.TCPInfo(i) {
		if p.opt.Timers || p.opt.Extended {
			b = appendOptions(b, i)
		}
		if name, ok := s.Cong(); ok {
			b = appendASCII(append(b, ' '), name)
		}
		b = p.appendTCPInfo(b, s, i)
	}
	return p.appendULP(p.appendMD5(b, s), s)
}

func appendOptions(b []byte, i *diag.TCPInfo) []byte {
	if i.Options&diag.TCPOptTimestamps != 0 {
		b = append(b, " ts"...)
	}
	if i.Options&diag.TCPOptUsecTS != 0 {
		b = append(b, " usec_ts"...)
	}
	if i.Options&diag.TCPOptSACK != 0 {
		b = append(b, " sack"...)
	}
	if i.Options&diag.TCPOptECN != 0 {
		b = append(b, " ecn"...)
	}
	if i.Options&diag.TCPOptECNSeen != 0 {
		b = append(b, " ecnseen"...)
	}
	if i.Options&diag.TCPOptSynData != 0 {
		b = append(b, " fastopen"...)
	}
	return b
}

func (p *Writer) appendTCPInfo(b []byte, s *diag.InetSocket, i *diag.TCPInfo) []byte {
	if i.Options&diag.TCPOptWScale != 0 {
		b = appendUint(append(b, " wscale:"...), uint64(i.SndWScale()))
		b = appendUint(append(b, ','), uint64(i.RcvWScale()))
	}
	if i.RTO != 3000000 { // what a socket starts with
		b = millis(b, " rto:", i.RTO)
	}
	b = count(b, " backoff:", uint64(i.Backoff))
	rtt := i.RTT
	if rtt != 0 {
		b = millis(b, " rtt:", rtt)
		b = appendMillis(append(b, '/'), i.RTTVar)
	}
	b = millis(b, " ato:", i.ATO)
	b = count(b, " mss:", uint64(i.SndMSS))
	b = count(b, " pmtu:", uint64(i.PMTU))
	b = count(b, " rcvmss:", uint64(i.RcvMSS))
	b = count(b, " advmss:", uint64(i.AdvMSS))
	b = count(b, " cwnd:", uint64(i.SndCwnd))
	if i.SndSSThresh < 0xffff {
		b = count(b, " ssthresh:", uint64(i.SndSSThresh))
	}
	b = count(b, " bytes_sent:", i.BytesSent)
	b = count(b, " bytes_retrans:", i.BytesRetrans)
	b = count(b, " bytes_acked:", i.BytesAcked)
	b = count(b, " bytes_received:", i.BytesReceived)
	b = count(b, " segs_out:", uint64(i.SegsOut))
	b = count(b, " segs_in:", uint64(i.SegsIn))
	b = count(b, " data_segs_out:", uint64(i.DataSegsOut))
	b = count(b, " data_segs_in:", uint64(i.DataSegsIn))
	b = p.appendCong(b, s)
	if v, ok := s.VegasInfo(); ok && v.Enabled && v.RTT != 0 && v.RTT != math.MaxInt32 { // the kernel begins with that
		rtt = v.RTT
	}
	if rtt != 0 && i.SndMSS != 0 && i.SndCwnd != 0 {
		b = p.appendRate(append(b, " send "...), float64(i.SndCwnd)*float64(i.SndMSS)*8e6/float64(rtt))
	}
	b = count(b, " lastsnd:", uint64(i.LastDataSent))
	b = count(b, " lastrcv:", uint64(i.LastDataRecv))
	b = count(b, " lastack:", uint64(i.LastAckRecv))
	if i.PacingRate != 0 && i.PacingRate != none {
		b = p.appendRate(append(b, " pacing_rate "...), float64(i.PacingRate)*8)
		if i.MaxPacingRate != 0 && i.MaxPacingRate != none {
			b = p.appendRate(append(b, '/'), float64(i.MaxPacingRate)*8)
		}
	}
	if i.DeliveryRate != 0 {
		b = p.appendRate(append(b, " delivery_rate "...), float64(i.DeliveryRate)*8)
	}
	b = count(b, " delivered:", uint64(i.Delivered))
	b = count(b, " delivered_ce:", uint64(i.DeliveredCE))
	if i.AppLimited() {
		b = append(b, " app_limited"...)
	}
	if i.BusyTime != 0 {
		b = append(appendUint(append(b, " busy:"...), i.BusyTime/1000), "ms"...)
		b = appendShare(b, " rwnd_limited:", i.RwndLimited, i.BusyTime)
		b = appendShare(b, " sndbuf_limited:", i.SndbufLimited, i.BusyTime)
	}
	b = count(b, " unacked:", uint64(i.Unacked))
	if i.Retrans != 0 || i.TotalRetrans != 0 {
		b = appendUint(append(b, " retrans:"...), uint64(i.Retrans))
		b = appendUint(append(b, '/'), uint64(i.TotalRetrans))
	}
	b = count(b, " lost:", uint64(i.Lost))
	if s.State != diag.Listen { // there it is the limit of the accept queue
		b = count(b, " sacked:", uint64(i.Sacked))
	}
	b = count(b, " dsack_dups:", uint64(i.DSACKDups))
	b = count(b, " fackets:", uint64(i.Fackets))
	if i.Reordering != 3 {
		b = appendUint(append(b, " reordering:"...), uint64(i.Reordering))
	}
	b = count(b, " reord_seen:", uint64(i.ReordSeen))
	b = millis(b, " rcv_rtt:", i.RcvRTT)
	b = count(b, " rcv_space:", uint64(i.RcvSpace))
	b = count(b, " rcv_ssthresh:", uint64(i.RcvSSThresh))
	b = count(b, " notsent:", uint64(i.NotsentBytes))
	if i.MinRTT != math.MaxUint32 {
		b = millis(b, " minrtt:", i.MinRTT)
	}
	b = count(b, " rcv_ooopack:", uint64(i.RcvOOOPack))
	b = count(b, " snd_wnd:", uint64(i.SndWnd))
	b = count(b, " rcv_wnd:", uint64(i.RcvWnd))
	return count(b, " rehash:", uint64(i.Rehash))
}

// appendShare appends a part of the busy time.
func appendShare(b []byte, name string, us, busy uint64) []byte {
	if us == 0 {
		return b
	}
	b = append(appendUint(append(b, name...), us/1000), "ms("...)
	b = strconv.AppendFloat(b, 100*float64(us)/float64(busy), 'f', 1, 64)
	return append(b, "%)"...)
}

// appendCong appends what the congestion control algorithm tells of itself.
func (p *Writer) appendCong(b []byte, s *diag.InetSocket) []byte {
	if d, ok := s.DCTCPInfo(); ok {
		if !d.Enabled {
			b = append(b, " dctcp:fallback_mode"...)
		} else {
			b = appendUint(append(b, " dctcp:(ce_state:"...), uint64(d.CEState))
			b = appendUint(append(b, ",alpha:"...), uint64(d.Alpha))
			b = appendUint(append(b, ",ab_ecn:"...), uint64(d.ABECN))
			b = appendUint(append(b, ",ab_tot:"...), uint64(d.ABTot))
			b = append(b, ')')
		}
	}
	if v, ok := s.BBRInfo(); ok {
		b = p.appendRate(append(b, " bbr:(bw:"...), float64(v.Bandwidth)*8)
		b = appendMillis(append(b, ",mrtt:"...), v.MinRTT)
		if v.PacingGain != 0 {
			b = strconv.AppendFloat(append(b, ",pacing_gain:"...), float64(v.PacingGain)/256, 'g', 6, 64)
		}
		if v.CwndGain != 0 {
			b = strconv.AppendFloat(append(b, ",cwnd_gain:"...), float64(v.CwndGain)/256, 'g', 6, 64)
		}
		b = append(b, ')')
	}
	return b
}

// appendASCII appends a name that the kernel knows from a module, with a question mark for what may not reach a terminal.
func appendASCII(b, name []byte) []byte {
	for _, c := range name {
		if c < ' ' || c >= 0x7f {
			c = '?'
		}
		b = append(b, c)
	}
	return b
}
