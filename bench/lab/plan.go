package lab

import (
	"fmt"
	"net/netip"
)

const (
	maxProcs = 4096
	// spareFDs is what a worker needs besides its sockets: pipes, the runtime's
	// epoll descriptor, raw sockets, and room for a batch in flight.
	spareFDs = 64
	// mostPerProc bounds a worker where RLIMIT_NOFILE does not: 20,000 is the order
	// of what one busy server process holds.
	mostPerProc = 19_900
	// rounding is how much larger a worker can get because each of its parts is rounded up.
	rounding = 8
	// batch is how many connections wait in an accept queue during the build.
	batch = 256
)

// spec is what one worker makes. Arrays are indexed by family: 0 is IPv4, 1 is IPv6.
type spec struct {
	Comm     string
	Index    int    // picks the worker's own addresses
	Listen   [2]int // listening sockets nobody connects to
	Pairs    [2]int // connections with both ends here, over one listener
	Backlog  [2]int // connections never accepted, over one listener whose queue they fill
	Remote   [2]int // ESTABLISHED towards a peer that does not answer, with unacknowledged data
	SynSent  [2]int
	SynRecv  [2]int // over one listener
	TimeWait [2]int
	UDP      [2]int
	Mapped   int // IPv4 connections over one IPv6 listener
	Unix     int
	Share    int // this many sockets are also held by a child
	Dial     []link
	Accept   []link
}

// link is connections between two workers. After each batch of connects the
// dialer writes one byte, and after accepting them the acceptor writes one back.
type link struct {
	V6       bool
	Count    int
	Dst      netip.AddrPort
	Listener int // descriptor of a shared listener, or -1: the acceptor makes its own
	In, Out  int // descriptors of the two pipes
}

// over is the size of n connections over one listener.
func over(n, each int) int {
	if n == 0 {
		return 0
	}
	return 1 + n*each
}

// made is the number of sockets the spec makes, shared listeners and raw sockets not among them.
func (s *spec) made() int {
	n := over(s.Mapped, 2) + s.Unix
	for f := range 2 {
		n += s.Listen[f] + over(s.Pairs[f], 2) + over(s.Backlog[f], 2) + s.Remote[f] + s.SynSent[f] +
			over(s.SynRecv[f], 1) + s.TimeWait[f] + s.UDP[f]
	}
	for _, l := range s.Dial {
		n += l.Count
	}
	for _, l := range s.Accept {
		n += l.Count
		if l.Listener < 0 {
			n++
		}
	}
	return n
}

// descriptors is how many of them have a descriptor.
func (s *spec) descriptors() int {
	n := s.made()
	for f := range 2 {
		n -= s.Backlog[f] + s.SynRecv[f] + s.TimeWait[f]
	}
	return n
}

func (s *spec) raw() bool {
	return s.SynRecv != [2]int{} || s.TimeWait != [2]int{}
}

// fill adds exactly n TCP sockets of family f that need no other worker.
func (s *spec) fill(f, n int) {
	if n >= 400 {
		s.Backlog[f] = 4
		s.Remote[f] += n / 100
		s.SynSent[f] += n / 200
		n -= over(4, 2) + n/100 + n/200
	}
	s.Pairs[f] = max(n-1, 0) / 2
	s.Listen[f] += n - over(s.Pairs[f], 2)
}

// plan is the workers of a lab, the listeners they inherit and the links between them.
type plan struct {
	workers []*spec
	shared  []sharedListener
	joins   []join
}

type sharedListener struct {
	v6      bool
	addr    netip.AddrPort
	holders []*spec
}

// join connects a dialer to an acceptor, whose links are at the given positions.
type join struct {
	from, to *spec
	dial     int
	accept   int
	shared   int // index into plan.shared, or -1
}

func (p *plan) add(comm string) *spec {
	s := &spec{Comm: comm, Index: len(p.workers)}
	p.workers = append(p.workers, s)
	return s
}

