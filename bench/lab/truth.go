package lab

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Group is a kind of socket that the lab counts.
type Group struct {
	// Protocol is "tcp", "udp", "unix" or "raw".
	Protocol string `json:"protocol"`
	// Family is "inet", "inet6" or "unix", the socket's domain: an IPv4 connection
	// accepted by an IPv6 listener is "inet6".
	Family string `json:"family"`
	// Type is "stream", "dgram" or "seqpacket" for unix sockets, else empty.
	Type string `json:"type,omitempty"`
	// State is the kernel's name (include/net/tcp_states.h) without its TCP_
	// prefix: "ESTABLISHED", "LISTEN", "TIME_WAIT". Unconnected UDP, raw and
	// unix sockets are "CLOSE".
	State string `json:"state"`
	// Owned says whether a process has a descriptor of the socket. TIME_WAIT, SYN_RECV and
	// connections that wait in an accept queue have no owner.
	Owned bool `json:"owned"`
}

// Count is how many sockets of a Group there are.
type Count struct {
	Group
	Count int `json:"count"`
}

// Process is one process of the lab that holds sockets.
type Process struct {
	// PID as the builder's pid namespace knows it.
	PID int `json:"pid"`
	// Comm is the name in /proc/PID/comm.
	Comm string `json:"comm"`
	// Held is the number of distinct sockets that the process has descriptors of,
	// by protocol. A shared socket counts in each of its holders.
	Held map[string]int `json:"held"`
}

// Sockets is the number of distinct sockets that the process holds.
func (p Process) Sockets() int {
	n := 0
	for _, v := range p.Held {
		n += v
	}
	return n
}

// Truth is what is in the lab: counts of what was made, by the workers that made it.
type Truth struct {
	// Sockets is the number asked for: all but Raw.
	Sockets int   `json:"sockets"`
	Shape   Shape `json:"shape"`
	// Raw is the number of raw sockets that come on top. The workers
	// that keep TIME_WAIT sockets alive or forge SYNs need them.
	Raw int `json:"raw"`
	// NetNS is the inode number of the network namespace.
	NetNS uint64 `json:"netns"`
	// Counts is sorted by protocol, family, type, state and owner.
	Counts []Count `json:"counts"`
	// Owned and Ownerless are the sockets with and without a descriptor in any
	// process, without raw ones.
	Owned     int `json:"owned"`
	Ownerless int `json:"ownerless"`
	// Shared is the number of sockets of which two or more processes have
	// descriptors. They count once in Owned.
	Shared int `json:"shared"`
	// Mapped is the number of inet6 sockets with IPv4-mapped addresses.
	Mapped int `json:"mapped"`
	// Timers counts the sockets with a timer that stays, by ss's name of it:
	// "on" (retransmit), "keepalive", "timewait", "persist".
	Timers map[string]int `json:"timers"`
	// RecvQueued and SendQueued count the TCP sockets, listeners aside, whose Recv-Q or Send-Q is not 0.
	// The kernel counts a SYN and a FIN as one byte: SYN_SENT has a Send-Q, CLOSE_WAIT a Recv-Q.
	RecvQueued int `json:"recv_queued"`
	SendQueued int `json:"send_queued"`
	// BacklogFull is the number of listeners whose accept queue is full.
	BacklogFull int `json:"backlog_full"`
	// Processes is sorted by PID.
	Processes []Process `json:"processes"`
}

// Count adds up the groups of a protocol, family and state. An empty string stands for all.
func (t *Truth) Count(protocol, family, state string) int {
	n := 0
	for _, c := range t.Counts {
		if (protocol == "" || c.Protocol == protocol) && (family == "" || c.Family == family) && (state == "" || c.State == state) {
			n += c.Count
		}
	}
	return n
}

