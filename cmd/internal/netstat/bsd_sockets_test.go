package netstat

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/release"
	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// bsdRows are the rows of a run: their words, one blank between them.
func bsdRows(t *testing.T, args ...string) (rows []string) {
	t.Helper()
	r := ours(t.Context(), append([]string{"--bsd"}, args...)...)
	if r.status != exitOK {
		t.Errorf("%q: status %d: %s", args, r.status, r.stderr)
	}
	for line := range strings.Lines(r.stdout) {
		rows = append(rows, strings.Join(strings.Fields(line), " "))
	}
	return rows
}

// only returns the rows that begin with a word, sorted.
func only(rows []string, prefix string) (list []string) {
	for _, r := range rows {
		if strings.HasPrefix(r, prefix) {
			list = append(list, r)
		}
	}
	slices.Sort(list)
	return list
}

func sameRows(t *testing.T, args string, got []string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", args, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestBSDQueries: attributes are asked for where they are looked at, and only there.
func TestBSDQueries(t *testing.T) {
	for args, without := range map[string]bool{
		"-n": true, "-n -p tcp": true, "-n -f inet6": true, "-nl": true,
		"-an": false, "-Ln": false, "-nb": false, "-nv": false, "-nx": false,
	} {
		env := newEnv(t.Context(), strings.Fields(args)...)
		o, status := parseBSD(env)
		if status != keepGoing {
			t.Fatalf("%s: status %d", args, status)
		}
		b := &bsdRun{run: newRun(env, nil, nil), o: &o, t: render.NewBSD(o.BSDOptions)}
		for _, q := range b.queries() {
			if q.NoAttrs != (without && q.Protocol == diag.TCP) || q.NoAttrs && (q.Ext != 0 || q.States.Has(diag.Listen) || q.States.Has(diag.Close)) {
				t.Errorf("%s: %+v", args, q)
			}
		}
	}
}

// TestBSDSockets: the rows of sockets that the test made.
func TestBSDSockets(t *testing.T) {
	inNamespace(t, func() {
		h := newHost(t)
		l := h.listen(any4(80), 0, 5, nil)
		dual := h.listen(any6(443), 0, 7, nil)
		h.listen(any6(8443), 0, 9, func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1) })
		h.listen(v6(631), 0, 3, nil)
		client, server := h.pair(l, v4(80))
		mappedClient, _ := h.pair(dual, v4(443))
		sixClient, _ := h.pair(dual, v6(443))
		h.dial(v4(80), 0) // not accepted
		if _, err := unix.Write(client, make([]byte, 33)); err != nil {
			t.Fatal(err)
		}
		closed, _ := h.pair(l, v4(80))
		closedPort := port(t, closed)
		h.must(unix.Shutdown(closed, unix.SHUT_WR))
		bound := h.socket(unix.AF_INET, unix.SOCK_STREAM, 0, 0)
		h.must(unix.Bind(bound, v4(4444)))
		h.datagram(any4(53), nil, unix.SOCK_DGRAM, 0, 0)
		h.datagram(any6(5353), nil, unix.SOCK_DGRAM, 0, 0)
		h.datagram(v6(123), nil, unix.SOCK_DGRAM, 0, 0)
		h.datagram(any4(0), nil, unix.SOCK_RAW, unix.IPPROTO_ICMP, 0)
		h.datagram(any6(0), nil, unix.SOCK_RAW, unix.IPPROTO_ICMPV6, 0)
		h.datagram(any4(0), nil, unix.SOCK_RAW, 89, 0)
		c, m, s := port(t, client), port(t, mappedClient), port(t, sixClient)
		await(t, func() bool { // until the data has arrived and its acknowledgment too, and the connection that waits
			rows := bsdRows(t, "-n", "-p", "tcp")
			return h.info(l).Unacked == 1 && len(only(rows, "tcp4 33 0 127.0.0.1.80 ")) == 1 && len(only(rows, "tcp4 0 0 127.0.0.1."+c+" ")) == 1 && slices.ContainsFunc(rows, func(r string) bool { return strings.HasSuffix(r, " FIN_WAIT_2") })
		})

		listeners := []string{"tcp4 0 0 *.80 *.* LISTEN", "tcp46 0 0 *.443 *.* LISTEN", "tcp6 0 0 *.8443 *.* LISTEN", "tcp6 0 0 ::1.631 *.* LISTEN"}
		connected := func(rows []string) (list []string) { // the one that is not accepted has a port that nobody knows
			for _, r := range only(rows, "tcp") {
				for _, p := range []string{c, m, s, closedPort} {
					if strings.Contains(r, "."+p+" ") {
						list = append(list, r)
					}
				}
			}
			return list
		}
		pairs4 := []string{
			"tcp4 0 0 127.0.0.1." + c + " 127.0.0.1.80 ESTABLISHED", "tcp4 33 0 127.0.0.1.80 127.0.0.1." + c + " ESTABLISHED",
			"tcp4 0 0 127.0.0.1." + m + " 127.0.0.1.443 ESTABLISHED", "tcp4 0 0 127.0.0.1.443 127.0.0.1." + m + " ESTABLISHED",
			"tcp4 0 0 127.0.0.1." + closedPort + " 127.0.0.1.80 FIN_WAIT_2", "tcp4 1 0 127.0.0.1.80 127.0.0.1." + closedPort + " CLOSE_WAIT",
		}
		pairs6 := []string{"tcp6 0 0 ::1." + s + " ::1.443 ESTABLISHED", "tcp6 0 0 ::1.443 ::1." + s + " ESTABLISHED"}
		sameRows(t, "-an", connected(bsdRows(t, "-an")), slices.Concat(pairs4, pairs6)...)
		sameRows(t, "-n", connected(bsdRows(t, "-n")), slices.Concat(pairs4, pairs6)...)
		sameRows(t, "-n -f inet", connected(bsdRows(t, "-n", "-f", "inet")), pairs4...)
		sameRows(t, "-n -6", connected(bsdRows(t, "-n", "-6")), pairs6...)

		listening := func(rows []string) (list []string) {
			return slices.DeleteFunc(only(rows, "tcp"), func(r string) bool { return !strings.HasSuffix(r, " LISTEN") })
		}
		sameRows(t, "-an", listening(bsdRows(t, "-an")), listeners...)
		sameRows(t, "-an -f inet", listening(bsdRows(t, "-an", "-f", "inet")), listeners[:2]...)
		sameRows(t, "-an -f inet6", listening(bsdRows(t, "-an", "-f", "inet6")), listeners[1:]...)
		sameRows(t, "-n", listening(bsdRows(t, "-n")))
		if !kernelHasBound() {
			t.Log("the kernel does not tell of sockets that are only bound (Linux 6.8)")
		} else {
			sameRows(t, "-an", only(bsdRows(t, "-an"), "tcp4 0 0 127.0.0.1.4444 "), "tcp4 0 0 127.0.0.1.4444 *.* CLOSED")
		}
		sameRows(t, "-n -p udp", only(bsdRows(t, "-n", "-p", "udp"), ""), "Active Internet connections",
			"Proto Recv-Q Send-Q Local Address Foreign Address (state)", "udp4 0 0 *.53 *.*", "udp46 0 0 *.5353 *.*", "udp6 0 0 ::1.123 *.*")
		sameRows(t, "-n -p icmp", only(bsdRows(t, "-n", "-p", "icmp"), "ic"), "icm4 0 0 *.* *.*")
		sameRows(t, "-n -f inet6 -p ICMP6", only(bsdRows(t, "-n", "-f", "inet6", "-p", "ICMP6"), "ic"), "icm6 0 0 *.* *.*")
		sameRows(t, "-n -p ip", only(bsdRows(t, "-n", "-p", "ip"), "ip"), "ip4 0 0 *.89 *.*")

		queues := []string{"1/-/5 *.80", "0/-/7 *.443", "0/-/9 *.8443", "0/-/3 ::1.631"}
		for _, args := range [][]string{{"-Lan"}, {"-Ln"}} {
			sameRows(t, args[0], slices.Sorted(slices.Values(bsdRows(t, args...)[2:])), queues...)
		}

		pid := strconv.Itoa(os.Getpid())
		comm, err := os.ReadFile("/proc/self/comm")
		h.must(err)
		name := strings.TrimSpace(string(comm)) + ":" + pid
		sent := only(bsdRows(t, "-anv", "-p", "tcp"), "tcp4 0 0 127.0.0.1."+c)
		received := only(bsdRows(t, "-anv", "-p", "tcp"), "tcp4 33 0 127.0.0.1.80 127.0.0.1."+c)
		if len(sent) != 1 || len(received) != 1 {
			t.Fatalf("-anv: %q %q", sent, received)
		}
		f, g := strings.Fields(sent[0]), strings.Fields(received[0])
		rhiwat, err := unix.GetsockoptInt(server, unix.SOL_SOCKET, unix.SO_RCVBUF)
		h.must(err)
		shiwat, err := unix.GetsockoptInt(server, unix.SOL_SOCKET, unix.SO_SNDBUF)
		h.must(err)
		if len(f) != 11 || f[6] != "0" || f[7] != "33" || f[10] != name {
			t.Errorf("-anv: %q", sent)
		}
		if want := []string{"33", "0", strconv.Itoa(rhiwat), strconv.Itoa(shiwat), name}; len(g) != 11 || !slices.Equal(g[6:], want) {
			t.Errorf("-anv: %q, want %q", received, want)
		}
		if rows := only(bsdRows(t, "-an", "-b", "-p", "tcp"), "tcp4 33 0 "); len(rows) != 1 || !strings.HasSuffix(rows[0], " ESTABLISHED 33 0") {
			t.Errorf("-b: %q", rows)
		}
		h.must(unix.SetsockoptInt(server, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1))
		rows := only(bsdRows(t, "-nx", "-p", "tcp"), "tcp4 33 0 ")
		if len(rows) != 1 {
			t.Fatalf("-x: %q", rows)
		}
		if x := strings.Fields(rows[0]); len(x) != 15 || x[6] != strconv.Itoa(rhiwat) || x[10] != "-" || x[11] != "-" || x[13] != "-" || x[14] == "-" {
			t.Errorf("-x: %q", rows)
		} else if left, err := strconv.ParseFloat(x[12], 64); err != nil || left < 6000 || left > 7200 {
			t.Errorf("-x: keepalive in %s s, want nearly 7200", x[12])
		}
	})
}

