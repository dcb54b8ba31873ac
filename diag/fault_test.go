package diag_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/internal/check"
	"github.com/sockeye-tools/sockeye/internal/counts"
)

// faulty is a kernel with a fault. A fault that is none of the deadline's gets time enough for a busy machine.
func faulty(t *testing.T, f *diagtest.Fault) (*diag.Conn, *diagtest.Kernel) {
	check.Time(t, time.Minute, func() string { return f.Name })
	var n atomic.Int32
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram { return f.Answer(r, int(n.Add(1))) })
	k.Hurry = f.Waits // once all is read that is sent
	cfg := k.Config()
	cfg.Timeout = time.Hour
	return dial(t, cfg), k
}

// quick reports whether a fault is to be left out where the test is not to be slow, and others have seen it already: it makes the program
// wait.
func quick(f *diagtest.Fault) bool {
	return (f.Waits || f.Asks > 1) && os.Getenv("SOCKEYE_SLOW_TESTS") == ""
}

// judge compares what a dump gave with what the fault allows.
func judge(t *testing.T, f *diagtest.Fault, op string, got, asks int, err error) {
	t.Helper()
	if got != f.Sockets {
		t.Errorf("%d sockets, want %d", got, f.Sockets)
	}
	if asks != f.Asks {
		t.Errorf("asked %d times, want %d", asks, f.Asks)
	}
	if f.Whole {
		if err != nil {
			t.Errorf("error %v, want none", err)
		}
		return
	}
	if _, ok := errors.AsType[*diag.Error](err); !ok {
		t.Fatalf("error %#v is no *diag.Error", err)
	}
	if errors.Is(err, diag.ErrPartial) != f.Partial() {
		t.Errorf("error %q: partial is %v", err, !f.Partial())
	}
	if f.Is != nil && !errors.Is(err, f.Is) {
		t.Errorf("error %q is not %q", err, f.Is)
	}
	if !strings.Contains(err.Error(), f.Text) || !strings.HasPrefix(err.Error(), op) {
		t.Errorf("error %q does not say %q and %q", err, op, f.Text)
	}
}

// TestFaults: each way of a kernel to misbehave gives the sockets that are true, and an error that says why there are no more, after a
// bounded number of tries.
func TestFaults(t *testing.T) {
	n := 0
	for _, f := range diagtest.Faults(func(i int) []byte { return payload(diag.IPv4, uint32(i+1)) }) {
		t.Run(f.Name, func(t *testing.T) {
			c, k := faulty(t, &f)
			got, err := all(t.Context(), c, diag.InetQuery{Family: diag.IPv4})
			for i, s := range got {
				if s.Inode == 0 || s.Inode > 50 || i > 0 && s.Inode <= got[i-1].Inode {
					t.Errorf("socket %d has inode %d", i, s.Inode)
				}
			}
			judge(t, &f, "dump tcp inet", len(got), len(k.Requests()), err)
		})
		n++
		if quick(&f) {
			continue
		}
		n += 2
		t.Run(f.Name+", batches", func(t *testing.T) {
			c, k := faulty(t, &f)
			n, broken := 0, 0
			var last error
			var pool diag.BatchPool
			q := diag.InetQuery{Family: diag.IPv4}
			for b, err := range c.InetBatches(t.Context(), q, &pool) {
				if last = err; err != nil {
					continue
				}
				for range b.Inet() {
					n++
				}
				broken += b.Broken()
				pool.Put(b)
			}
			if last == nil && broken > 0 {
				last = diag.BrokenError(q, broken)
			}
			judge(t, &f, "dump tcp inet", n, len(k.Requests()), last)
		})
		t.Run(f.Name+", recorded", func(t *testing.T) {
			c, k := faulty(t, &f)
			var file bytes.Buffer
			err := c.Record(t.Context(), diag.InetQuery{Family: diag.IPv4}, &file)
			if n := len(k.Requests()); n != 1 { // what was written cannot be taken back
				t.Errorf("asked %d times", n)
			}
			// What is written is as it came: broken messages are in it.
			if broken := strings.Contains(f.Text, "could not be decoded"); (err == nil) != (f.Whole && f.Asks == 1 || broken) {
				t.Errorf("error %v", err)
			}
		})
	}
	counts.Add(t, "faults injected", n)
}

