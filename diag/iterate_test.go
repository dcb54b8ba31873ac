package diag_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/release"
)

// The iterator tells of every socket what a dump tells of it, but for attributes: over sockets in every state, with every timer.
func TestIterateTellsWhatADumpTells(t *testing.T) {
	if release.Running() < release.Of(6, 18) {
		t.Skip("needs Linux 6.18 for sk_ino")
	}
	s := scene.New(t)
	var lacks error
	err := s.Do(func() {
		c, err := diag.Dial(nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		if lacks = c.Iterable(); errors.Is(lacks, fs.ErrPermission) || errors.Is(lacks, errors.ErrUnsupported) {
			return
		}
		states := map[diag.State]int{}
		timers := map[diag.Timer]int{}
		// differences are those between a dump and the iterator right after it.
		differences := func(q diag.InetQuery) (diffs []string) {
			differs := func(format string, args ...any) { diffs = append(diffs, fmt.Sprintf(format, args...)) }
			began := time.Now()
			dumped := map[uint64]*diag.InetSocket{}
			for sock, err := range c.Inet(t.Context(), q) {
				if err != nil {
					differs("%v", err)
					return diffs
				}
				if sock.State != diag.Close { // those that are only bound: a search of its own
					dumped[sock.Cookie] = sock.Clone()
				}
			}
			q.Iter = true
			for sock, err := range c.Inet(t.Context(), q) {
				if err != nil {
					differs("%v", err)
					return diffs
				}
				states[sock.State]++
				timers[sock.Timer]++
				want := dumped[sock.Cookie]
				if want == nil {
					differs("%+v: a dump does not have it", sock)
					continue
				}
				delete(dumped, sock.Cookie)
				if _, ok := sock.Attr(diag.AttrShutdown); ok {
					differs("%v %v: it has an attribute", sock.Local, sock.Remote)
				}
				passed := time.Since(began)
				const ticks = 25 * time.Millisecond
				fired := want.Expires <= passed+ticks // and was set anew
				if sock.Timer == diag.TimerTimeWait {
					fired = sock.Expires+passed+ticks >= time.Minute // an acknowledgement begins its time anew
				}
				if fell := want.Expires - sock.Expires; want.Timer == sock.Timer && !fired && (fell < -time.Millisecond || fell > passed+ticks) {
					differs("%v %v: timer in %v, and some moments before in %v", sock.Local, sock.Remote, sock.Expires, want.Expires)
				}
				if got, want := head(sock), head(want); got != want {
					differs("%v %v:\n got %s\nwant %s", sock.Local, sock.Remote, got, want)
				}
				if sock.Timer == diag.TimerOn && sock.Retrans < want.Retrans || sock.Retrans > want.Retrans+3 { // an answer to a probe ends its count
					differs("%v %v: retried %d times, and some moments before %d times", sock.Local, sock.Remote, sock.Retrans, want.Retrans)
				}
			}
			for _, sock := range dumped {
				differs("%+v: the iterator does not have it", sock)
			}
			return diffs
		}
		for _, q := range []diag.InetQuery{
			{},
			{Family: diag.IPv4},
			{Family: diag.IPv6},
			{States: diag.StatesOf(diag.Established, diag.SynRecv)},
			{States: diag.StatesOf(diag.Established, diag.NewSynRecv)},
		} {
			diffs := differences(q)
			for range 9 { // a socket whose timer fires has none for a moment
				if len(diffs) > 0 {
					diffs = differences(q)
				}
			}
			for _, d := range diffs {
				t.Errorf("%+v: %s", q, d)
			}
		}
		for st := diag.Established; st <= diag.Closing; st++ {
			if st != diag.Close && states[st] == 0 {
				t.Errorf("no socket was in state %v", st)
			}
		}
		for tm := diag.TimerOff; tm <= diag.TimerProbe; tm++ {
			if timers[tm] == 0 {
				t.Errorf("no socket had timer %v", tm)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if lacks != nil && !t.Failed() {
		t.Skipf("needs CAP_BPF, CAP_PERFMON and BTF: %v", lacks)
	}
}

// head is what does not change while nothing happens. A timer may fire between, and count once more.
func head(s *diag.InetSocket) string {
	retrans := s.Retrans
	if s.Timer == diag.TimerOn || s.Timer == diag.TimerProbe {
		retrans = 0
	}
	return fmt.Sprint(s.Family, s.State, s.Local, s.Remote, s.Interface, s.RQueue, s.WQueue, s.UID, s.Inode, s.Timer, retrans)
}

// A kernel that is played is asked, and not the one that runs.
func TestIterElsewhere(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		return []diagtest.Datagram{diagtest.Datagram{}.Append(r, 20, unix.NLM_F_MULTI, withCookie(rowOf(unix.AF_INET), 44, 5)).Done(r)}
	})
	if got := inetCookies(diag.InetQuery{Iter: true})(t, dial(t, k.Config())); !slices.Equal(got, []uint64{5}) || len(k.Requests()) != 1 {
		t.Errorf("sockets %d, asked %d times", got, len(k.Requests()))
	}
}

// What an iterator cannot tell is dumped.
func TestIterateOnlyWhatCanBe(t *testing.T) {
	newNetNS(t)
	p := newPair(t, unix.AF_INET, "127.0.0.1:0")
	c := dial(t, nil)
	established := diag.StatesOf(diag.Established)
	for _, s := range mustAll(t, c, diag.InetQuery{Iter: true, States: established, Ext: diag.ExtInfo}) {
		if _, ok := s.Attr(diag.AttrInfo); !ok {
			t.Errorf("%v %v: no tcp_info", s.Local, s.Remote)
		}
	}
	// sport <= 0, else behind the end
	none := binary.NativeEndian.AppendUint16([]byte{3, 8}, 12)
	none = append(none, 0, 0, 0, 0)
	for _, s := range mustAll(t, c, diag.InetQuery{Iter: true, States: established, Bytecode: none}) {
		t.Errorf("%v %v: the filter rejects it", s.Local, s.Remote)
	}
	for _, s := range mustAll(t, c, diag.InetQuery{Iter: true, Protocol: diag.UDP}) {
		t.Errorf("%v %v: no UDP socket is there", s.Local, s.Remote)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(os.ErrProcessDone)
	if got, err := all(ctx, c, diag.InetQuery{Iter: true}); len(got) != 0 || !errors.Is(err, context.Canceled) || !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("cancelled: %d sockets, %v", len(got), err)
	}
	withoutGC(t)
	// Loading a program takes thousands.
	if n := testing.AllocsPerRun(1, func() { all(ctx, c, diag.InetQuery{Iter: true}) }); n > 500 {
		t.Errorf("cancelled: %v allocations", n)
	}
	if got := mustAll(t, c, diag.InetQuery{Iter: true, States: established}); len(got) != 2 || got[0].Cookie != p.client.cookie() && got[1].Cookie != p.client.cookie() {
		t.Errorf("%d sockets", len(got))
	}
}
