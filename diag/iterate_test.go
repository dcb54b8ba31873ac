package diag_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
)

// The iterator tells of every socket what a dump tells of it, but for attributes: over sockets in every state, with every timer.
func TestIterateTellsWhatADumpTells(t *testing.T) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	var major, minor int
	fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &major, &minor)
	if major < 6 || major == 6 && minor < 18 {
		t.Skipf("needs Linux 6.18 for sk_ino, this is %d.%d", major, minor)
	}
	s := scene.New(t)
	s.Do(func() {
		c, err := diag.Dial(nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		if err := c.Iterable(); errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
			t.Logf("skipped: %v", err)
			return
		}
		states := map[diag.State]int{}
		timers := map[diag.Timer]int{}
		for _, q := range []diag.InetQuery{
			{},
			{Family: diag.IPv4},
			{Family: diag.IPv6},
			{States: diag.StatesOf(diag.Established, diag.SynRecv)},
		} {
			began := time.Now()
			dumped := map[uint64]*diag.InetSocket{}
			for sock, err := range c.Inet(t.Context(), q) {
				if err != nil {
					t.Error(err)
					return
				}
				if sock.State != diag.Close { // those that are only bound: a search of its own
					dumped[sock.Cookie] = sock.Clone()
				}
			}
			q.Iter = true
			for sock, err := range c.Inet(t.Context(), q) {
				if err != nil {
					t.Error(err)
					return
				}
				states[sock.State]++
				timers[sock.Timer]++
				want := dumped[sock.Cookie]
				if want == nil {
					t.Errorf("%+v: a dump does not have it", sock)
					continue
				}
				delete(dumped, sock.Cookie)
				if _, ok := sock.Attr(diag.AttrShutdown); ok {
					t.Errorf("%v %v: it has an attribute", sock.Local, sock.Remote)
				}
				fired := want.Expires <= time.Since(began) // and was set anew
				if fell := want.Expires - sock.Expires; want.Timer == sock.Timer && !fired && (fell < -time.Millisecond || fell > time.Minute) {
					t.Errorf("%v %v: timer in %v, and some moments before in %v", sock.Local, sock.Remote, sock.Expires, want.Expires)
				}
				if got, want := head(sock), head(want); got != want {
					t.Errorf("%v %v:\n got %s\nwant %s", sock.Local, sock.Remote, got, want)
				}
				if sock.Timer == diag.TimerOn && sock.Retrans < want.Retrans || sock.Retrans > want.Retrans+3 { // an answer to a probe ends its count
					t.Errorf("%v %v: retried %d times, and some moments before %d times", sock.Local, sock.Remote, sock.Retrans, want.Retrans)
				}
			}
			for _, sock := range dumped {
				t.Errorf("%+v: the iterator does not have it", sock)
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
}

// head is what does not change while nothing happens. A timer may fire between, and count once more.
func head(s *diag.InetSocket) string {
	retrans := s.Retrans
	if s.Timer == diag.TimerOn || s.Timer == diag.TimerProbe {
		retrans = 0
	}
	return fmt.Sprint(s.Family, s.State, s.Local, s.Remote, s.Interface, s.RQueue, s.WQueue, s.UID, s.Inode, s.Timer, retrans)
}