// WriteText writes the truth for people, on about twenty lines.
func (t *Truth) WriteText(w io.Writer) error {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintf(tw, "lab: %d sockets, shape %s, %d processes, netns %d\n", t.Sockets, t.Shape, len(t.Processes), t.NetNS)
	for _, c := range t.Counts {
		owner := "owned"
		if !c.Owned {
			owner = "no owner"
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%d\n", c.Protocol, cmp.Or(c.Type, c.Family), c.State, owner, c.Count)
	}
	tw.Flush()
	fmt.Fprintf(&b, "  owned %d, no owner %d, shared by processes %d, IPv4-mapped %d\n", t.Owned, t.Ownerless, t.Shared, t.Mapped)
	fmt.Fprintf(&b, "  timers:")
	for _, k := range slices.Sorted(maps.Keys(t.Timers)) {
		fmt.Fprintf(&b, " %s %d", k, t.Timers[k])
	}
	fmt.Fprintf(&b, "; Recv-Q %d, Send-Q %d, full accept queues %d\n", t.RecvQueued, t.SendQueued, t.BacklogFull)
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *Truth) json() ([]byte, error) {
	b, err := json.MarshalIndent(t, "", " ")
	return append(b, '\n'), err
}

// tally is what one worker made. Tallies add up: a worker may count -1 of a
// state that it moved another worker's socket out of.
type tally struct {
	Groups      map[Group]int  `json:"-"`
	List        []Count        `json:"counts"` // Groups as it travels
	Timers      map[string]int `json:"timers"`
	Held        map[string]int `json:"held"`
	Mapped      int            `json:"mapped"`
	RecvQueued  int            `json:"recvQueued"`
	SendQueued  int            `json:"sendQueued"`
	BacklogFull int            `json:"backlogFull"`
	Raw         int            `json:"raw"`
	Sharer      *Process       `json:"sharer,omitempty"`
}

func newTally() *tally {
	return &tally{Groups: map[Group]int{}, Timers: map[string]int{}, Held: map[string]int{}}
}

func familyName(v6 bool) string {
	if v6 {
		return "inet6"
	}
	return "inet"
}

// tcp counts n sockets that the worker holds, or with held false nobody does.
func (t *tally) tcp(v6 bool, state string, n int, held bool) {
	t.Groups[Group{Protocol: "tcp", Family: familyName(v6), State: state, Owned: held}] += n
	if held {
		t.hold("tcp", n)
	}
}

func (t *tally) hold(protocol string, n int) {
	if n > 0 {
		t.Held[protocol] += n
	}
}

func (t *tally) timer(name string, n int) {
	if n > 0 {
		t.Timers[name] += n
	}
}

// move counts n sockets from one state to another, whoever holds them.
func (t *tally) move(v6 bool, from, to string, n int) {
	g := Group{Protocol: "tcp", Family: familyName(v6), State: from, Owned: true}
	t.Groups[g] -= n
	g.State = to
	t.Groups[g] += n
}

func (t *tally) pack() { t.List = countList(t.Groups) }

func countList(m map[Group]int) []Count {
	var out []Count
	for g, n := range m {
		if n != 0 {
			out = append(out, Count{g, n})
		}
	}
	slices.SortFunc(out, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Family, b.Family), cmp.Compare(a.Type, b.Type),
			cmp.Compare(a.State, b.State), cmp.Compare(fmt.Sprint(b.Owned), fmt.Sprint(a.Owned)))
	})
	return out
}

// sum makes the truth of all tallies; shared sockets that the builder made
// itself are already in base.
func (t *Truth) sum(base *tally, tallies []*tally) {
	groups := maps.Clone(base.Groups)
	t.Timers = map[string]int{}
	for _, w := range tallies {
		for _, c := range w.List {
			groups[c.Group] += c.Count
		}
		for k, n := range w.Timers {
			t.Timers[k] += n
		}
		t.Mapped += w.Mapped
		t.RecvQueued += w.RecvQueued
		t.SendQueued += w.SendQueued
		t.BacklogFull += w.BacklogFull
		t.Raw += w.Raw
		if w.Sharer != nil {
			t.Shared += w.Sharer.Sockets()
			t.Processes = append(t.Processes, *w.Sharer)
		}
	}
	t.Counts = countList(groups)
	for _, c := range t.Counts {
		switch {
		case c.Protocol == "raw":
		case c.Owned:
			t.Owned += c.Count
		default:
			t.Ownerless += c.Count
		}
	}
	slices.SortFunc(t.Processes, func(a, b Process) int { return cmp.Compare(a.PID, b.PID) })
}
