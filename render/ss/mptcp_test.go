package ss

import (
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// mptcpInfo makes a struct mptcp_info (linux/mptcp.h, Linux 6.19) with a different number in every field.
func mptcpInfo() []byte {
	return join(
		[]byte{1, 2, 3, 4, 5, 6, 0, 0},
		attrValues(diag.MPTCPFallback|diag.MPTCPRemoteKey, 0xabc, uint64(9), uint64(10), uint64(11)),
		[]byte{12, 13, 14, 0},
		attrValues(15, uint64(16), uint64(17), uint64(18), uint64(19)),
		[]byte{20, 21, 22, 0},
		attrValues(23, 24, 25),
	)
}

func attrValues(values ...any) (b []byte) {
	for _, v := range values {
		b = appendValue(b, v)
	}
	return b
}

func TestMPTCP(t *testing.T) {
	info := mptcpInfo()
	const (
		first = " subflows:1 add_addr_signal:2 add_addr_accepted:3 subflows_max:4 add_addr_signal_max:5 add_addr_accepted_max:6" +
			" fallback remote_key token:abc write_seq:9 snd_una:10 rcv_nxt:11 local_addr_used:12 local_addr_max:13 csum_enabled:14"
		rest = " retransmits:15 bytes_retrans:16 bytes_sent:17 bytes_received:18 bytes_acked:19 subflows_total:20" +
			" endp_laminar_max:21 last_data_sent:23 last_data_recv:24 last_ack_recv:25"
	)
	for n, want := range map[int]string{0: "", 6: first[:len(" subflows:1 add_addr_signal:2 add_addr_accepted:3 subflows_max:4 add_addr_signal_max:5 add_addr_accepted_max:6")], 44: first, len(info): first + rest} {
		m := message{proto: diag.MPTCP, attrs: attr(diag.AttrInfo, info[:n])}
		if got := ext(t, Options{Info: true, OneLine: true}, m); got != want {
			t.Errorf("%d bytes:\n got %q\nwant %q", n, got, want)
		}
	}
	m := message{proto: diag.MPTCP, attrs: attr(diag.AttrInfo, make([]byte, len(info)))}
	if got := ext(t, Options{Info: true, OneLine: true}, m); got != "" {
		t.Errorf("all 0: %q, want nothing", got)
	}
}
