package ss

import (
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// TestTCPInfo has a case for every token: when it is printed, and how.
func TestTCPInfo(t *testing.T) {
	type fields = map[string]uint64
	for _, tt := range []struct {
		name string
		info fields
		want string
	}{
		{"ts", fields{"options": 1}, " ts"},
		{"sack", fields{"options": 2}, " sack"},
		{"ecn", fields{"options": 8}, " ecn"},
		{"ecnseen", fields{"options": 16}, " ecnseen"},
		{"fastopen", fields{"options": 32}, " fastopen"},
		{"usec_ts", fields{"options": 64}, " usec_ts"},
		{"options, in order", fields{"options": 0xfb}, " ts usec_ts sack ecn ecnseen fastopen"},
		{"wscale", fields{"options": 4, "wscale": 0x7a}, " wscale:10,7"},
		{"wscale 0", fields{"options": 4}, " wscale:0,0"},
		{"wscale not negotiated", fields{"wscale": 0x7a}, ""},
		{"rto", fields{"rto": 204000}, " rto:204"},
		{"rto, initial", fields{"rto": 3000000}, ""},
		{"rto of 1200 s", fields{"rto": 1200000000}, " rto:1.2e+06"},
		{"backoff", fields{"backoff": 3}, " backoff:3"},
		{"rtt", fields{"rtt": 1234567, "rttvar": 999}, " rtt:1234.57/0.999"},
		{"rttvar alone", fields{"rttvar": 999}, ""},
		{"ato", fields{"ato": 40000}, " ato:40"},
		{"mss", fields{"snd_mss": 1448}, " mss:1448"},
		{"pmtu", fields{"pmtu": 1500}, " pmtu:1500"},
		{"rcvmss", fields{"rcv_mss": 536}, " rcvmss:536"},
		{"advmss", fields{"advmss": 1448}, " advmss:1448"},
		{"cwnd", fields{"snd_cwnd": 10}, " cwnd:10"},
		{"ssthresh", fields{"snd_ssthresh": 65534}, " ssthresh:65534"},
		{"ssthresh that is none", fields{"snd_ssthresh": 65535}, ""},
		{"ssthresh that is none (kernel)", fields{"snd_ssthresh": math.MaxInt32}, ""},
		{"bytes_sent", fields{"bytes_sent": 1 << 40}, " bytes_sent:1099511627776"},
		{"bytes_retrans", fields{"bytes_retrans": 1}, " bytes_retrans:1"},
		{"bytes_acked", fields{"bytes_acked": 1 << 63}, " bytes_acked:9223372036854775808"},
		{"bytes_received", fields{"bytes_received": 1}, " bytes_received:1"},
		{"segs_out", fields{"segs_out": 1}, " segs_out:1"},
		{"segs_in", fields{"segs_in": 1}, " segs_in:1"},
		{"data_segs_out", fields{"data_segs_out": 1}, " data_segs_out:1"},
		{"data_segs_in", fields{"data_segs_in": 1}, " data_segs_in:1"},
		{"send", fields{"snd_mss": 1000, "rtt": 10, "snd_cwnd": 3}, " rtt:0.01/0 mss:1000 cwnd:3 send 2400000000bps"},
		{"no send without cwnd", fields{"snd_mss": 1000, "rtt": 10}, " rtt:0.01/0 mss:1000"},
		{"lastsnd", fields{"last_data_sent": 1}, " lastsnd:1"},
		{"lastrcv", fields{"last_data_recv": 1}, " lastrcv:1"},
		{"lastack", fields{"last_ack_recv": 1}, " lastack:1"},
		{"last_ack_sent is never filled", fields{"last_ack_sent": 1}, ""},
		{"pacing_rate", fields{"pacing_rate": 1000, "max_pacing_rate": math.MaxUint64}, " pacing_rate 8000bps"},
		{"pacing_rate and its limit", fields{"pacing_rate": 1000, "max_pacing_rate": 2000}, " pacing_rate 8000bps/16000bps"},
		{"pacing_rate, none", fields{"pacing_rate": math.MaxUint64, "max_pacing_rate": 2000}, ""},
		{"max_pacing_rate alone", fields{"max_pacing_rate": 2000}, ""},
		{"delivery_rate", fields{"delivery_rate": 1000}, " delivery_rate 8000bps"},
		{"delivered", fields{"delivered": 1}, " delivered:1"},
		{"delivered_ce", fields{"delivered_ce": 1}, " delivered_ce:1"},
		{"app_limited", fields{"app_limited": 1}, " app_limited"},
		{"app_limited is bit 0", fields{"app_limited": 6}, ""},
		{"busy", fields{"busy_time": 123999}, " busy:123ms"},
		{"rwnd_limited", fields{"busy_time": 3000, "rwnd_limited": 1000}, " busy:3ms rwnd_limited:1ms(33.3%)"},
		{"sndbuf_limited", fields{"busy_time": 3000, "sndbuf_limited": 2000}, " busy:3ms sndbuf_limited:2ms(66.7%)"},
		{"limited without busy", fields{"rwnd_limited": 1000, "sndbuf_limited": 2000}, ""},
		{"unacked", fields{"unacked": 1}, " unacked:1"},
		{"retrans", fields{"retrans": 1}, " retrans:1/0"},
		{"retrans, total", fields{"total_retrans": 2}, " retrans:0/2"},
		{"lost", fields{"lost": 1}, " lost:1"},
		{"sacked", fields{"sacked": 1}, " sacked:1"},
		{"dsack_dups", fields{"dsack_dups": 1}, " dsack_dups:1"},
		{"fackets", fields{"fackets": 1}, " fackets:1"},
		{"reordering, initial", fields{}, ""},
		{"reordering", fields{"reordering": 4}, " reordering:4"},
		{"reordering 0", fields{"reordering": 0}, " reordering:0"},
		{"reord_seen", fields{"reord_seen": 1}, " reord_seen:1"},
		{"rcv_rtt", fields{"rcv_rtt": 12345}, " rcv_rtt:12.345"},
		{"rcv_space", fields{"rcv_space": 1}, " rcv_space:1"},
		{"rcv_ssthresh", fields{"rcv_ssthresh": 1}, " rcv_ssthresh:1"},
		{"notsent", fields{"notsent_bytes": 1}, " notsent:1"},
		{"minrtt", fields{"min_rtt": 345}, " minrtt:0.345"},
		{"minrtt, none", fields{"min_rtt": math.MaxUint32}, ""},
		{"rcv_ooopack", fields{"rcv_ooopack": 1}, " rcv_ooopack:1"},
		{"snd_wnd", fields{"snd_wnd": 1}, " snd_wnd:1"},
		{"rcv_wnd", fields{"rcv_wnd": 1}, " rcv_wnd:1"},
		{"rehash", fields{"rehash": 1}, " rehash:1"},
	} {
		info := maps.Clone(tt.info)
		if _, ok := info["reordering"]; !ok {
			info["reordering"] = 3
		}
		m := message{attrs: attr(diag.AttrInfo, tcpInfo(info))}
		opt := Options{Numeric: true, OneLine: true, Info: true, Timers: true}
		if got := ext(t, opt, m); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestTCPInfoOrder(t *testing.T) {
	info := map[string]uint64{}
	for name, f := range tcpInfoFields {
		info[name] = uint64(f.off + 1)
	}
	attrs := attr(diag.AttrCong, "cubic")
	attrs = append(attrs, attr(diag.AttrInfo, tcpInfo(info))...)
	attrs = append(attrs, attr(diag.AttrBBRInfo, 0, 0, 0, 0, 0)...)
	got := ext(t, Options{Info: true, Timers: true, OneLine: true}, message{attrs: attrs})
	order := "sack cubic wscale rto backoff rtt ato mss pmtu rcvmss advmss cwnd ssthresh bytes_sent bytes_retrans bytes_acked" +
		" bytes_received segs_out segs_in data_segs_out data_segs_in bbr send lastsnd lastrcv lastack pacing_rate" +
		" delivery_rate delivered delivered_ce busy rwnd_limited sndbuf_limited unacked retrans lost sacked dsack_dups fackets" +
		" reordering reord_seen rcv_rtt rcv_space rcv_ssthresh notsent minrtt rcv_ooopack snd_wnd rcv_wnd rehash"
	rest := got
	for word := range strings.FieldsSeq(order) {
		_, after, ok := strings.Cut(rest, " "+word)
		if !ok {
			t.Fatalf("no %q in %q, of\n%s", word, rest, got)
		}
		rest = after
	}
}

// TestTCPInfoListen: in LISTEN tcpi_sacked is the limit of the accept queue.
func TestTCPInfoListen(t *testing.T) {
	m := message{state: diag.Listen, attrs: attr(diag.AttrInfo, tcpInfo(map[string]uint64{"sacked": 128, "unacked": 2, "reordering": 3}))}
	if got, want := ext(t, Options{Info: true, OneLine: true}, m), " unacked:2"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestTCPInfoShort: older kernels send less, and what they do not send is not printed.
func TestTCPInfoShort(t *testing.T) {
	info := tcpInfo(map[string]uint64{"rto": 1000, "reordering": 3, "pacing_rate": 1, "bytes_acked": 1, "segs_out": 1, "min_rtt": 1,
		"data_segs_in": 1, "delivery_rate": 1, "delivered": 1, "bytes_sent": 1, "rcv_ooopack": 1, "rcv_wnd": 1})
	for n, want := range map[int]string{
		104: " rto:1",
		120: " rto:1 pacing_rate 8bps",
		136: " rto:1 bytes_acked:1 pacing_rate 8bps",
		144: " rto:1 bytes_acked:1 segs_out:1 pacing_rate 8bps",
		152: " rto:1 bytes_acked:1 segs_out:1 pacing_rate 8bps minrtt:0.001",
		160: " rto:1 bytes_acked:1 segs_out:1 data_segs_in:1 pacing_rate 8bps minrtt:0.001",
		168: " rto:1 bytes_acked:1 segs_out:1 data_segs_in:1 pacing_rate 8bps delivery_rate 8bps minrtt:0.001",
		200: " rto:1 bytes_acked:1 segs_out:1 data_segs_in:1 pacing_rate 8bps delivery_rate 8bps delivered:1 minrtt:0.001",
		224: " rto:1 bytes_sent:1 bytes_acked:1 segs_out:1 data_segs_in:1 pacing_rate 8bps delivery_rate 8bps delivered:1 minrtt:0.001",
		232: " rto:1 bytes_sent:1 bytes_acked:1 segs_out:1 data_segs_in:1 pacing_rate 8bps delivery_rate 8bps delivered:1 minrtt:0.001 rcv_ooopack:1",
		280: " rto:1 bytes_sent:1 bytes_acked:1 segs_out:1 data_segs_in:1 pacing_rate 8bps delivery_rate 8bps delivered:1 minrtt:0.001 rcv_ooopack:1 rcv_wnd:1",
	} {
		if got := ext(t, Options{Info: true, OneLine: true}, message{attrs: attr(diag.AttrInfo, info[:n])}); got != want {
			t.Errorf("%d bytes: %q, want %q", n, got, want)
		}
	}
}

func TestOptionsWantMore(t *testing.T) {
	m := message{attrs: attr(diag.AttrInfo, tcpInfo(map[string]uint64{"options": 1, "reordering": 3}))}
	if got := ext(t, Options{Info: true, OneLine: true}, m); got != "" {
		t.Errorf("-i alone: %q, want nothing: ss prints them with -o or -e only", got)
	}
}

func TestCong(t *testing.T) {
	info := attr(diag.AttrInfo, tcpInfo(map[string]uint64{"reordering": 3}))
	busy := attr(diag.AttrInfo, tcpInfo(map[string]uint64{"reordering": 3, "snd_mss": 1000, "rtt": 10, "snd_cwnd": 3}))
	for _, tt := range []struct {
		name  string
		attrs [][]byte
		want  string
	}{
		{"name", [][]byte{info, attr(diag.AttrCong, "cubic")}, " cubic"},
		{"name, without tcp_info", [][]byte{attr(diag.AttrCong, "cubic")}, ""},
		{"name that is none", [][]byte{info, attr(diag.AttrCong, "a\x1b[1m")}, " a?[1m"},
		{"dctcp", [][]byte{info, attr(diag.AttrDCTCPInfo, uint16(1), uint16(2), 3, 4, 5)}, " dctcp:(ce_state:2,alpha:3,ab_ecn:4,ab_tot:5)"},
		{"dctcp, the peer has no ECN", [][]byte{info, attr(diag.AttrDCTCPInfo, uint16(0), uint16(2), 3, 4, 5)}, " dctcp:fallback_mode"},
		{"bbr", [][]byte{info, attr(diag.AttrBBRInfo, 12345, 1, 678, 739, 512)}, " bbr:(bw:34.4Gbps,mrtt:0.678,pacing_gain:2.88672,cwnd_gain:2)"},
		{"bbr, new", [][]byte{info, attr(diag.AttrBBRInfo, 0, 0, 0, 0, 0)}, " bbr:(bw:0bps,mrtt:0)"},
		{"vegas: its own rtt counts", [][]byte{busy, attr(diag.AttrVegasInfo, 1, 2, 3000, 4)}, " rtt:0.01/0 mss:1000 cwnd:3 send 8Mbps"},
		{"vegas, not enabled", [][]byte{busy, attr(diag.AttrVegasInfo, 0, 2, 3000, 4)}, " rtt:0.01/0 mss:1000 cwnd:3 send 2.4Gbps"},
		{"vegas, nothing measured", [][]byte{busy, attr(diag.AttrVegasInfo, 1, 2, math.MaxInt32, 4)}, " rtt:0.01/0 mss:1000 cwnd:3 send 2.4Gbps"},
	} {
		var m message
		for _, a := range tt.attrs {
			m.attrs = append(m.attrs, a...)
		}
		if got := ext(t, Options{Info: true, OneLine: true}, m); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
