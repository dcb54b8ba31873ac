package netstat

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	render "github.com/sockeye-tools/sockeye/render/netstat"
)

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestService(t *testing.T) {
	var n resolver
	n.init(t.Context())
	n.services.File = file(t, "ssh 22/tcp\nother 22/tcp\ndomain 53/udp\nodd 1/raw\neven 2/raw\n")
	n.protocols.File = file(t, "icmp 1 ICMP\n")
	for _, c := range []struct {
		port  uint16
		proto string
		want  string
	}{
		{22, "tcp", "other"}, // the last entry counts
		{53, "udp", "domain"}, {53, "tcp", ""}, {22, "udp", ""},
		{1, "raw", "icmp"}, // a protocol goes before a service
		{2, "raw", "even"}, {3, "raw", ""}, {257, "raw", ""}, {1, "tcp", ""},
	} {
		if got, ok := n.service(c.port, c.proto); got != c.want || ok != (c.want != "") {
			t.Errorf("%d/%s: got %q, %v; want %q", c.port, c.proto, got, ok, c.want)
		}
	}
}

func TestSetNames(t *testing.T) {
	for line, want := range map[string][3]bool{
		"":                {true, true, true},
		"-n":              {false, false, false},
		"--numeric-hosts": {false, true, true},
		"--numeric-ports": {true, false, true},
		"--numeric-users": {true, true, false},
	} {
		var n resolver
		var ro render.Options
		o := read(t, line)
		n.set(&ro, &o)
		if got := [3]bool{ro.Host != nil, ro.Service != nil, ro.User != nil}; got != want {
			t.Errorf("%q: hosts, ports, users are named: %v, want %v", line, got, want)
		}
	}
}

func TestReadHosts(t *testing.T) {
	got := readHosts(file(t, "127.0.0.1 localhost\n# 10.0.0.1 x\n::1 six\n10.0.0.2\t\ta b # c\n10.0.0.3\nnonsense here\n"))
	if len(got) != 2 || !got[netip.MustParseAddr("127.0.0.1")] || !got[netip.MustParseAddr("10.0.0.2")] {
		t.Errorf("got %v", got)
	}
	if got := readHosts("/does/not/exist"); len(got) != 0 {
		t.Errorf("no file: got %v", got)
	}
}

// TestLookUp: hosts are looked up once each, and only those of rows that are shown.
func TestLookUp(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	var n resolver
	n.init(t.Context())
	n.hosts.LookupAddr = func(_ context.Context, addr string) ([]string, error) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, addr)
		return []string{"host-" + addr + "."}, nil
	}
	n.hostsFile = map[netip.Addr]bool{netip.MustParseAddr("127.0.0.1"): true}
	sock := func(state diag.State, local, remote string) diag.InetSocket {
		return diag.InetSocket{Protocol: diag.TCP, State: state, Local: netip.MustParseAddrPort(local), Remote: netip.MustParseAddrPort(remote)}
	}
	list := []diag.InetSocket{
		sock(diag.Listen, "192.0.2.1:22", "0.0.0.0:0"), // not shown
		sock(diag.Established, "192.0.2.2:22", "192.0.2.3:1"),
		sock(diag.Established, "192.0.2.2:22", "192.0.2.4:1"),
		sock(diag.Established, "[::ffff:127.0.0.1]:22", "[::ffff:192.0.2.5]:1"), // mapped: not from /etc/hosts
	}
	n.lookUp(list, render.Connected)
	slices.Sort(asked)
	if got, want := strings.Join(asked, " "), "192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5"; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
	before := len(asked)
	for addr, want := range map[string]string{
		"192.0.2.3": "host-192.0.2.3", "::ffff:192.0.2.5": "host-192.0.2.5", "::ffff:127.0.0.1": "", "::ffff:0.0.0.0": "",
	} {
		if got, _ := n.host(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: got %q, want %q", addr, got, want)
		}
	}
	if len(asked) != before {
		t.Errorf("asked again: %v", asked[before:])
	}
}

// TestOwnLookUps: the sockets by which names are asked for are not among those that are shown, though the dump goes on meanwhile.
func TestOwnLookUps(t *testing.T) {
	inNamespace(t, func() {
		h := newHost(t)
		asked := h.datagram(nil, v4(53), unix.SOCK_DGRAM, 0, 0)
		h.datagram(nil, v4(54), unix.SOCK_DGRAM, 0, 0)
		f := os.NewFile(uintptr(asked), "")
		delete(h.fds, asked)
		defer f.Close()
		raw, err := f.SyscallConn()
		h.must(err)
		conn, err := diag.Dial(nil)
		h.must(err)
		defer conn.Close()

		var out bytes.Buffer
		env := newEnv(t.Context())
		env.Stdout = &out
		o := read(t, "-nu")
		r := newRun(env, &o, conn)
		h.must(r.names.asking("", "", raw))
		r.tables()
		b := &bsdRun{run: newRun(env, nil, conn), o: &bsdOptions{numeric: true, protocol: "udp"}}
		h.must(b.names.asking("", "", raw))
		b.sockets()
		if got := out.String(); strings.Count(got, "127.0.0.1:54 ") != 1 || strings.Count(got, "127.0.0.1.54 ") != 1 || strings.Count(got, "\nudp") != 2 {
			t.Errorf("want two rows of the peer 54:\n%s", got)
		}

		// Who looks up a name notes the socket. In the namespace there is nobody who answers.
		var n resolver
		n.init(t.Context())
		if names, err := n.hosts.LookupAddr(t.Context(), "192.0.2.77"); err == nil || len(n.asked) == 0 {
			t.Errorf("a look-up: %q, %v, by %d sockets", names, err, len(n.asked))
		}
	})
}