func (p *plan) join(from, to *spec, v6 bool, n, shared int, dst netip.AddrPort) {
	l := link{V6: v6, Count: n, Dst: dst, Listener: -1}
	from.Dial = append(from.Dial, l)
	if shared >= 0 {
		l.Listener = 0 // its descriptor is known when the worker starts
	}
	to.Accept = append(to.Accept, l)
	p.joins = append(p.joins, join{from, to, len(from.Dial) - 1, len(to.Accept) - 1, shared})
}

func (p *plan) made() int {
	n := len(p.shared)
	for _, s := range p.workers {
		n += s.made()
	}
	return n
}

// part is the i-th of k nearly equal parts of n.
func part(n, k, i int) int { return n*(i+1)/k - n*i/k }

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// byFamily splits n by the percentage of IPv6.
func byFamily(n, ipv6 int) [2]int {
	six := n * ipv6 / 100
	return [2]int{n - six, six}
}

// tiny is a lab too small to have a shape: it has listeners.
const tiny = 64

// newPlan lays out cfg.Sockets sockets over workers of at most perProc descriptors,
// with cpus workers where descriptors do not matter.
func newPlan(cfg Config, perProc, cpus int) (*plan, error) {
	p := &plan{}
	switch {
	case cfg.Shape == TimeWait:
		p.timeWait(cfg, cpus)
	case cfg.Shape == Listeners || cfg.Sockets < tiny:
		p.listeners(cfg, perProc)
	case cfg.Shape == Pairs:
		p.pairs(cfg, perProc)
	case cfg.Shape == Server:
		p.server(cfg, perProc)
	case cfg.Shape == Proxy:
		p.proxy(cfg, perProc)
	case cfg.Shape == Mixed:
		p.mixed(cfg, perProc)
	}
	if len(p.workers) > maxProcs {
		return nil, fmt.Errorf("plan: %d sockets need %d processes of %d descriptors, more than %d", cfg.Sockets, len(p.workers), perProc, maxProcs)
	}
	big := 0
	for _, s := range p.workers {
		if n := s.descriptors(); n >= 100 {
			if big%4 == 0 {
				s.Share = min(32, n/50)
			}
			big++
		}
	}
	return p, nil
}

func (p *plan) listeners(cfg Config, perProc int) {
	n := cfg.Sockets
	k := min(n, max(ceilDiv(n, perProc), cfg.Procs))
	for i := range k {
		p.add("lab-listen").Listen = byFamily(part(n, k, i), cfg.IPv6)
	}
}

func (p *plan) timeWait(cfg Config, cpus int) {
	n := cfg.Sockets
	k := min(n, max(cpus, cfg.Procs))
	for i := range k {
		p.add("lab-timewait").TimeWait = byFamily(part(n, k, i), cfg.IPv6)
	}
}

func (p *plan) pairs(cfg Config, perProc int) {
	k := min(cfg.Sockets, max(ceilDiv(cfg.Sockets, perProc), cfg.Procs))
	for i := range k {
		s := p.add("lab-pairs")
		for f, n := range byFamily(part(cfg.Sockets, k, i), cfg.IPv6) {
			s.fill(f, n)
		}
	}
}

// front adds the shared listeners of a service, one per family in use, and
// returns their indexes by family.
func (p *plan) front(cfg Config, port uint16) [2]int {
	at := [2]int{-1, -1}
	if cfg.IPv6 < 100 {
		at[0] = len(p.shared)
		p.shared = append(p.shared, sharedListener{addr: netip.AddrPortFrom(netip.IPv4Unspecified(), port)})
	}
	if cfg.IPv6 > 0 {
		at[1] = len(p.shared)
		p.shared = append(p.shared, sharedListener{v6: true, addr: netip.AddrPortFrom(netip.IPv6Unspecified(), port)})
	}
	return at
}