// TestFaultsOfFamilies: so it is with the smaller families.
func TestFaultsOfFamilies(t *testing.T) {
	n := 0
	for _, fam := range families {
		for _, f := range diagtest.Faults(func(int) []byte { return fam.message }) {
			if fam.name == "tipc" && len(f.Name) > 10 && strings.HasPrefix(f.Name, "a message without") {
				continue // there is no struct in front of the attributes, all of which may be missing
			}
			if fam.name == "vsock" && strings.HasPrefix(f.Name, "an attribute") {
				continue // it has none
			}
			if fam.name != "unix" && quick(&f) {
				continue
			}
			n++
			t.Run(fam.name+", "+f.Name, func(t *testing.T) {
				c, k := faulty(t, &f)
				got, err := fam.count(t, c)
				judge(t, &f, "dump "+fam.name, got, len(k.Requests()), err)
			})
		}
	}
	counts.Add(t, "faults injected", n)
}

// TestFaultsOfTheOneWalk: TCPDIAG_GETSOCK asks for both families. A kernel that does not take it is asked for each.
func TestFaultsOfTheOneWalk(t *testing.T) {
	n := 0
	for _, f := range diagtest.Faults(func(i int) []byte { return payload(diag.IPv4, uint32(i+1)) }) {
		if quick(&f) {
			continue
		}
		n++
		t.Run(f.Name, func(t *testing.T) {
			c, k := faulty(t, &f)
			got, err := all(t.Context(), c, diag.InetQuery{AnyOrder: true})
			asks := len(k.Requests())
			if errors.Is(f.Is, syscall.EINVAL) && f.Sockets == 0 {
				asks-- // again, for IPv4
			}
			judge(t, &f, "dump tcp", len(got), asks, err)
		})
	}
	counts.Add(t, "faults injected", n)
}

// TestReceiveFails: ENOBUFS from the socket itself, after datagrams of it were dropped, and wake-ups for nothing.
func TestReceiveFails(t *testing.T) {
	for _, tt := range []struct {
		name  string
		at    int32 // the receive that fails
		fd    func(t *testing.T) int
		whole bool
		socks int
		is    error
		asks  int
	}{
		{"nothing to read", 2, idle, true, 3, nil, 1},
		{"ENOBUFS first", 1, overrun, true, 3, nil, 2},
		{"ENOBUFS in the middle", 2, overrun, false, 2, unix.ENOBUFS, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
				return []diagtest.Datagram{socks(nil, r, 0, 2), socks(nil, r, 0, 1).Done(r)}
			})
			fd := tt.fd(t)
			var n atomic.Int32
			k.Receive = func() (int, bool) { return fd, n.Add(1) == tt.at }
			c := dial(t, k.Config())
			got, err := all(t.Context(), c, diag.InetQuery{Family: diag.IPv4})
			if len(got) != tt.socks || len(k.Requests()) != tt.asks || (err == nil) != tt.whole || tt.is != nil && !errors.Is(err, tt.is) ||
				!tt.whole && !errors.Is(err, diag.ErrPartial) {
				t.Errorf("%d sockets, asked %d times, %v", len(got), len(k.Requests()), err)
			}
			counts.Add(t, "faults injected", 1)
		})
	}
}

