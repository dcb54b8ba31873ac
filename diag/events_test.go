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
		q.Begun = func() { close(watching) }
		go func() {
			defer close(events)
			for s, err := range c.InetDestroyed(ctx, q) {
				if err != nil {
					if !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
					return
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
		select {
		case <-watching:
		case <-events: // it has failed
		}
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
		deadline := time.After(time.Minute)
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

// What a dump has that is made once the watch is on, is told of when it is freed.
func TestDestroyedBehindADump(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	s := newSock(t, unix.AF_INET, unix.SOCK_DGRAM, 0).bind("127.0.0.1:0")
	cookie := s.cookie()
	var dumped []*diag.InetSocket
	begun := func() {
		dumped = mustAll(t, c, diag.InetQuery{Protocol: diag.UDP})
		s.close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for freed, err := range c.InetDestroyed(ctx, diag.EventQuery{Begun: begun}) {
		if err != nil || len(dumped) != 1 || dumped[0].Cookie != cookie || freed.Cookie != cookie {
			t.Errorf("%+v, %v; dumped %s", freed, err, text(dumped))
		}
		break
	}
	if dumped == nil {
		t.Error("nothing was called")
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
	for _, protocols := range [][]diag.Protocol{{diag.Raw}, {diag.TCP, diag.SCTP}} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // not to wait for events
		if err := one(ctx, diag.EventQuery{Protocols: protocols, Begun: func() { t.Error("no watch is on") }}); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v: %v", protocols, err)
		}
		cancel()
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

// A watch ends when its Conn is closed.
func TestDestroyedEndsWithClose(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	watching, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		var last error
		for _, err := range c.InetDestroyed(t.Context(), diag.EventQuery{Begun: func() { close(watching) }}) {
			last = err
		}
		ended <- last
	}()
	select {
	case <-watching:
	case err := <-ended:
		t.Fatal(err)
	}
	c.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, os.ErrClosed) || errors.Is(err, context.Canceled) {
			t.Errorf("%v, want that the Conn is closed", err)
		}
	case <-time.After(time.Minute):
		t.Error("the watch goes on")
	}
}
