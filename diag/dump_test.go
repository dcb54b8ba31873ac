package diag_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
)

// payload is struct inet_diag_msg of a connection with the given inode.
func payload(family diag.Family, inode uint32) []byte {
	b := make([]byte, 72)
	b[0], b[1] = byte(family), byte(diag.Established)
	binary.NativeEndian.PutUint32(b[68:], inode)
	return b
}

// socks appends n sockets, with inodes from 1 on.
func socks(d diagtest.Datagram, r diagtest.Request, flags uint16, n int) diagtest.Datagram {
	for i := range n {
		d = d.Append(r, 20, unix.NLM_F_MULTI|flags, payload(r.Family(), uint32(i+1)))
	}
	return d
}

// withWords is NLMSG_ERROR with an extended acknowledgement.
func withWords(r diagtest.Request, errno syscall.Errno, words string) diagtest.Datagram {
	ne := binary.NativeEndian
	b := ne.AppendUint32(nil, uint32(-int32(errno)))
	b = append(b, make([]byte, 16)...) // the header of the request, capped
	b = ne.AppendUint16(b, uint16(4+len(words)+1))
	b = ne.AppendUint16(b, 1) // NLMSGERR_ATTR_MSG
	b = append(append(b, words...), 0)
	return diagtest.Datagram{}.Append(r, unix.NLMSG_ERROR, 0x300, b)
}

// classes are what errors.Is tells apart.
var classes = map[string]error{
	"partial": diag.ErrPartial, "permission": fs.ErrPermission, "not-exist": fs.ErrNotExist, "unsupported": errors.ErrUnsupported,
	"deadline": os.ErrDeadlineExceeded, "closed": os.ErrClosed, "cancelled": context.Canceled, "expired": context.DeadlineExceeded,
}

// classOf lists the classes of an error.
func classOf(err error) string {
	var in []string
	for name, c := range classes {
		if errors.Is(err, c) {
			in = append(in, name)
		}
	}
	slices.Sort(in)
	return strings.Join(in, " ")
}

// byFamily answers IPv4 and IPv6 differently.
func byFamily(t *testing.T, v4, v6 func(diagtest.Request) diagtest.Datagram) (*diag.Conn, *diagtest.Kernel) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		if r.Family() == diag.IPv4 {
			return []diagtest.Datagram{v4(r)}
		}
		return []diagtest.Datagram{v6(r)}
	})
	return dial(t, k.Config()), k
}

func TestDumpOfBothFamilies(t *testing.T) {
	fine := func(r diagtest.Request) diagtest.Datagram { return socks(nil, r, 0, 2).Done(r) }
	fails := func(r diagtest.Request) diagtest.Datagram { return diagtest.Datagram{}.Error(r, unix.EPERM) }
	interrupted := func(r diagtest.Request) diagtest.Datagram { return socks(nil, r, unix.NLM_F_DUMP_INTR, 2).Done(r) }
	for _, tt := range []struct {
		name     string
		v4, v6   func(diagtest.Request) diagtest.Datagram
		socks    int
		class    string
		requests int
	}{
		{"fine", fine, fine, 4, "-", 2},
		{"the first fails", fails, fine, 0, "permission", 1},
		{"the second fails behind sockets", fine, fails, 2, "partial permission", 2},
		{"the first is interrupted", interrupted, fine, 4, "partial", 2},
		{"the second is interrupted", fine, interrupted, 4, "partial", 2},
	} {
		c, k := byFamily(t, tt.v4, tt.v6)
		got, err := all(t.Context(), c, diag.InetQuery{})
		if class := classOf(err); len(got) != tt.socks || (err == nil) != (tt.class == "-") || err != nil && class != tt.class {
			t.Errorf("%s: %d sockets, %v (%s), want %d, %s", tt.name, len(got), err, class, tt.socks, tt.class)
		}
		if !slices.IsSortedFunc(got, func(a, b *diag.InetSocket) int { return int(a.Family) - int(b.Family) }) {
			t.Errorf("%s: families are mixed", tt.name)
		}
		if n := len(k.Requests()); n != tt.requests {
			t.Errorf("%s: %d requests, want %d", tt.name, n, tt.requests)
		}
	}
	c, k := byFamily(t, fine, fine)
	if got, err := all(t.Context(), c, diag.InetQuery{Family: 77}); got != nil || classOf(err) != "unsupported" || len(k.Requests()) != 0 {
		t.Errorf("family 77: %d sockets, %v, %d requests", len(got), err, len(k.Requests()))
	}
}

