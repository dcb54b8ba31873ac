package diag_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
)

// A socket that is freed is told of with its addresses and cookie, by protocol and family as asked for.
func TestDestroyedSockets(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	type seen struct {
		local  netip.AddrPort
		cookie uint64
	}
	watch := func(q diag.EventQuery) (events chan seen, stop func()) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		events = make(chan seen, 100)
		watching := make(chan struct{})
		go func() {
			defer close(events)
			first := true
			for s, err := range c.InetDestroyed(ctx, q) {
				if err != nil {
					if !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
					return
				}
				if first { // the probe below
					first = false
					close(watching)
					continue
				}
				if s.State != diag.Close || s.Inode != 0 {
					t.Errorf("%+v", s)
				}
				if len(q.Protocols) > 0 && s.Protocol != q.Protocols[0] || q.Family != diag.Unspec && s.Family != q.Family {
					t.Errorf("%+v: not asked for", s)
				}
				events <- seen{s.Local, s.Cookie}
			}
		}()
		// The watch is on once it sees a socket that is closed for that.
		probe := func() bool {
			family, typ, addr := unix.AF_INET, unix.SOCK_STREAM, "127.0.0.1:0"
			if q.Family == diag.IPv6 {
				family, addr = unix.AF_INET6, "[::1]:0"
			}
			if len(q.Protocols) > 0 && q.Protocols[0] == diag.UDP {
				typ = unix.SOCK_DGRAM
			}
			newSock(t, family, typ, 0).bind(addr).close()
			select {
			case <-watching:
				return true
			case <-time.After(20 * time.Millisecond):
				return false
			}
		}
		eventually(t, "the watch to begin", probe)
		return events, cancel
	}

	for _, tt := range []struct {
		query diag.EventQuery
		want  []string
	}{
		{diag.EventQuery{}, []string{"tcp4", "tcp6", "udp4", "udp6"}},
		{diag.EventQuery{Protocols: []diag.Protocol{diag.TCP}}, []string{"tcp4", "tcp6"}},
		{diag.EventQuery{Protocols: []diag.Protocol{diag.UDP}, Family: diag.IPv6}, []string{"udp6"}},
	} {
		events, stop := watch(tt.query)
		socks := map[string]*sock{}
		for _, s := range []struct {
			name        string
			family, typ int
			addr        string
		}{
			{"tcp4", unix.AF_INET, unix.SOCK_STREAM, "127.0.0.1:0"}, {"tcp6", unix.AF_INET6, unix.SOCK_STREAM, "[::1]:0"},
			{"udp4", unix.AF_INET, unix.SOCK_DGRAM, "127.0.0.1:0"}, {"udp6", unix.AF_INET6, unix.SOCK_DGRAM, "[::1]:0"},
		} {
			sk := newSock(t, s.family, s.typ, 0).bind(s.addr)
			if s.typ == unix.SOCK_STREAM {
				sk.listen(1)
			}
			socks[s.name] = sk
		}
		want := map[seen]bool{}
		last := map[*sock]bool{} // so that others are told of before, should they be
		for _, name := range tt.want {
			s := socks[name]
			want[seen{s.local(), s.cookie()}], last[s] = true, true
		}
		for _, s := range socks {
			if !last[s] {
				s.close()
			}
		}
		for s := range last {
			s.close()
		}
		deadline := time.After(30 * time.Second)
		for len(want) > 0 {
			select {
			case e := <-events:
				delete(want, e)
			case <-deadline:
				t.Fatalf("%+v: %d events did not come", tt.query, len(want))
			}
		}
		stop()
		for range events { // until it has ended
		}
	}
}

func TestDestroyedErrors(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	one := func(ctx context.Context, q diag.EventQuery) (err error) {
		for _, err = range c.InetDestroyed(ctx, q) {
		}
		return err
	}
	if err := one(t.Context(), diag.EventQuery{Protocols: []diag.Protocol{diag.Raw}}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("raw: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := one(ctx, diag.EventQuery{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	c.Close()
	if err := one(t.Context(), diag.EventQuery{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
