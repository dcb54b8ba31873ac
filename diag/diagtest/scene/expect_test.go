package scene

import "testing"

func TestNames(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Netlink.String(), "netlink"}, {DCCP.String(), "dccp"}, {Table(10).String(), "10"}, {Table(0).String(), "0"},
		{Established.String(), "ESTABLISHED"}, {Closing.String(), "CLOSING"}, {BoundInactive.String(), "BOUND-INACTIVE"}, {State(12).String(), "12"},
		{TimerOff.String(), "off"}, {TimerProbe.String(), "probe"}, {Timer(5).String(), "5"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	// The numbers of include/net/tcp_states.h.
	if Listen != 10 || Closing != 11 || BoundInactive != 13 {
		t.Errorf("LISTEN %d, CLOSING %d, BOUND-INACTIVE %d", Listen, Closing, BoundInactive)
	}
}