func TestBreakLeavesTheConnUsable(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		return []diagtest.Datagram{socks(nil, r, 0, 100), socks(nil, r, 0, 100), diagtest.Datagram{}.Done(r)}
	})
	c := dial(t, k.Config())
	for _, after := range []int{1, 99, 100, 101, 200} {
		n := 0
		for _, err := range c.Inet(t.Context(), diag.InetQuery{Family: diag.IPv4}) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == after {
				break
			}
		}
		if got := mustAll(t, c, diag.InetQuery{Family: diag.IPv4}); len(got) != 200 {
			t.Errorf("after %d sockets: %d, want 200", after, len(got))
		}
	}
}

func TestCancel(t *testing.T) {
	why := errors.New("the page was closed")
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		if r.States() == diag.AllStates {
			return []diagtest.Datagram{socks(nil, r, 0, 3)} // and no more
		}
		return []diagtest.Datagram{socks(nil, r, 0, 3).Done(r)}
	})
	c := dial(t, k.Config())
	for _, before := range []bool{true, false} {
		ctx, cancel := context.WithCancelCause(t.Context())
		if before {
			cancel(why)
		}
		n := 0
		var err error
		for _, e := range c.Inet(ctx, diag.InetQuery{Family: diag.IPv4}) {
			if err = e; e == nil {
				if n++; n == 3 {
					go cancel(why)
				}
			}
		}
		want, class := 3, "cancelled partial"
		if before {
			want, class = 0, "cancelled"
		}
		if n != want || classOf(err) != class || !errors.Is(err, why) {
			t.Errorf("before %v: %d sockets, error %v (%s)", before, n, err, classOf(err))
		}
		cancel(nil)
		if got := mustAll(t, c, diag.InetQuery{Family: diag.IPv4, States: 2}); len(got) != 3 {
			t.Errorf("then %d sockets, want 3", len(got))
		}
	}
	for timeout := 20 * time.Millisecond; ; timeout *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		got, err := all(ctx, c, diag.InetQuery{Family: diag.IPv4})
		cancel()
		want := "expired partial"
		if len(got) == 0 { // the time was over before they came
			want = "expired"
		}
		if classOf(err) != want {
			t.Errorf("%d sockets, %v (%s), want %s", len(got), err, classOf(err), want)
		}
		if len(got) > 0 || timeout > time.Minute {
			break
		}
	}
}

// A context that is cancelled while the kernel says that it is busy ends the waiting for the next try.
func TestCancelEndsTries(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		cancel()
		return []diagtest.Datagram{diagtest.Datagram{}.Error(r, unix.EBUSY)}
	})
	if _, err := all(ctx, dial(t, k.Config()), diag.InetQuery{Family: diag.IPv4}); classOf(err) != "cancelled" {
		t.Errorf("%v (%s)", err, classOf(err))
	}
	if n := len(k.Requests()); n > 2 {
		t.Errorf("%d requests", n)
	}
}

func TestDumpsAtTheSameTime(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		n := int(r.States()) // as many as the mask says
		return []diagtest.Datagram{socks(nil, r, 0, n/2), socks(nil, r, 0, n-n/2), diagtest.Datagram{}.Done(r)}
	})
	c := dial(t, k.Config())
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 20 {
				want := 2 + g*20 + i
				got, err := all(t.Context(), c, diag.InetQuery{Family: diag.IPv4, States: diag.States(want)})
				if err != nil || len(got) != want {
					t.Errorf("%d sockets, %v, want %d", len(got), err, want)
				}
			}
		})
	}
	wg.Wait()
}

func TestInetBatches(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		return []diagtest.Datagram{socks(nil, r, 0, 3), socks(nil, r, 0, 4).Append(r, 20, 2, nil), diagtest.Datagram{}.Done(r)}
	})
	c := dial(t, k.Config())
	// With a pool, batches are the caller's: all are held here, and read at the end.
	var pool diag.BatchPool
	for range 2 {
		var held []*diag.Batch
		for b, err := range c.InetBatches(t.Context(), diag.InetQuery{Family: diag.IPv4}, &pool) {
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, b)
		}
		var counts []string
		for _, b := range held {
			n := 0
			for range b.Inet() {
				n++
			}
			counts = append(counts, fmt.Sprint(n, "+", b.Broken()))
			pool.Put(b)
		}
		if got := strings.Join(counts, " "); got != "3+0 4+1" {
			t.Errorf("batches of %s, want 3+0 4+1", got)
		}
	}
	err := diag.BrokenError(diag.InetQuery{Protocol: diag.UDP, Family: diag.IPv6}, 2)
	if !errors.Is(err, diag.ErrPartial) || err.Error() != "dump udp inet6: 2 messages could not be decoded (the result is partial)" {
		t.Errorf("%v", err)
	}
}