// kernelHasBound reports whether the kernel tells of sockets that are only bound.
func kernelHasBound() bool { return release.Running() >= release.Of(6, 8) }

// port returns the local port of a socket.
func port(t *testing.T, fd int) string {
	t.Helper()
	a, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return strconv.Itoa(a.Port)
	case *unix.SockaddrInet6:
		return strconv.Itoa(a.Port)
	}
	t.Fatalf("%T", a)
	return ""
}

// await fails unless something comes true within a minute.
func await(t *testing.T, done func() bool) {
	t.Helper()
	if !wait(done) {
		t.Fatal("it does not come to be")
	}
}

// wait reports whether something comes true within a minute.
func wait(done func() bool) bool {
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if done() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// TestBSDUnix: UNIX domain sockets that the test made. A name cannot forge a row.
func TestBSDUnix(t *testing.T) {
	inNamespace(t, func() {
		h := newHost(t)
		path := filepath.Join(t.TempDir(), "s\n1 stream 0 0 0 0 - - forged")
		l := h.socket(unix.AF_UNIX, unix.SOCK_STREAM, 0, 0)
		h.must(unix.Bind(l, &unix.SockaddrUnix{Name: path}))
		h.must(unix.Listen(l, 1))
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		h.must(err)
		h.fds[pair[0]], h.fds[pair[1]] = true, true

		var file unix.Stat_t
		h.must(unix.Lstat(path, &file))
		inode := func(fd int) string {
			var st unix.Stat_t
			h.must(unix.Fstat(fd, &st))
			return strconv.FormatUint(st.Ino, 10)
		}
		want := []string{
			inode(l) + " stream 0 0 " + strconv.FormatUint(file.Ino, 10) + " 0 - - " + strings.ReplaceAll(path, "\n", `\012`),
			inode(pair[0]) + " dgram 0 0 0 " + inode(pair[1]) + " - -", inode(pair[1]) + " dgram 0 0 0 " + inode(pair[0]) + " - -",
		}
		for _, args := range [][]string{{"-n", "-f", "unix"}, {"-un"}, {"-an"}, {"-n"}} {
			rows := bsdRows(t, args...)
			for _, w := range want {
				if len(only(rows, w)) != 1 {
					t.Errorf("%q: no %q in\n%s", args, w, strings.Join(rows, "\n"))
				}
			}
			if forged := only(rows, "1 stream"); len(forged) > 0 {
				t.Errorf("%q: forged: %q", args, forged)
			}
			if titles := only(rows, "Active LOCAL"); len(titles) != 1 {
				t.Errorf("%q: headings: %q", args, titles)
			}
			// Streams come first.
			if stream, dgram := slices.Index(rows, want[0]), slices.Index(rows, want[1]); stream > dgram {
				t.Errorf("%q: row %d before row %d", args, dgram, stream)
			}
		}
		for _, args := range [][]string{{"-nv", "-f", "unix"}, {"-nv"}} {
			rows := bsdRows(t, args...)
			if got := only(rows, inode(pair[0])+" "); len(got) != 1 || !strings.HasSuffix(got[0], ":"+strconv.Itoa(os.Getpid())) {
				t.Errorf("%q: %q", args, got)
			}
		}
		for _, args := range [][]string{{"-n", "-p", "tcp"}, {"-n", "-f", "inet"}, {"-Ln"}} {
			if rows := bsdRows(t, args...); len(rows) != 0 {
				t.Errorf("%q: %q", args, rows)
			}
		}
	})
}

// TestBSDNames: addresses and ports by name.
func TestBSDNames(t *testing.T) {
	inOwnMounts(t, func() {
		overlay(t, t.TempDir(), "/etc/hosts", "127.0.0.1 localhost\n")
		overlay(t, t.TempDir(), "/etc/services", "ssh 22/tcp\n")
		h := newHost(t)
		l := h.listen(any4(22), 0, 5, nil)
		client, _ := h.pair(l, v4(22))
		p := port(t, client)
		r := oursAlone(t, "--bsd", "-a", "-p", "tcp")
		for _, row := range []string{"  *.ssh                  *.*                    LISTEN ", "  localhost.ssh          localhost." + p + " ", "  localhost." + p + " "} {
			if !strings.Contains(r.stdout, row) {
				t.Errorf("no %q in\n%s%s", row, r.stdout, r.stderr)
			}
		}
	})
}
