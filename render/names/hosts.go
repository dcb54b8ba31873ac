package names

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Hosts names addresses by reverse look-up (/etc/hosts and DNS, as nsswitch.conf orders them).
//
// A name server that does not answer cannot hold up the program for longer than Budget: once that is used up, or after
// MaxTimeouts look-ups in a row without an answer, nothing is looked up any more and Stopped tells so.
type Hosts struct {
	// LookupAddr returns the names of an address; nil is net.DefaultResolver's.
	LookupAddr  func(ctx context.Context, addr string) ([]string, error)
	Timeout     time.Duration // for one look-up; 0: 2 s
	Budget      time.Duration // for all of them, on the clock while somebody waits; 0: 10 s
	MaxTimeouts int           // 0: 8
	Parallel    int           // look-ups at the same time; 0: 16

	names    map[netip.Addr]string // "": has no name
	used     time.Duration
	timeouts int // in a row
	stopped  bool
}

// Stopped reports whether look-ups were given up: names are missing that may exist.
func (h *Hosts) Stopped() bool { return h.stopped }

// Lookup returns the name of an address. An IPv4-mapped IPv6 address has the name of the IPv4 address.
func (h *Hosts) Lookup(ctx context.Context, a netip.Addr) (string, bool) {
	a = a.Unmap()
	name, ok := h.names[a]
	if !ok {
		h.Resolve(ctx, []netip.Addr{a})
		name = h.names[a]
	}
	return name, name != ""
}

// Resolve looks up, in parallel, what is not yet known of the addresses. Callers that have many of them at hand get all the
// names in about the time that one takes.
func (h *Hosts) Resolve(ctx context.Context, addrs []netip.Addr) {
	if h.names == nil {
		h.names = map[netip.Addr]string{}
	}
	var todo []netip.Addr
	for _, a := range addrs {
		a = a.Unmap()
		if _, ok := h.names[a]; !ok {
			h.names[a] = ""
			todo = append(todo, a)
		}
	}
	left := or(h.Budget, 10*time.Second) - h.used
	if len(todo) == 0 || h.stopped {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	start := time.Now()
	h.resolve(ctx, todo)
	h.used += time.Since(start)
	if h.used >= or(h.Budget, 10*time.Second) {
		h.stopped = true
	}
}

// resolve looks up addresses that nobody asked about before.
func (h *Hosts) resolve(ctx context.Context, todo []netip.Addr) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	next := 0
	for range min(or(h.Parallel, 16), len(todo)) {
		wg.Go(func() {
			for {
				mu.Lock()
				if next == len(todo) || h.stopped || ctx.Err() != nil {
					mu.Unlock()
					return
				}
				a := todo[next]
				next++
				mu.Unlock()

				name, timeout := h.lookup(ctx, a)

				mu.Lock()
				h.names[a] = name
				if !timeout {
					h.timeouts = 0
				} else if h.timeouts++; h.timeouts >= or(h.MaxTimeouts, 8) {
					h.stopped = true
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// lookup asks once, and reports whether there was no answer in time.
func (h *Hosts) lookup(ctx context.Context, a netip.Addr) (name string, timeout bool) {
	lookup := h.LookupAddr
	if lookup == nil {
		lookup = net.DefaultResolver.LookupAddr
	}
	ctx, cancel := context.WithTimeout(ctx, or(h.Timeout, 2*time.Second))
	defer cancel()
	found, err := lookup(ctx, a.String())
	if err != nil || len(found) == 0 {
		var dns *net.DNSError
		return "", errors.Is(err, context.DeadlineExceeded) || errors.As(err, &dns) && dns.IsTimeout
	}
	return escaped(strings.TrimSuffix(found[0], ".")), false
}

func or[T int | time.Duration](v, zero T) T {
	if v == 0 {
		return zero
	}
	return v
}
