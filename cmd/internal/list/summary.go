package list

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/diag/filter"
	"github.com/sockeye-tools/sockeye/render/names"
	"github.com/sockeye-tools/sockeye/render/table"
)

// talkers is how many lines each list of the summary has.
const talkers = 5

// stateOrder is the order of the summary's lines.
var stateOrder = []string{
	"listen", "established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "close-wait", "closing", "last-ack", "time-wait", "bound", "unconnected",
}

// summary is the whole at a glance.
type summary struct {
	l       *lister
	states  map[string]*[4]uint64 // by state: tcp, tcp6, udp, udp6
	total   [4]uint64
	queues  map[string]uint64 // bytes by kind
	full    uint64            // listeners whose accept queue is full
	drops   uint64
	stuck   uint64 // connections with a closed window
	retrans uint64 // segments over all lives
	sending uint64 // connections that retransmit now
	peers   map[netip.Addr]*peer
	dests   map[route]uint64 // connections from ports of the range that the kernel chooses from
	procs   map[string]uint64
	lo, hi  uint16
	fields  map[string]*field.Field
}

// route is what one source port can be used for once.
type route struct {
	from netip.Addr
	to   netip.AddrPort
}

func (r route) String() string { return r.from.String() + "\x00" + r.to.String() }

type peer struct {
	sockets, bytes, retrans uint64
}

func newSummary(l *lister) *summary {
	s := &summary{l: l, states: map[string]*[4]uint64{}, queues: map[string]uint64{}, peers: map[netip.Addr]*peer{},
		dests: map[route]uint64{}, procs: map[string]uint64{}, fields: map[string]*field.Field{}}
	s.lo, s.hi = filter.ReadPortRange("/proc/sys/net/ipv4/ip_local_port_range")
	for _, name := range []string{"retrans_total", "bytes_acked", "bytes_received", "drops", "process"} {
		if f, err := field.Lookup(name); err == nil {
			s.fields[name] = f
			l.needs(f)
		}
	}
	return s
}

func (s *summary) add(sk *diag.InetSocket) {
	ctx := s.l.context
	i := 0
	if sk.Protocol == diag.UDP {
		i = 2
	}
	if sk.Family == diag.IPv6 {
		i++
	}
	name := field.StateName(sk)
	if s.states[name] == nil {
		s.states[name] = &[4]uint64{}
	}
	s.states[name][i]++
	s.total[i]++
	drops, _ := s.fields["drops"].Number(ctx, sk)
	s.drops += drops
	if sk.State == diag.Listen && sk.Protocol == diag.TCP {
		s.queues["accept"] += uint64(sk.RQueue)
		if sk.RQueue > sk.WQueue && sk.Source == diag.FromNetlink {
			s.full++
		}
	} else {
		s.queues["recv"] += uint64(sk.RQueue)
		s.queues["send"] += uint64(sk.WQueue)
	}
	if sk.Timer == diag.TimerProbe {
		s.stuck++
	}
	if sk.Timer == diag.TimerOn && sk.Retrans > 0 {
		s.sending++
	}
	retrans, _ := s.fields["retrans_total"].Number(ctx, sk)
	s.retrans += retrans
	if sk.Protocol == diag.TCP && !field.NoPeer(sk) {
		p := s.peers[sk.Remote.Addr()]
		if p == nil {
			p = &peer{}
			s.peers[sk.Remote.Addr()] = p
		}
		sent, _ := s.fields["bytes_acked"].Number(ctx, sk)
		rcvd, _ := s.fields["bytes_received"].Number(ctx, sk)
		p.sockets, p.bytes, p.retrans = p.sockets+1, p.bytes+sent+rcvd, p.retrans+retrans
		if port := sk.Local.Port(); port >= s.lo && port <= s.hi {
			s.dests[route{sk.Local.Addr(), sk.Remote}]++
		}
	}
	last := ""
	for _, h := range ctx.Holders(sk) {
		if h.Known && h.Comm != last {
			s.procs[h.Comm]++
			last = h.Comm
		}
	}
}

