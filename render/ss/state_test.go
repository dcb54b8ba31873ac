package ss

import (
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

func TestState(t *testing.T) {
	for s, want := range map[diag.State]string{
		0: "UNKNOWN", diag.Established: "ESTAB", diag.SynSent: "SYN-SENT", diag.SynRecv: "SYN-RECV", diag.FinWait1: "FIN-WAIT-1",
		diag.FinWait2: "FIN-WAIT-2", diag.TimeWait: "TIME-WAIT", diag.Close: "UNCONN", diag.CloseWait: "CLOSE-WAIT",
		diag.LastAck: "LAST-ACK", diag.Listen: "LISTEN", diag.Closing: "CLOSING", diag.NewSynRecv: "UNDEF",
		diag.BoundInactive: "UNCONN", 200: "UNDEF",
	} {
		if got := state(s); got != want {
			t.Errorf("state %d is %q, want %q", s, got, want)
		}
	}
}

func TestNetid(t *testing.T) {
	for _, tt := range []struct {
		name string
		m    message
		want string
	}{
		{"tcp", message{}, "tcp  "},
		{"udp", message{proto: diag.UDP}, "udp  "},
		{"mptcp", message{proto: diag.MPTCP}, "mptcp"},
		{"sctp", message{proto: diag.SCTP}, "sctp "},
		{"dccp", message{proto: diag.DCCP}, "dccp "},
		{"raw, protocol not told", message{proto: diag.Raw}, "raw  "},
		{"raw, protocol 0", message{proto: diag.Raw, attrs: attr(diag.AttrProtocol, uint8(0))}, "raw  "},
		{"raw ICMP", message{proto: diag.Raw, attrs: attr(diag.AttrProtocol, uint8(1))}, "???  "},
		{"raw ICMPv6", message{proto: diag.Raw, attrs: attr(diag.AttrProtocol, uint8(58))}, "icmp6"},
		{"raw UDP", message{proto: diag.Raw, attrs: attr(diag.AttrProtocol, uint8(17))}, "udp  "},
		{"raw DCCP", message{proto: diag.Raw, attrs: attr(diag.AttrProtocol, uint8(33))}, "???  "},
		{"raw 255", message{proto: diag.Raw, attrs: attr(diag.AttrProtocol, uint8(255))}, "???  "},
	} {
		got := printed(t, Options{Netid: true, Numeric: true}, tt.m)
		if _, row, _ := cutLine(got); row[:5] != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, row[:5], tt.want)
		}
	}
}

// DCCP has a state more than TCP.
func TestPartOpen(t *testing.T) {
	got := printed(t, Options{State: true, Numeric: true, NoHeader: true}, message{proto: diag.DCCP, state: 13}, message{proto: diag.TCP, state: 13})
	if !strings.HasPrefix(got, "PARTOPEN ") || !strings.Contains(got, "\nUNCONN ") {
		t.Errorf("%q", got)
	}
}

// TestAssociation: what has the inode of the row before is an association of that SCTP endpoint.
func TestAssociation(t *testing.T) {
	got := printed(t, Options{Netid: true, State: true, Numeric: true, NoHeader: true},
		message{proto: diag.SCTP, inode: 5, state: diag.Listen},
		message{proto: diag.SCTP, inode: 5, state: 3},
		message{proto: diag.SCTP, inode: 5, state: 7},
		message{proto: diag.SCTP, inode: 6, state: diag.Listen},
		message{proto: diag.SCTP, inode: 0, state: diag.Close},
		message{proto: diag.SCTP, inode: 0, state: diag.Close},
	)
	const want = "" +
		"sctp LISTEN      0      0      192.0.2.1:1000 198.51.100.2:2000\n" +
		"     `- ESTAB    0      0      192.0.2.1:1000 198.51.100.2:2000\n" +
		"     `- ACK_SENT 0      0      192.0.2.1:1000 198.51.100.2:2000\n" +
		"sctp LISTEN      0      0      192.0.2.1:1000 198.51.100.2:2000\n" +
		"sctp UNCONN      0      0      192.0.2.1:1000 198.51.100.2:2000\n" +
		"sctp UNCONN      0      0      192.0.2.1:1000 198.51.100.2:2000\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for s, want := range map[diag.State]string{
		0: "CLOSED", 1: "COOKIE_WAIT", 2: "COOKIE_ECHOED", 3: "ESTAB", 4: "SHUTDOWN_PENDING", 5: "SHUTDOWN_SENT",
		6: "SHUTDOWN_RECEIVED", 7: "ACK_SENT", 8: "UNDEF",
	} {
		if got := assocState(s); got != want {
			t.Errorf("association state %d is %q, want %q", s, got, want)
		}
	}
}
