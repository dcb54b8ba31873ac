package list

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/diag/filter"
	"github.com/sockeye-tools/sockeye/render/json"
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
	l          *lister
	states     map[string]*[4]uint64 // by state: tcp, tcp6, udp, udp6
	total      [4]uint64
	recv, send uint64 // bytes
	accept     uint64 // connections
	full       uint64 // listeners whose accept queue is full
	drops      uint64
	stuck      uint64 // connections with a closed window
	retrans    uint64 // segments over all lives
	sending    uint64 // connections that retransmit now
	peers      map[netip.Addr]*peer
	dests      map[route]uint64 // connections from ports of the range that the kernel chooses from
	procs      map[string]uint64
	lo, hi     uint16

	retransTotal, bytesAcked, bytesReceived, dropped *field.Field
}

// route is what one source port can be used for once.
type route struct {
	from netip.Addr
	to   netip.AddrPort
}

func (r route) String() string { return r.from.String() + "\x00" + r.to.String() }

func (r route) compare(o route) int { return cmp.Or(r.from.Compare(o.from), r.to.Compare(o.to)) }

type peer struct {
	sockets, bytes, retrans uint64
}

func newSummary(l *lister) *summary {
	s := &summary{l: l, states: map[string]*[4]uint64{}, peers: map[netip.Addr]*peer{}, dests: map[route]uint64{}, procs: map[string]uint64{}}
	s.lo, s.hi = filter.ReadPortRange("/proc/sys/net/ipv4/ip_local_port_range")
	fs := json.Fields("retrans_total", "bytes_acked", "bytes_received", "drops", "process")
	l.needs(fs...)
	s.retransTotal, s.bytesAcked, s.bytesReceived, s.dropped = fs[0], fs[1], fs[2], fs[3]
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
	state := s.states[name]
	if state == nil {
		state = &[4]uint64{}
		s.states[name] = state
	}
	state[i]++
	s.total[i]++
	drops, _ := s.dropped.Number(ctx, sk)
	s.drops += drops
	if sk.State == diag.Listen && sk.Protocol == diag.TCP {
		s.accept += uint64(sk.RQueue)
		if sk.RQueue > sk.WQueue && sk.Source == diag.FromNetlink {
			s.full++
		}
	} else {
		s.recv += uint64(sk.RQueue)
		s.send += uint64(sk.WQueue)
	}
	if sk.Timer == diag.TimerProbe {
		s.stuck++
	}
	if sk.Timer == diag.TimerOn && sk.Retrans > 0 {
		s.sending++
	}
	retrans, _ := s.retransTotal.Number(ctx, sk)
	s.retrans += retrans
	if sk.Protocol == diag.TCP && !field.NoPeer(sk) {
		p := s.peers[sk.Remote.Addr()]
		if p == nil {
			p = &peer{}
			s.peers[sk.Remote.Addr()] = p
		}
		sent, _ := s.bytesAcked.Number(ctx, sk)
		rcvd, _ := s.bytesReceived.Number(ctx, sk)
		p.sockets, p.bytes, p.retrans = p.sockets+1, p.bytes+sent+rcvd, p.retrans+retrans
		if port := sk.Local.Port(); port >= s.lo && port <= s.hi {
			s.dests[route{sk.Local.Addr(), sk.Remote}]++
		}
	}
	hs := ctx.Holders(sk)
	for i, h := range hs {
		if h.Known && !slices.ContainsFunc(hs[:i], func(o *field.Holder) bool { return o.Known && o.Comm == h.Comm }) {
			s.procs[h.Comm]++
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
	fmt.Fprintf(w, "\nqueues           %d bytes to read, %d bytes to send, %d connections to accept\n", s.recv, s.send, s.accept)
	fmt.Fprintf(w, "full listeners   %s\n", s.problem(s.full))
	fmt.Fprintf(w, "drops            %s packets, of sockets that are still open\n", s.problem(s.drops))
	fmt.Fprintf(w, "closed windows   %s connections wait for their peer to read\n", s.problem(s.stuck))
	fmt.Fprintf(w, "retransmissions  %d segments, of connections that are still open; %s connections retransmit now\n", s.retrans, s.problem(s.sending))

	s.top(w, "most connections", "PEER", topOf(s.peers, func(p *peer) uint64 { return p.sockets }, netip.Addr.Compare), field.None)
	s.top(w, "most bytes", "PEER", topOf(s.peers, func(p *peer) uint64 { return p.bytes }, netip.Addr.Compare), field.Bytes)
	s.top(w, "most retransmissions", "PEER", topOf(s.peers, func(p *peer) uint64 { return p.retrans }, netip.Addr.Compare), field.None)
	s.top(w, "most sockets", "PROCESS", topOf(s.procs, func(n uint64) uint64 { return n }, strings.Compare), field.None)
	ports := topOf(s.dests, func(n uint64) uint64 { return n }, route.compare)
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
	return &table.Layout{W: s.l.out, Heads: heads, NoHeader: s.l.opts.NoHeader, Width: s.l.width, Color: s.l.color}
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

// topOf returns the keys with the most, and of those with as many the first.
func topOf[K comparable, V any](m map[K]V, of func(V) uint64, compare func(a, b K) int) (list []ranked) {
	type entry struct {
		key K
		n   uint64
	}
	order := func(a, b entry) int { return cmp.Or(cmp.Compare(b.n, a.n), compare(a.key, b.key)) }
	var most []entry
	for k, v := range m {
		e := entry{k, of(v)}
		if e.n == 0 || len(most) == talkers && order(e, most[talkers-1]) > 0 {
			continue
		}
		i, _ := slices.BinarySearchFunc(most, e, order)
		most = slices.Insert(most[:min(len(most), talkers-1)], i, e)
	}
	for _, e := range most {
		list = append(list, ranked{fmt.Sprint(e.key), e.n})
	}
	return list
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
