package names

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestHosts(t *testing.T) {
	var asked atomic.Int32
	h := Hosts{LookupAddr: func(_ context.Context, addr string) ([]string, error) {
		asked.Add(1)
		switch addr {
		case "192.0.2.1":
			return []string{"one.example.", "uno.example."}, nil
		case "192.0.2.2":
			return []string{"two\x1b[31m"}, nil
		case "192.0.2.3":
			return nil, nil
		}
		return nil, &net.DNSError{IsNotFound: true}
	}}
	for range 2 {
		for _, tt := range []struct{ addr, want string }{
			{"192.0.2.1", "one.example"},
			{"::ffff:192.0.2.1", "one.example"},
			{"192.0.2.2", `two\033[31m`},
			{"192.0.2.3", ""},
			{"2001:db8::1", ""},
		} {
			got, ok := h.Lookup(t.Context(), netip.MustParseAddr(tt.addr))
			if got != tt.want || ok != (tt.want != "") {
				t.Errorf("Lookup(%s) = %q, %v, want %q", tt.addr, got, ok, tt.want)
			}
		}
	}
	if asked.Load() != 4 {
		t.Errorf("asked %d times, want 4", asked.Load())
	}
	if h.Stopped() {
		t.Error("stopped though every look-up was answered")
	}
	one := netip.MustParseAddr("192.0.2.1")
	if n := testing.AllocsPerRun(100, func() { h.Lookup(t.Context(), one) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// dead is a name server that does not answer.
func dead(ctx context.Context, _ string) ([]string, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func addrs(n int) []netip.Addr {
	a := make([]netip.Addr, n)
	for i := range a {
		a[i] = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
	}
	return a
}

func TestHostsStopsAfterTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := Hosts{LookupAddr: dead, Timeout: time.Second, Budget: time.Hour, MaxTimeouts: 3, Parallel: 1}
		start := time.Now()
		for _, a := range addrs(1000) {
			h.Lookup(t.Context(), a)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("took %v, want 3 s", took)
		}
		if !h.Stopped() {
			t.Error("not stopped")
		}
	})
}

func TestHostsBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		h := Hosts{Budget: 5 * time.Second, Timeout: 2 * time.Second, LookupAddr: func(ctx context.Context, _ string) ([]string, error) {
			if n++; n%2 == 0 {
				return []string{"quick"}, nil // so the time-outs are never in a row
			}
			return dead(ctx, "")
		}}
		start := time.Now()
		for _, a := range addrs(1000) {
			h.Lookup(t.Context(), a)
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("took %v, want 5 s", took)
		}
		if !h.Stopped() {
			t.Error("not stopped")
		}
	})
}

func TestHostsResolvesInParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		h := Hosts{Parallel: 4, LookupAddr: func(_ context.Context, addr string) ([]string, error) {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Second)
			now.Add(-1)
			return []string{"h" + addr}, nil
		}}
		start := time.Now()
		all := addrs(8)
		h.Resolve(t.Context(), append(all, all...))
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("took %v, want 2 s", took)
		}
		if most.Load() > 4 {
			t.Errorf("%d look-ups at the same time, want at most 4", most.Load())
		}
		for _, a := range all {
			if name, _ := h.Lookup(t.Context(), a); name != "h"+a.String() {
				t.Errorf("%v has the name %q", a, name)
			}
		}
	})
}

func TestHostsErrorIsNoTimeout(t *testing.T) {
	h := Hosts{MaxTimeouts: 1, LookupAddr: func(context.Context, string) ([]string, error) {
		return nil, errors.New("refused")
	}}
	for _, a := range addrs(5) {
		h.Lookup(t.Context(), a)
	}
	if h.Stopped() {
		t.Error("stopped by refusals")
	}
}