func (s *summary) print() error {
	w := s.l.out
	t := s.layout(table.Head{Text: "STATE"}, table.Head{Text: "TCP", Right: true}, table.Head{Text: "TCP6", Right: true},
		table.Head{Text: "UDP", Right: true}, table.Head{Text: "UDP6", Right: true})
	line := func(name string, n *[4]uint64) {
		row := append(append(table.AppendStyle(nil, table.StateStyle(name)), name...), 0)
		for _, v := range n {
			row = append(strconv.AppendUint(row, v, 10), 0)
		}
		t.Row(row)
	}
	for _, name := range stateOrder {
		if n := s.states[name]; n != nil {
			line(name, n)
		}
	}
	line("total", &s.total)
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nqueues           %d bytes to read, %d bytes to send, %d connections to accept\n", s.queues["recv"], s.queues["send"], s.queues["accept"])
	fmt.Fprintf(w, "full listeners   %s\n", s.problem(s.full))
	fmt.Fprintf(w, "drops            %s packets, of sockets that are still open\n", s.problem(s.drops))
	fmt.Fprintf(w, "closed windows   %s connections wait for their peer to read\n", s.problem(s.stuck))
	fmt.Fprintf(w, "retransmissions  %d segments, of connections that are still open; %s connections retransmit now\n", s.retrans, s.problem(s.sending))

	s.top(w, "most connections", "PEER", topOf(s.peers, func(p *peer) uint64 { return p.sockets }), field.None)
	s.top(w, "most bytes", "PEER", topOf(s.peers, func(p *peer) uint64 { return p.bytes }), field.Bytes)
	s.top(w, "most retransmissions", "PEER", topOf(s.peers, func(p *peer) uint64 { return p.retrans }), field.None)
	s.top(w, "most sockets", "PROCESS", topOf(s.procs, func(n uint64) uint64 { return n }), field.None)
	ports := topOf(s.dests, func(n uint64) uint64 { return n })
	if len(ports) > 0 && s.hi >= s.lo {
		all := uint64(s.hi-s.lo) + 1
		fmt.Fprintf(w, "\nsource ports (%d to %d) in use towards a destination\n", s.lo, s.hi)
		t := s.layout(table.Head{Text: "FROM"}, table.Head{Text: "DESTINATION"}, table.Head{Text: "PORTS", Right: true}, table.Head{Text: "OF", Right: true},
			table.Head{Text: "SHARE", Right: true})
		for _, l := range ports {
			t.Row(fmt.Appendf(nil, "%s\x00%d\x00%d\x00%d%%\x00", l.name, l.n, all, 100*l.n/all))
		}
		return t.Flush()
	}
	return nil
}

func (s *summary) layout(heads ...table.Head) *table.Layout {
	return &table.Layout{W: s.l.out, Heads: heads, Width: s.l.width, Color: s.l.color}
}

// problem is a number that is a problem unless it is 0.
func (s *summary) problem(n uint64) string {
	text := strconv.FormatUint(n, 10)
	if n == 0 || !s.l.color {
		return text
	}
	return table.Problem.Paint(text)
}

type ranked struct {
	name string
	n    uint64
}

// topOf returns the keys with the most.
func topOf[K comparable, V any](m map[K]V, of func(V) uint64) []ranked {
	var all []ranked
	for k, v := range m {
		n := of(v)
		if n == 0 || len(all) == talkers && n < all[talkers-1].n {
			continue
		}
		all = append(all, ranked{fmt.Sprint(k), n})
		slices.SortFunc(all, func(a, b ranked) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name)) })
		all = all[:min(len(all), talkers)]
	}
	return all
}

func (s *summary) top(w io.Writer, title, head string, list []ranked, u field.Unit) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	t := s.layout(table.Head{Text: head}, table.Head{Text: "N", Right: true})
	if u != field.None {
		t.Heads[1].Text = "BYTES"
	}
	for _, l := range list {
		t.Row(append(strconv.AppendUint(append(names.AppendEscaped(nil, l.name), 0), l.n, 10), 0))
	}
	t.Flush()
}
