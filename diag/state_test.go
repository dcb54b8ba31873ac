package diag

import "testing"

func TestStateNames(t *testing.T) {
	// include/net/tcp_states.h, in its order.
	want := []string{
		1: "ESTABLISHED", 2: "SYN_SENT", 3: "SYN_RECV", 4: "FIN_WAIT1", 5: "FIN_WAIT2", 6: "TIME_WAIT", 7: "CLOSE", 8: "CLOSE_WAIT",
		9: "LAST_ACK", 10: "LISTEN", 11: "CLOSING", 12: "NEW_SYN_RECV", 13: "BOUND_INACTIVE", 14: "STATE_14", 255: "STATE_255",
	}
	for i, w := range want {
		if w != "" && State(i).String() != w {
			t.Errorf("State(%d) is %q, want %q", i, State(i), w)
		}
	}
	for s, i := range map[State]State{Established: 1, TimeWait: 6, Close: 7, Listen: 10, NewSynRecv: 12, BoundInactive: 13} {
		if s != i {
			t.Errorf("%v is %d, want %d", s, uint8(s), uint8(i))
		}
	}
}

func TestStates(t *testing.T) {
	m := StatesOf(Listen, Established, Listen)
	if m != 1<<10|1<<1 || m.Len() != 2 || !m.Has(Listen) || !m.Has(Established) || m.Has(TimeWait) {
		t.Errorf("StatesOf(Listen, Established) = %#x", uint32(m))
	}
	if StatesOf() != 0 {
		t.Error("StatesOf() is not empty")
	}
	if AllStates != 0x3fff {
		t.Errorf("AllStates = %#x", uint32(AllStates))
	}
	for name, tt := range map[string]struct{ got, without States }{
		"connected":    {ConnectedStates, 1<<Listen | 1<<Close},
		"synchronized": {SynchronizedStates, 1<<Listen | 1<<Close | 1<<SynSent},
		"bucket":       {BucketStates, AllStates &^ (1<<6 | 1<<3)},
		"big":          {BigStates, 1<<6 | 1<<3},
	} {
		if tt.got != AllStates&^tt.without {
			t.Errorf("%s = %#x", name, uint32(tt.got))
		}
	}
	for s := Established; s <= BoundInactive; s++ {
		if want := s != NewSynRecv && s != BoundInactive; ProcStates.Has(s) != want {
			t.Errorf("ProcStates.Has(%v) = %v", s, !want)
		}
	}
}
