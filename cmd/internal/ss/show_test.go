package ss

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
)

// newTestShow is a show of a command line, with a kernel that answers as told.
func newTestShow(t *testing.T, line string, answer func(diagtest.Request) []diagtest.Datagram) (s *show, stdout, stderr *bytes.Buffer) {
	t.Helper()
	o, err := parse(words(line), false)
	if err != nil {
		t.Fatal(err)
	}
	f, err := o.filter()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := diag.Dial(diagtest.NewKernel(t, answer).Config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	env := &cli.Env{Ctx: t.Context(), Stdout: stdout, Stderr: stderr, Getenv: func(string) string { return "" }}
	return newShow(env, o, f, conn), stdout, stderr
}

func noAnswer(r diagtest.Request) []diagtest.Datagram {
	return []diagtest.Datagram{diagtest.Datagram{}.Done(r)}
}

// TestQueries: what the kernel is asked for, and no more.
func TestQueries(t *testing.T) {
	const (
		info   = diag.ExtInfo
		tcp    = diag.ExtInfo | diag.ExtCong | diag.ExtVegasInfo
		mem    = diag.ExtSKMemInfo
		tos    = diag.ExtTOS | diag.ExtTClass
		listen = diag.States(1 << diag.Listen)
		closed = diag.States(1 << diag.Close)
		all    = diag.AllStates
	)
	type query = diag.InetQuery
	for _, tt := range []struct {
		line string
		want []query
	}{
		// A walk over all connections for TCP sockets in Close would find none: it is not asked for.
		{"-tl", []query{{Protocol: diag.TCP, States: listen, NoAttrs: true}}},
		{"-ta", []query{{Protocol: diag.TCP, States: all &^ closed &^ 1, NoAttrs: true}}},
		{"-t state closed", nil},
		{"-t state unknown", nil},
		{"-ul", []query{{Protocol: diag.UDP, States: listen | closed}}},
		{"-Ml", []query{{Protocol: diag.MPTCP, States: listen | closed}}},
		{"-4ul", []query{{Protocol: diag.UDP, Family: diag.IPv4, States: listen | closed}}},
		{"-6ul", []query{{Protocol: diag.UDP, Family: diag.IPv6, States: listen | closed}}},
		{"-4 -6 -ul", []query{{Protocol: diag.UDP, States: listen | closed}}},
		{"-u src inet6:*", []query{{Protocol: diag.UDP, Family: diag.IPv6, States: 1 << diag.Established}}}, // as the operand says
		{"-4u src inet6:*", []query{{Protocol: diag.UDP, Family: diag.IPv6, States: statesConn}}},
		{"-u src unix:*", nil},
		{"-tln", []query{{Protocol: diag.TCP, States: listen, NoAttrs: true}}},
		{"-tloep --cgroup --inet-sockopt", []query{{Protocol: diag.TCP, States: listen}}}, // those come by themselves
		{"-tlop", []query{{Protocol: diag.TCP, States: listen, NoAttrs: true}}},
		{"-tl dev lo", []query{{Protocol: diag.TCP, States: listen}}}, // what a filter looks at may be one
		{"-tlm", []query{{Protocol: diag.TCP, States: listen, Ext: mem}}},
		{"-tli", []query{{Protocol: diag.TCP, States: listen, Ext: tcp}}},
		{"-tl --tos", []query{{Protocol: diag.TCP, States: listen, Ext: tos}}},
		{"-uli", []query{{Protocol: diag.UDP, States: listen | closed}}}, // -i says nothing of UDP
		{"-ulmi --tos", []query{{Protocol: diag.UDP, States: listen | closed, Ext: mem | tos}}},
		{"-Mli", []query{{Protocol: diag.MPTCP, States: listen | closed, Ext: info}}},
		{"-Sli", []query{{Protocol: diag.SCTP, States: listen | closed, Ext: info}}},
		{"-twudSMl", []query{ // the order of ss
			{Protocol: diag.Raw, States: listen | closed},
			{Protocol: diag.UDP, States: listen | closed},
			{Protocol: diag.TCP, States: listen, NoAttrs: true},
			{Protocol: diag.DCCP, States: listen | closed},
			{Protocol: diag.SCTP, States: listen | closed},
			{Protocol: diag.MPTCP, States: listen | closed},
		}},
	} {
		s, _, _ := newTestShow(t, tt.line, noAnswer)
		got := s.queries()
		for i := range got {
			got[i].Bytecode = nil
		}
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%q:\n got %+v\nwant %+v", tt.line, got, tt.want)
		}
	}
	s, _, _ := newTestShow(t, "-tl", noAnswer)
	s.toRecords("json")
	if got := s.queries(); got[0].NoAttrs {
		t.Error("records show attributes, and are asked for without")
	}
}

// payload is a TCP connection as the kernel sends it (struct inet_diag_msg of linux/inet_diag.h).
func payload(local, remote string) []byte {
	l, r := netip.MustParseAddrPort(local), netip.MustParseAddrPort(remote)
	b := make([]byte, 72)
	b[0], b[1] = byte(diag.IPv4), byte(diag.Established)
	binary.BigEndian.PutUint16(b[4:], l.Port())
	binary.BigEndian.PutUint16(b[6:], r.Port())
	copy(b[8:], l.Addr().AsSlice())
	copy(b[24:], r.Addr().AsSlice())
	return b
}

const byFamily = 20 // SOCK_DIAG_BY_FAMILY