// serve links client and server over the shared listener of each family.
func (p *plan) serve(client, server *spec, flows [2]int, at [2]int, port uint16) {
	for f, n := range flows {
		if at[f] < 0 {
			continue
		}
		p.shared[at[f]].holders = append(p.shared[at[f]].holders, server)
		if n > 0 {
			p.join(client, server, f == 1, n, at[f], netip.AddrPortFrom(ownAddr[f], port))
		}
	}
}

func (p *plan) server(cfg Config, perProc int) {
	at := p.front(cfg, 443)
	rest := cfg.Sockets - len(p.shared)
	gone := rest / 100
	flows := (rest - gone) / 2
	k := max(ceilDiv(flows+gone, perProc-len(p.shared)-rounding), ceilDiv(cfg.Procs, 2))
	k = min(k, max(flows, 1))
	byF, goneF := byFamily(flows, cfg.IPv6), byFamily(gone, cfg.IPv6)
	for i := range k {
		server, client := p.add("lab-server"), p.add("lab-client")
		p.serve(client, server, [2]int{part(byF[0], k, i), part(byF[1], k, i)}, at, 443)
		for f := range 2 {
			server.Remote[f] = part(goneF[f], k, i)
		}
	}
	p.even(cfg)
}

func (p *plan) proxy(cfg Config, perProc int) {
	at := p.front(cfg, 443)
	k := max(ceilDiv(cfg.Sockets*51/100, perProc-len(p.shared)-rounding), ceilDiv(cfg.Procs, 3))
	k = min(k, max(cfg.Sockets/16, 1))
	rest := cfg.Sockets - len(p.shared) - k*len(p.shared) // a backend has a listener per family
	gone := max(rest, 0) / 100
	byF, goneF := byFamily(max(rest-gone, 0)/4, cfg.IPv6), byFamily(gone, cfg.IPv6)
	for i := range k {
		client, proxy, backend := p.add("lab-client"), p.add("lab-proxy"), p.add("lab-backend")
		flows := [2]int{part(byF[0], k, i), part(byF[1], k, i)}
		p.serve(client, proxy, flows, at, 443)
		for f, n := range flows {
			proxy.Remote[f] = part(goneF[f], k, i)
			if n > 0 {
				p.join(proxy, backend, f == 1, n, -1, netip.AddrPortFrom(workerAddr(f, backend.Index, kBackend), 9000))
			}
		}
	}
	p.even(cfg)
}

// even makes the number exact: what whole connections leave over becomes listeners.
func (p *plan) even(cfg Config) {
	f := 0
	if cfg.IPv6 == 100 {
		f = 1
	}
	rest := cfg.Sockets - p.made()
	for i, s := range p.workers {
		s.Listen[f] += part(rest, len(p.workers), i)
	}
}

func (p *plan) mixed(cfg Config, perProc int) {
	const small = 10 // sockets of a small process
	m := min(300, cfg.Sockets/100)
	for i := range m {
		f := (i+1)*cfg.IPv6/100 - i*cfg.IPv6/100
		s := p.add(fmt.Sprintf("lab-small-%d", i))
		s.Unix = 2
		s.UDP[f], s.Remote[f], s.Listen[f] = 1, 1, 1
		s.Pairs[f] = 2 // and their listener
	}
	rest := cfg.Sockets - m*small
	s := p.add("lab-timewait")
	s.TimeWait = byFamily(rest/20, cfg.IPv6)
	s.SynRecv = byFamily(min(rest/200, 2000), cfg.IPv6)
	rest -= s.made()
	k := max(ceilDiv(rest, perProc), cfg.Procs-m-1)
	k = min(k, max(rest/64, 1))
	for i := range k {
		s := p.add("lab-mixed")
		n := part(rest, k, i)
		s.Unix = n * 12 / 100
		s.UDP = byFamily(n/10, cfg.IPv6)
		s.Listen = byFamily(n/100, cfg.IPv6)
		if cfg.IPv6 > 0 {
			s.Mapped = n / 200
		}
		for f, n := range byFamily(n-s.made(), cfg.IPv6) {
			s.fill(f, n)
		}
	}
}
