package netstat

import (
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

func TestShows(t *testing.T) {
	for _, c := range []struct {
		sock   sock
		server bool
	}{
		{sock{proto: diag.TCP, state: diag.Listen, local: "0.0.0.0:22", remote: "0.0.0.0:0"}, true},
		{sock{proto: diag.TCP, state: diag.Established, local: "10.0.0.1:22", remote: "10.0.0.2:5000"}, false},
		{sock{proto: diag.TCP, state: diag.TimeWait, local: "10.0.0.1:22", remote: "10.0.0.2:5000"}, false},
		{sock{proto: diag.TCP, state: diag.SynSent, local: "10.0.0.1:22", remote: "10.0.0.2:0"}, false},
		{sock{proto: diag.UDP, state: diag.Close, local: "0.0.0.0:53", remote: "0.0.0.0:0"}, true},
		{sock{proto: diag.UDP, state: diag.Close, local: "0.0.0.0:53", remote: "0.0.0.0:8080"}, true},
		{sock{proto: diag.UDP, state: diag.Established, local: "10.0.0.1:53", remote: "10.0.0.2:8080"}, false},
		{sock{proto: diag.UDP, state: diag.Established, local: "10.0.0.1:53", remote: "10.0.0.2:0"}, false},
		{sock{proto: diag.UDP, state: diag.Close, local: "[::]:53", remote: "[::]:0"}, true},
		{sock{proto: diag.UDP, state: diag.Established, local: "[::1]:53", remote: "[::1]:9"}, false},
		{sock{proto: diag.UDPLite, state: diag.Close, local: "0.0.0.0:53", remote: "0.0.0.0:0"}, true},
		{sock{proto: diag.UDPLite, state: diag.Established, local: "10.0.0.1:53", remote: "10.0.0.2:1"}, false},
		{sock{proto: diag.Raw, state: diag.Close, local: "0.0.0.0:1", remote: "0.0.0.0:0"}, true},
		{sock{proto: diag.Raw, state: diag.Established, local: "0.0.0.0:1", remote: "10.0.0.2:0"}, false},
		{sock{proto: diag.SCTP, state: diag.Listen, local: "0.0.0.0:1", remote: "0.0.0.0:0", locals: []string{"0.0.0.0:1"}}, true},
		{sock{proto: diag.SCTP, state: 3, local: "10.0.0.1:1", remote: "10.0.0.2:2", peers: []string{"10.0.0.2:2"}}, false},
	} {
		s := c.sock.build(t)
		if got := Servers.Shows(s); got != c.server {
			t.Errorf("%v %v %v: -l shows it: %v, want %v", s.Protocol, s.Local, s.Remote, got, c.server)
		}
		if got := Connected.Shows(s); got == c.server {
			t.Errorf("%v %v %v: the default shows it: %v, want %v", s.Protocol, s.Local, s.Remote, got, !c.server)
		}
		if !All.Shows(s) {
			t.Errorf("%v %v %v: -a does not show it", s.Protocol, s.Local, s.Remote)
		}
	}
}

// TestStates: what is asked of the kernel holds all that is shown, and never what /proc/net does not have.
func TestStates(t *testing.T) {
	for _, p := range []diag.Protocol{diag.TCP, diag.UDP, diag.UDPLite, diag.Raw} {
		for _, w := range []Which{Connected, Servers, All} {
			for _, extend := range []bool{false, true} {
				states := (&Options{Which: w, Extend: extend}).States(p)
				if states&^diag.ProcStates != 0 {
					t.Errorf("%v %v: asks for %b", p, w, states)
				}
				for state := diag.Established; state <= diag.Closing; state++ {
					k := sock{proto: p, state: state, local: "10.0.0.1:1", remote: "10.0.0.2:2"}
					if state == diag.Listen || p != diag.TCP && state == diag.Close {
						k.remote = "0.0.0.0:0"
					}
					if w.Shows(k.build(t)) && !states.Has(state) {
						t.Errorf("%v %v: %v is shown, but not asked for", p, w, state)
					}
				}
				if p == diag.TCP && extend && w != Servers && !states.Has(diag.Listen) {
					t.Errorf("%v: listeners are needed for the users of SYN_RECV", w)
				}
			}
		}
	}
	if got := (&Options{Which: Servers}).States(diag.TCP); got != diag.StatesOf(diag.Listen) {
		t.Errorf("-l asks for %b: more than LISTEN makes the kernel walk all connections", got)
	}
}