func twoConnections(r diagtest.Request) []diagtest.Datagram {
	var d diagtest.Datagram
	if r.Family() == diag.IPv4 && r.Protocol() == diag.TCP {
		d = d.Append(r, byFamily, 2, payload("192.0.2.1:1", "192.0.2.2:22"))
		d = d.Append(r, byFamily, 2, payload("192.0.2.1:2", "192.0.2.2:23"))
	}
	return []diagtest.Datagram{d.Done(r)}
}

// TestRefusedBytecode: a kernel that does not take the filter is asked without, and the sockets are looked at here.
func TestRefusedBytecode(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EPERM, syscall.EINVAL} {
		s, stdout, stderr := newTestShow(t, "-tnH dport = 22", func(r diagtest.Request) []diagtest.Datagram {
			if r.Bytecode() != nil {
				return []diagtest.Datagram{diagtest.Datagram{}.Error(r, errno)}
			}
			return twoConnections(r)
		})
		status, err := s.run()
		if want := "ESTAB 0      0      192.0.2.1:1 192.0.2.2:22\n"; stdout.String() != want || status != 0 || err != nil || stderr.Len() > 0 {
			t.Errorf("%v: %q, status %d, error %v, stderr %q, want %q", errno, stdout, status, err, stderr, want)
		}
	}
}

// TestUnknownMarks: where the kernel tells no marks, a filter by them counts each as 0, and that is said once.
func TestUnknownMarks(t *testing.T) {
	for line, rows := range map[string]int{"-tnH fwmark != 7": 2, "-tnH not ( fwmark 7 or autobound )": 2, "-tunH fwmark 7": 0} {
		s, stdout, stderr := newTestShow(t, line, func(r diagtest.Request) []diagtest.Datagram {
			if r.Bytecode() != nil {
				return []diagtest.Datagram{diagtest.Datagram{}.Error(r, syscall.EPERM)}
			}
			return twoConnections(r)
		})
		status, err := s.run()
		if got := bytes.Count(stdout.Bytes(), []byte("\n")); got != rows || status != 0 || err != nil {
			t.Errorf("%s: %q, status %d, error %v, want %d rows", line, stdout, status, err, rows)
		}
		if want := "ss: marks are not known, and count as 0: that needs CAP_NET_ADMIN, or root\n"; stderr.String() != want {
			t.Errorf("%s: stderr %q, want %q", line, stderr, want)
		}
	}
}

// TestFailedTable: what the kernel did tell is printed, and that there may be more is said.
func TestFailedTable(t *testing.T) {
	s, stdout, stderr := newTestShow(t, "-tuanH", func(r diagtest.Request) []diagtest.Datagram {
		if r.Protocol() == diag.UDP {
			return []diagtest.Datagram{diagtest.Datagram{}.Error(r, syscall.EACCES)}
		}
		return twoConnections(r)
	})
	status, err := s.run()
	if status != exitFailed || err != nil || strings.Count(stdout.String(), "tcp ") != 2 ||
		!strings.HasPrefix(stderr.String(), "ss: ") || !strings.Contains(stderr.String(), "permission denied") {
		t.Errorf("status %d, error %v, stdout %q, stderr %q", status, err, stdout, stderr)
	}
}

// TestMissingTable: a kernel without a protocol has no sockets of it, and ss says nothing about it.
func TestMissingTable(t *testing.T) {
	s, stdout, stderr := newTestShow(t, "-tSMdanH", func(r diagtest.Request) []diagtest.Datagram {
		if r.Protocol() != diag.TCP {
			return []diagtest.Datagram{diagtest.Datagram{}.Error(r, syscall.ENOENT)}
		}
		return twoConnections(r)
	})
	status, err := s.run()
	if status != 0 || err != nil || strings.Count(stdout.String(), "\n") != 2 || stderr.Len() > 0 {
		t.Errorf("status %d, error %v, stdout %q, stderr %q", status, err, stdout, stderr)
	}
}

// TestHosts: names of hosts are asked for in lots, and rows keep their order over the lots.
func TestHosts(t *testing.T) {
	const rows = 2*lookAhead + 10
	s, stdout, _ := newTestShow(t, "-tnrH4", func(r diagtest.Request) []diagtest.Datagram {
		var all []diagtest.Datagram
		for i := range rows {
			local := fmt.Sprintf("192.0.2.1:%d", 1000+i)
			all = append(all, diagtest.Datagram{}.Append(r, byFamily, 2, payload(local, "198.51.100.1:22")))
		}
		return append(all, diagtest.Datagram{}.Done(r))
	})
	asked := 0
	s.hosts.Parallel = 1
	s.hosts.LookupAddr = func(_ context.Context, addr string) ([]string, error) {
		asked++
		return []string{"h-" + strings.ReplaceAll(addr, ".", "-") + ".example."}, nil
	}
	if status, err := s.run(); status != 0 || err != nil {
		t.Fatal(status, err)
	}
	lines := strings.Split(strings.TrimSuffix(stdout.String(), "\n"), "\n")
	if len(lines) != rows || asked != 2 {
		t.Fatalf("%d lines, want %d; %d look-ups, want 2", len(lines), rows, asked)
	}
	for i, line := range lines {
		want := fmt.Sprintf("ESTAB 0      0      h-192-0-2-1.example:%d h-198-51-100-1.example:22", 1000+i)
		if line != want {
			t.Fatalf("line %d: %q, want %q", i+1, line, want)
		}
	}
}
