package diag

import (
	"math/bits"
	"strconv"
)

// State is the state of a socket. TCP's numbers (include/net/tcp_states.h) serve all protocols;
// a UDP or raw socket is either Established (connected) or Close.
type State uint8

// The states of include/net/tcp_states.h.
const (
	Established   State = 1
	SynSent       State = 2
	SynRecv       State = 3 // a request socket: no inode, no owner, no tcp_info
	FinWait1      State = 4
	FinWait2      State = 5
	TimeWait      State = 6 // no inode, no owner, no tcp_info
	Close         State = 7
	CloseWait     State = 8
	LastAck       State = 9
	Listen        State = 10
	Closing       State = 11
	NewSynRecv    State = 12 // reported to user space as SynRecv
	BoundInactive State = 13 // asks for sockets that are bound, and neither listen nor connect, whose rows say Close (Linux 6.8); DCCP's PARTOPEN has this number
)

var stateNames = [...]string{
	"UNKNOWN", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
	"CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV", "BOUND_INACTIVE",
}

// String returns the kernel's name of the state without its TCP_ prefix, such as "ESTABLISHED".
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "STATE_" + strconv.Itoa(int(s))
}

// States is a set of states: bit 1<<State, as idiag_states in linux/inet_diag.h has it.
type States uint32

// Sets of states.
const (
	// AllStates is every state that a kernel can report, bit 0 included as ss asks for it.
	AllStates States = 1<<14 - 1
	// ProcStates are the states that /proc/net/tcp shows: all but BoundInactive.
	ProcStates States = 1<<NewSynRecv - 1<<Established

	// ConnectedStates are ss(8)'s connected: all but Listen and Close.
	ConnectedStates = AllStates &^ (1<<Listen | 1<<Close)
	// SynchronizedStates are ss(8)'s synchronized: the connected ones but SynSent.
	SynchronizedStates = ConnectedStates &^ (1 << SynSent)
	// BucketStates are ss(8)'s bucket: those of minisockets, TimeWait and SynRecv.
	BucketStates States = 1<<TimeWait | 1<<SynRecv
	// BigStates are ss(8)'s big: all but the bucket.
	BigStates = AllStates &^ BucketStates
)

// StatesOf returns the set that holds the given states.
func StatesOf(states ...State) States {
	var m States
	for _, s := range states {
		m |= 1 << s
	}
	return m
}

// Has reports whether s is in the set.
func (m States) Has(s State) bool { return m&(1<<s) != 0 }

// Len returns how many states are in the set.
func (m States) Len() int { return bits.OnesCount32(uint32(m)) }
