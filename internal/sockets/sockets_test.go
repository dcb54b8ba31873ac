package sockets_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"reflect"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/sockets"
)

// kernel has n TCP sockets over IPv4, with the inodes that inode gives, no other family, and no UDP.
func kernel(t *testing.T, n int, inode func(i int) uint32) *diag.Conn {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		if r.Protocol() != diag.TCP {
			return []diagtest.Datagram{diagtest.Datagram{}.Error(r, unix.EACCES)}
		}
		out := []diagtest.Datagram{{}}
		for i := range n {
			if r.Family() != diag.IPv4 {
				break
			}
			m := make([]byte, 72)
			m[0], m[1] = unix.AF_INET, byte(diag.Established)
			binary.BigEndian.PutUint16(m[4:], uint16(i))
			binary.NativeEndian.PutUint32(m[68:], inode(i))
			last := &out[len(out)-1]
			if *last = last.Append(r, 20, 2, m); len(*last) > 1<<10 {
				out = append(out, diagtest.Datagram{})
			}
		}
		last := &out[len(out)-1]
		*last = last.Done(r)
		return out
	})
	c, err := diag.Dial(k.Config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestRunGoesOnAfterAFailedQuery(t *testing.T) {
	c := kernel(t, 3, func(int) uint32 { return 0 })
	r, err := sockets.Open(t.Context(), c, sockets.Request{
		Queries: []diag.InetQuery{{Protocol: diag.UDP}, {Protocol: diag.TCP}},
		Match:   func(s *diag.InetSocket) bool { return s.Local.Port() != 1 },
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for s, err := range r.All() {
		if err != nil {
			var q *sockets.QueryError
			if !errors.As(err, &q) || q.Query.Protocol != diag.UDP || !errors.Is(err, os.ErrPermission) {
				t.Errorf("error %v, want EACCES for UDP", err)
			}
			got = append(got, "error")
			continue
		}
		got = append(got, s.Local.String())
	}
	if want := []string{"error", "0.0.0.0:0", "0.0.0.0:2"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if r.Owners() != nil {
		t.Error("owners that nobody asked for")
	}
}

// Owners of a socket of our own are found, in a short answer (by inode) and in a long one (the whole host).
func TestRunFindsOwners(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2000} {
		c := kernel(t, n, func(i int) uint32 {
			if i == n-1 {
				return uint32(st.Ino)
			}
			return 4_000_000_000 + uint32(i)
		})
		r, err := sockets.Open(t.Context(), c, sockets.Request{Queries: []diag.InetQuery{{}}, Owners: &owner.Config{Backend: owner.Proc}})
		if err != nil {
			t.Fatal(err)
		}
		count, found := 0, false
		for s, err := range r.All() {
			if err != nil {
				t.Fatal(err)
			}
			count++
			for _, o := range r.Owners().Owners(nil, s.Inode) {
				found = found || s.Inode == uint32(st.Ino) && int(o.PID) == os.Getpid()
			}
		}
		if count != n || !found {
			t.Errorf("%d sockets of %d, own socket found: %v", count, n, found)
		}
	}
}

// Many queries with short answers are a short answer: only its own inodes are looked up.
func TestRunManyQueriesAreShort(t *testing.T) {
	var inodes [2]uint32
	for i := range inodes {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			t.Fatal(err)
		}
		inodes[i] = uint32(st.Ino)
	}
	c := kernel(t, 1, func(int) uint32 { return inodes[0] })
	r, err := sockets.Open(t.Context(), c, sockets.Request{Queries: make([]diag.InetQuery, 40), Owners: &owner.Config{Backend: owner.Proc}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if mine, other := r.Owners().Owners(nil, inodes[0]), r.Owners().Owners(nil, inodes[1]); len(mine) != 1 || len(other) != 0 {
		t.Errorf("owners %v, and of a socket that is not shown %v", mine, other)
	}
}

// Where the context is done before all was received, the end tells: a sequence without its error has every socket.
func TestRunCancelled(t *testing.T) {
	const n = 5000 // more than are held back
	c := kernel(t, n, func(int) uint32 { return 0 })
	cause := errors.New("why")
	spaces := []sockets.Space{
		{Conn: c, Queries: []diag.InetQuery{{}}},
		{Dial: func() (*diag.Conn, error) { return nil, errors.ErrUnsupported }, Queries: []diag.InetQuery{{}}},
	}
	for round := range 100 {
		ctx, cancel := context.WithCancelCause(t.Context())
		spaces[0].Queries = []diag.InetQuery{{}, {Protocol: diag.UDP}}[:1+round%3/2]
		of := spaces[:1+round%2]
		if round < 10 {
			cancel(cause)
		}
		r, err := sockets.OpenSpaces(ctx, of, sockets.Request{})
		if err != nil {
			t.Fatal(err)
		}
		count, told := 0, false
		var last error
		for _, err := range r.All() {
			if err == nil {
				count++
				switch { // while nobody receives, or while somebody does
				case count != 1+7*round:
				case round%2 == 0:
					cancel(cause)
				default:
					go cancel(cause)
				}
				continue
			}
			last = err
			told = told || errors.Is(err, context.Canceled) && errors.Is(err, cause)
			_, query := errors.AsType[*sockets.QueryError](err)
			_, space := errors.AsType[*sockets.SpaceError](err)
			if !query && !space {
				t.Errorf("error %v", err)
			}
		}
		cancel(nil)
		if !told && count < n {
			t.Fatalf("round %d: %d sockets of %d, last error %v", round, count, n, last)
		}
	}
}

// A namespace that cannot be looked into, when the context is done: what else was asked for is told of, or the context's error is the last.
func TestRunCancelledBetweenSpaces(t *testing.T) {
	for round := range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		gone := sockets.Space{
			Dial: func() (*diag.Conn, error) {
				cancel()
				return nil, os.ErrNotExist
			},
			Queries: []diag.InetQuery{{}},
		}
		r, err := sockets.OpenSpaces(ctx, []sockets.Space{gone, gone}, sockets.Request{})
		if err != nil {
			t.Fatal(err)
		}
		var errs []error
		for _, err := range r.All() {
			if _, ok := errors.AsType[*sockets.SpaceError](err); !ok {
				t.Errorf("round %d: %v", round, err)
			}
			errs = append(errs, err)
		}
		if len(errs) == 0 || len(errs) < 2 && !errors.Is(errs[0], context.Canceled) {
			t.Errorf("round %d: errors %v of 2 namespaces", round, errs)
		}
		cancel()
	}
}

func TestRunBrokenOff(t *testing.T) {
	c := kernel(t, 5000, func(int) uint32 { return 0 })
	for range 3 { // the same Conn serves again
		r, err := sockets.Open(t.Context(), c, sockets.Request{Queries: []diag.InetQuery{{}, {}}})
		if err != nil {
			t.Fatal(err)
		}
		for range r.All() {
			break
		}
	}
}

// What may be refused is left out of a query, one after the other; other errors, and those of a dump that was under way, stay.
func TestRefused(t *testing.T) {
	code, maps := []byte{1}, []int{}
	for _, tt := range []struct {
		query   diag.InetQuery
		err     diag.Error
		ok      bool
		without diag.InetQuery
	}{
		{diag.InetQuery{Protocol: diag.UDP, Bytecode: code}, diag.Error{Err: unix.EPERM}, true, diag.InetQuery{Protocol: diag.UDP}},
		{diag.InetQuery{Bytecode: code}, diag.Error{Err: unix.EINVAL}, true, diag.InetQuery{}},
		{diag.InetQuery{Bytecode: code}, diag.Error{Err: unix.ENOBUFS}, false, diag.InetQuery{}},
		{diag.InetQuery{Bytecode: code}, diag.Error{Err: unix.EPERM, Partial: true}, false, diag.InetQuery{}},
		{diag.InetQuery{}, diag.Error{Err: unix.EPERM}, false, diag.InetQuery{}},
		{diag.InetQuery{Bytecode: code, BPFMaps: maps}, diag.Error{Err: unix.EPERM}, true, diag.InetQuery{Bytecode: code}},
		{diag.InetQuery{Bytecode: code, BPFMaps: maps}, diag.Error{Err: unix.EINVAL}, true, diag.InetQuery{BPFMaps: maps}},
		{diag.InetQuery{BPFMaps: maps}, diag.Error{Err: unix.EINVAL}, false, diag.InetQuery{}},
	} {
		q, ok := sockets.Refused(&sockets.QueryError{Query: tt.query, Err: &tt.err})
		if ok != tt.ok || !reflect.DeepEqual(q, tt.without) {
			t.Errorf("%+v, %v: %+v, %v, want %+v, %v", tt.query, &tt.err, q, ok, tt.without, tt.ok)
		}
	}
	if _, ok := sockets.Refused(unix.EPERM); ok {
		t.Error("what is not the error of a query is taken for one")
	}
}