// Allocations of a dump do not grow with the sockets.
func TestDumpDoesNotAllocatePerSocket(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		return answers[int(r.States())](r)
	})
	c := dial(t, k.Config())
	withoutGC(t)
	per := func(n int) float64 {
		return testing.AllocsPerRun(5, func() {
			got := 0
			for s, err := range c.Inet(t.Context(), diag.InetQuery{Family: diag.IPv4, States: diag.States(n)}) {
				if err != nil || s.Inode == 0 {
					t.Fatal(err)
				}
				got++
			}
			if got != n {
				t.Fatalf("%d sockets, want %d", got, n)
			}
		})
	}
	few, many := per(2000), per(4000)
	if many > few+2 {
		t.Errorf("%v allocations for 2,000 sockets, %v for 4,000", few, many)
	}
}

// answers are datagrams of n sockets, built before they are measured.
var answers = map[int]func(diagtest.Request) []diagtest.Datagram{2000: prepared(2000), 4000: prepared(4000)}

func prepared(n int) func(diagtest.Request) []diagtest.Datagram {
	var out []diagtest.Datagram
	r := diagtest.Request{Data: []byte{unix.AF_INET}}
	for ; n > 0; n -= 250 {
		out = append(out, socks(nil, r, 0, 250))
	}
	out = append(out, diagtest.Datagram{}.Done(r))
	return func(r diagtest.Request) []diagtest.Datagram {
		for _, d := range out {
			for b := d; len(b) > 0; b = b[binary.NativeEndian.Uint32(b):] {
				binary.NativeEndian.PutUint32(b[8:], r.Seq)
				binary.NativeEndian.PutUint32(b[12:], r.PID)
			}
		}
		return out
	}
}

// A kernel without TCPDIAG_GETSOCK is asked for each family.
func TestInetAnyOrderWithoutCompat(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		if r.Type != 20 {
			return []diagtest.Datagram{diagtest.Datagram{}.Error(r, unix.EINVAL)}
		}
		m := make([]byte, 72)
		m[0], m[1] = byte(r.Family()), byte(diag.Listen)
		return []diagtest.Datagram{diagtest.Datagram{}.Append(r, 20, 2, m).Done(r)}
	})
	var got []diag.Family
	for _, s := range mustAll(t, dial(t, k.Config()), diag.InetQuery{AnyOrder: true}) {
		got = append(got, s.Family)
	}
	if len(got) != 2 || got[0] != diag.IPv4 || got[1] != diag.IPv6 {
		t.Errorf("families %v, want inet and inet6", got)
	}
}

// The length of an attribute has 16 bits: what is longer is not sent, since its beginning would be another filter.
func TestTooLongForAnAttribute(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		return []diagtest.Datagram{diagtest.Datagram{}.Done(r)}
	})
	c := dial(t, k.Config())
	for name, q := range map[string]diag.InetQuery{
		"filter": {Bytecode: make([]byte, 1<<16-4)}, "any order": {Bytecode: make([]byte, 70_000), AnyOrder: true}, "maps": {BPFMaps: make([]int, 8192)},
	} {
		if _, err := all(t.Context(), c, q); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%s: %v, want EINVAL", name, err)
		}
		var w bytes.Buffer
		if err := c.RecordAnswer(t.Context(), q, &w); !errors.Is(err, syscall.EINVAL) || w.Len() > 0 {
			t.Errorf("%s: recorded %d bytes, %v, want EINVAL", name, w.Len(), err)
		}
	}
	if n := len(k.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	for name, q := range map[string]diag.InetQuery{"filter": {Bytecode: make([]byte, 1<<16-1-4)}, "maps": {BPFMaps: make([]int, 8191)}} {
		if _, err := all(t.Context(), c, q); err != nil {
			t.Errorf("the longest %s: %v", name, err)
		}
	}
}

// One sequence may be ranged over twice at once, as the race detector sees.
func TestInetTwiceAtOnce(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		return []diagtest.Datagram{diagtest.Datagram{}.Append(r, 20, unix.NLM_F_MULTI, payload(r.Family(), 7)).Done(r)}
	})
	c := dial(t, k.Config())
	inet, batches := c.Inet(t.Context(), diag.InetQuery{}), c.InetBatches(t.Context(), diag.InetQuery{}, nil)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if n, err := count(batches); n != 2 || err != nil { // first: what comes behind is in order, by the locks of the Conn
				t.Errorf("%d batches, %v", n, err)
			}
			if n, err := count(inet); n != 2 || err != nil {
				t.Errorf("%d sockets, %v", n, err)
			}
		})
	}
	wg.Wait()
}
