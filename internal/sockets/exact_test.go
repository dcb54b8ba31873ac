package sockets

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/diag/exact"
)

func needExact(t *testing.T) {
	t.Helper()
	x, err := exact.New()
	if errors.Is(err, os.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		t.Skipf("needs CAP_BPF, CAP_PERFMON, Linux 6.17 and BTF: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	x.Close()
}

// While nothing changes, an exact run has the sockets of any other, of every protocol.
func TestExactIsTheSame(t *testing.T) {
	needExact(t)
	s := scene.New(t)
	c, err := diag.Dial(&diag.Config{NetNSFD: s.FD()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var seen [2]map[uint64]int
	for i, exactly := range []bool{false, true} {
		seen[i] = map[uint64]int{}
		r, err := Open(t.Context(), c, Request{Queries: []diag.InetQuery{{}, {Protocol: diag.UDP}, {Protocol: diag.Raw}}, Exact: exactly})
		if err != nil {
			t.Fatal(err)
		}
		for sock, err := range r.All() {
			if err != nil {
				t.Fatal(err)
			}
			if sock.Source == diag.FromNetlink {
				seen[i][sock.Cookie]++
			}
		}
	}
	if len(seen[0]) < 60 || len(seen[0]) != len(seen[1]) {
		t.Errorf("%d sockets, exactly %d", len(seen[0]), len(seen[1]))
	}
	for k, n := range seen[0] {
		if n != 1 || seen[1][k] != 1 {
			t.Errorf("socket %#x: %d times, exactly %d times", k, n, seen[1][k])
		}
	}
}

// Whatever comes of a query that cannot be exact is an error, and no socket.
func TestExactElsewhere(t *testing.T) {
	needExact(t)
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		m := append([]byte{unix.AF_INET, byte(diag.Established)}, make([]byte, 70)...)
		return []diagtest.Datagram{diagtest.Datagram{}.Append(r, 20, unix.NLM_F_MULTI, m).Done(r)}
	})
	c, err := diag.Dial(k.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r, err := Open(t.Context(), c, Request{Queries: []diag.InetQuery{{}}, Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for sock, err := range r.All() {
		if n++; sock != nil || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v, %v", sock, err)
		}
	}
	if n != 1 {
		t.Errorf("%d errors", n)
	}
}

// Where netlink is forbidden the sockets in /proc/net cannot be told apart: that is an error, and not a protocol that the kernel lacks.
func TestExactWithoutNetlink(t *testing.T) {
	needExact(t)
	c, err := diag.Dial(&diag.Config{Proc: "/proc", Socket: func() (*netlink.Conn, error) { return nil, os.NewSyscallError("socket", unix.EAFNOSUPPORT) }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r, err := Open(t.Context(), c, Request{Queries: []diag.InetQuery{{}}, Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for sock, err := range r.All() {
		if n++; sock != nil || Unsupported(err) || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v, %v", sock, err)
		}
	}
	if n != 1 {
		t.Errorf("%d errors", n)
	}
}

func TestExactPlan(t *testing.T) {
	needExact(t)
	c, err := diag.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var b bytes.Buffer
	if _, err := Open(t.Context(), c, Request{Queries: []diag.InetQuery{{}}, Exact: true, Plan: &b}); err != nil || !strings.Contains(b.String(), "\nexact: ") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
