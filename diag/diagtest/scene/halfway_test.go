package scene

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TCP_INFO says of every connection with a descriptor what is noted: it is the one source that is neither netlink nor /proc.
func TestHalfway(t *testing.T) {
	s := New(t)
	seen := make(map[State]int)
	for i := range s.Sockets {
		e := &s.Sockets[i]
		if e.Table != TCP || len(e.Owners) == 0 || e.Name[:min(7, len(e.Name))] == "subflow" || e.Owners[0].Comm != s.comm {
			continue
		}
		info, err := unix.GetsockoptTCPInfo(e.Owners[0].FD, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			t.Fatal(err)
		}
		if e.State == BoundInactive {
			continue // CLOSE to TCP_INFO
		}
		seen[e.State]++
		if State(info.State) != e.State {
			t.Errorf("%v: state %v by TCP_INFO", e, State(info.State))
		}
	}
	for _, state := range []State{SynSent, FinWait1, FinWait2, CloseWait, LastAck, Closing} {
		if seen[state] < len(ways) {
			t.Errorf("%d sockets in state %v", seen[state], state)
		}
	}
	mappedSYN := s.Find(t, "syn-recv mapped")
	if mappedSYN.Family != unix.AF_INET6 || !mappedSYN.Remote.Addr().Is4In6() {
		t.Errorf("%+v", *mappedSYN)
	}
}
