package netstat

import (
	"strconv"
	"time"

	"github.com/sockeye-tools/sockeye/diag"
)

// appendTimer appends KIND (SECONDS/RETRANSMISSIONS/PROBES), and nothing for SCTP. The seconds are cut to hundredths, the unit of
// /proc/net/tcp.
func (t *Table) appendTimer(dst []byte, s *diag.InetSocket) []byte {
	if s.Protocol == diag.SCTP {
		return dst
	}
	kind, tcp := s.Timer, s.Protocol == diag.TCP
	if tcp && kind == diag.TimerDelack {
		kind = diag.TimerOff // /proc/net/tcp does not tell of it
	}
	switch {
	case kind == diag.TimerOff:
		dst = append(dst, "off"...)
	case tcp && kind == diag.TimerOn:
		dst = append(dst, "on"...)
	case tcp && kind == diag.TimerKeepalive:
		dst = append(dst, "keepalive"...)
	case tcp && kind == diag.TimerTimeWait:
		dst = append(dst, "timewait"...)
	case tcp && kind == diag.TimerProbe:
		dst = append(dst, "probe"...)
	case !tcp && (kind == 1 || kind == 2):
		dst = append(dst, 'o', 'n', '0'+byte(kind))
	default:
		dst = append(dst, "unkn-"...)
		dst = strconv.AppendUint(dst, uint64(kind), 10)
	}
	dst = append(dst, " ("...)
	left := s.Expires
	if kind == diag.TimerOff {
		left = 0
	}
	dst = appendSeconds(dst, left)
	retransmits, probes := t.counts(s)
	dst = append(dst, '/')
	dst = strconv.AppendUint(dst, uint64(retransmits), 10)
	dst = append(dst, '/')
	dst = strconv.AppendUint(dst, uint64(probes), 10)
	return append(dst, ')')
}

func appendSeconds(dst []byte, d time.Duration) []byte {
	hundredths := uint64(d / (10 * time.Millisecond))
	dst = strconv.AppendUint(dst, hundredths/100, 10)
	return append(dst, '.', '0'+byte(hundredths/10%10), '0'+byte(hundredths%10))
}

// counts returns the unanswered retransmissions and probes, which /proc/net/tcp always has both (icsk_retransmits,
// icsk_probes_out); idiag_retrans is one of them, by the timer.
func (t *Table) counts(s *diag.InetSocket) (retransmits, probes uint8) {
	switch s.Protocol {
	case diag.Raw:
		return s.Retrans, 0
	case diag.TCP:
	default:
		return 0, 0
	}
	switch s.State {
	case diag.TimeWait:
		return 0, 0
	case diag.SynRecv:
		if t.Timeouts != nil {
			if n, ok := t.Timeouts(s); ok {
				return n, 0
			}
		}
		return s.Retrans, 0
	}
	if s.TCPInfo(&t.info) {
		return t.info.Retransmits, t.info.Probes
	}
	switch s.Timer {
	case diag.TimerOn:
		return s.Retrans, 0
	case diag.TimerKeepalive, diag.TimerProbe:
		return 0, s.Retrans
	}
	return 0, 0
}