// idle is a socket with nothing in it.
func idle(t *testing.T) int {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_USERSOCK)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// overrun is a netlink socket that has lost messages, since nobody read them.
func overrun(t *testing.T) int {
	const group = 1 << 30 // of 32; nobody else's
	fd, sender := idle(t), idle(t)
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 2048)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: group}); err != nil {
		t.Skipf("needs CAP_NET_ADMIN, to join a multicast group: %v", err)
	}
	for range 100 {
		if err := unix.Sendto(sender, make([]byte, 1024), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: group}); err != nil && err != unix.ENOBUFS {
			t.Skipf("needs to send to a multicast group of NETLINK_USERSOCK: %v", err)
		}
	}
	for { // the messages that fitted would be read first
		var b [2048]byte
		_, _, err := unix.Recvfrom(fd, b[:], unix.MSG_DONTWAIT)
		if err == unix.EAGAIN {
			t.Fatal("no message was lost")
		}
		if err == unix.ENOBUFS {
			break
		}
	}
	for range 100 { // again: an error is told once
		unix.Sendto(sender, make([]byte, 1024), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: group})
	}
	return fd
}

// TestNestedAttributes: what is nested may be broken when all that surrounds it is in order: then it is what is missing, and nothing else.
func TestNestedAttributes(t *testing.T) {
	ne := binary.NativeEndian
	// nested is an attribute with one inside that says it has n bytes.
	nested := func(outer, inner, n uint16, room int) []byte {
		b := ne.AppendUint16(nil, uint16(8+room))
		b = ne.AppendUint16(b, outer)
		b = ne.AppendUint16(b, n)
		b = ne.AppendUint16(b, inner)
		b = append(b, make([]byte, room)...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		return b
	}
	n := 0
	for _, size := range []uint16{0, 1, 3, 5, 9, 13, 100, 0xffff} {
		for inner := range uint16(6) {
			for _, flags := range []uint16{0, 0x8000} {
				msg := append(payload(diag.IPv4, 7), nested(uint16(diag.AttrULPInfo)|flags, inner|flags, size, 4)...)
				msg = append(msg, nested(uint16(diag.AttrMD5Sig), inner, size, 8)...)
				msg = append(msg, attr(uint16(diag.AttrShutdown), uint8(3))...)
				k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
					return []diagtest.Datagram{diagtest.Datagram{}.Append(r, 20, unix.NLM_F_MULTI, msg).Done(r)}
				})
				got, err := all(t.Context(), dial(t, k.Config()), diag.InetQuery{Family: diag.IPv4})
				if err != nil || len(got) != 1 {
					t.Fatalf("inner attribute %d of %d bytes: %d sockets, %v", inner, size, len(got), err)
				}
				var ulp diag.ULP
				got[0].ULP(&ulp)
				for range got[0].MD5Sigs() {
					t.Error("a key of 8 bytes")
				}
				if sh, ok := got[0].Shutdown(); !ok || sh != 3 {
					t.Errorf("inner attribute %d of %d bytes: the one behind is %d, %v", inner, size, sh, ok)
				}
				n++
			}
		}
	}
	counts.Add(t, "bad inputs", n)
}

// TestDialFails: a socket that cannot be had, for reasons that are no lack of a handler, is an error at once, and asked for once.
func TestDialFails(t *testing.T) {
	for _, errno := range []syscall.Errno{unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.EPERM, unix.ENOBUFS} {
		n := 0
		c, err := diag.Dial(&diag.Config{Proc: t.TempDir(), Socket: func() (*netlink.Conn, error) {
			n++
			return nil, errno
		}})
		if c != nil {
			if _, err = count(c.Unix(t.Context(), diag.UnixQuery{})); err == nil { // what is hidden may be told by /proc/net, which is empty here
				t.Errorf("%v: sockets out of nothing", errno)
			}
			c.Close()
		}
		if !errors.Is(err, errno) || n > 8 {
			t.Errorf("%v: %v, dialled %d times", errno, err, n)
		}
		if err := func() error {
			c, err := diag.Dial(&diag.Config{Proc: t.TempDir(), Socket: func() (*netlink.Conn, error) { return nil, errno }})
			if err != nil {
				return err
			}
			defer c.Close()
			return c.Record(t.Context(), diag.InetQuery{}, io.Discard)
		}(); !errors.Is(err, errno) {
			t.Errorf("%v: recorded: %v", errno, err)
		}
		counts.Add(t, "faults injected", 1)
	}
}
