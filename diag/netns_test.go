package diag_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/release"
)

// outside runs f in a goroutine, so on a thread of the test process's own namespace.
func outside(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

func TestNamespaces(t *testing.T) {
	ns := newNetNS(t)
	p := newPair(t, unix.AF_INET, "127.0.0.1:0")
	lite, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDPLITE)
	if err == nil {
		unix.Close(lite)
	}
	raw := newSock(t, unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	here := dial(t, nil)
	path := fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid())

	look := func(how string, c *diag.Conn) {
		t.Helper()
		if got, err := all(t.Context(), c, diag.InetQuery{}); err != nil || len(got) != 3 {
			t.Errorf("%s: %v%s\nwant the 3 sockets of the namespace", how, err, text(got))
		}
		if s, err := c.LookupInet(t.Context(), diag.InetKey{Local: p.client.local(), Remote: p.client.remote()}); err != nil || s.Cookie != p.client.cookie() {
			t.Errorf("%s: lookup: %v", how, err)
		}
		// Raw sockets, from /proc where the kernel has no handler.
		got, err := all(t.Context(), c, diag.InetQuery{Protocol: diag.Raw})
		if err != nil || len(got) != 1 || got[0].Inode != raw.inode() {
			t.Errorf("%s: raw sockets: %v%s", how, err, text(got))
		}
		// Two at a time: one of them opens a netlink socket anew.
		for range c.Inet(t.Context(), diag.InetQuery{Family: diag.IPv4}) {
			if got, err := all(t.Context(), c, diag.InetQuery{}); err != nil || len(got) != 3 {
				t.Errorf("%s: second dump: %v%s", how, err, text(got))
			}
			break
		}
	}
	look("on the thread", here)
	outside(func() {
		look("dialled on the thread, used from elsewhere", here)
		byPath, err := diag.Dial(&diag.Config{NetNS: path})
		if err != nil {
			t.Error(err)
			return
		}
		defer byPath.Close()
		look("by path", byPath)
		byFD, err := diag.Dial(&diag.Config{NetNSFD: int(ns.Fd()), NetNS: "/not/looked/at"})
		if err != nil {
			t.Error(err)
			return
		}
		defer byFD.Close()
		look("by descriptor", byFD)

		// The thread that dialled is in its own namespace as before.
		if where, err := os.Readlink("/proc/thread-self/ns/net"); err != nil || where == readlink(t, path) {
			t.Errorf("the thread was left in %s, %v", where, err)
		}
		own, err := diag.Dial(nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer own.Close()
		if _, err := own.LookupInet(t.Context(), diag.InetKey{Local: p.client.local(), Remote: p.client.remote(), Cookie: p.client.cookie()}); classOf(err) != "not-exist" {
			t.Errorf("the test's socket is seen from another namespace: %v", err)
		}
	})
}

func readlink(t *testing.T, path string) string {
	to, err := os.Readlink(path)
	if err != nil {
		t.Error(err)
	}
	return to
}

// What the kernel has no handler for comes from /proc/net, in the right namespace.
func TestProcInTheNamespace(t *testing.T) {
	ns := newNetNS(t)
	protos := map[diag.Protocol]*sock{diag.Raw: newSock(t, unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)}
	if fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDPLITE); err == nil {
		lite := &sock{t, fd}
		t.Cleanup(lite.close)
		protos[diag.UDPLite] = lite.bind("127.0.0.1:0")
	} else {
		t.Logf("the kernel has no UDP-Lite: %v", err)
	}
	outside(func() {
		c, err := diag.Dial(&diag.Config{NetNSFD: int(ns.Fd())})
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		for p, s := range protos {
			got, err := all(t.Context(), c, diag.InetQuery{Protocol: p})
			if err != nil || len(got) != 1 || got[0].Inode != s.inode() || got[0].Protocol != p || got[0].State != diag.Close {
				t.Errorf("%v: %v%s\nwant inode %d", p, err, text(got), s.inode())
				continue
			}
			if p == diag.UDPLite && got[0].Local != s.local() || p == diag.Raw && got[0].Local.Port() != unix.IPPROTO_ICMP {
				t.Errorf("%v: %s", p, text(got))
			}
			if got, err := all(t.Context(), c, diag.InetQuery{Protocol: p, States: diag.StatesOf(diag.Established)}); err != nil || got != nil {
				// The handler of raw sockets (RAW_DIAG) does not look at states.
				if p != diag.Raw || err != nil || len(got) != 1 || got[0].Source != diag.FromNetlink {
					t.Errorf("%v, connected ones: %v%s", p, err, text(got))
				}
			}
		}
		// Neither a handler nor a table, but for kernels with INET_DCCP_DIAG, up to Linux 6.15.
		if got, err := all(t.Context(), c, diag.InetQuery{Protocol: diag.DCCP}); got != nil || classOf(err) != "unsupported" && (err != nil || release.Running() >= release.Of(6, 16)) {
			t.Errorf("DCCP: %v%s\nwant ErrUnsupported", err, text(got))
		}
	})
}

// What runs in the namespace may use the Conn, and may end its goroutine.
func TestInNetNS(t *testing.T) {
	newNetNS(t)
	newSock(t, unix.AF_INET, unix.SOCK_STREAM, 0).bind("127.0.0.1:0").listen(1)
	c := dial(t, nil)
	ended := make(chan struct{})
	go func() { // a thread of another namespace
		defer close(ended)
		for range 3 {
			err := c.InNetNS(func() error {
				own, err := diag.Dial(nil)
				if err != nil {
					return err
				}
				defer own.Close()
				for _, c := range []*diag.Conn{own, c} {
					if n, ok := c.CountTCP(); n != 1 || !ok {
						t.Errorf("%d sockets, %v, want 1", n, ok)
					}
				}
				return fs.ErrInvalid
			})
			if !errors.Is(err, fs.ErrInvalid) {
				t.Error(err)
			}
		}
		if err := c.InNetNS(func() error { runtime.Goexit(); return nil }); err == nil {
			t.Error("a function that ended its goroutine: no error")
		}
		c.Close()
		if err := c.InNetNS(func() error { return nil }); !errors.Is(err, os.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	}()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
}
