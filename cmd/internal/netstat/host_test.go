package netstat

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/check"
	"github.com/sockeye-tools/sockeye/internal/thread"
)

// result is what a run of netstat prints, and its exit status.
type result struct {
	stdout, stderr string
	status         int
}

// ours runs the face, in the namespace of the calling thread.
func ours(ctx context.Context, args ...string) result {
	var out, errs bytes.Buffer
	env := newEnv(ctx, args...)
	env.Stdout, env.Stderr = &out, &errs
	status := Main(env)
	return result{out.String(), errs.String(), status}
}

// theirs runs netstat of net-tools 2.10.
func theirs(t testing.TB, args ...string) result {
	t.Helper()
	path, err := exec.LookPath("netstat")
	if err != nil {
		t.Skip("netstat is not installed")
	}
	version, _ := exec.Command(path, "-V").Output()
	if !bytes.HasPrefix(version, []byte("net-tools 2.10\n")) {
		t.Skipf("netstat is %.20q, not net-tools 2.10", version)
	}
	var out, errs bytes.Buffer
	cmd := &exec.Cmd{Path: path, Args: append([]string{"netstat"}, args...), Stdout: &out, Stderr: &errs}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "POSIXLY_CORRECT=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C")
	err = cmd.Run()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

var seconds = regexp.MustCompile(`\([0-9]+\.[0-9]{2}/`)

// still leaves out what changes between two runs, the seconds of timers, and what net-tools sends to the terminal and we do not.
func (r result) still() result {
	r = r.withoutBogus()
	b := []byte(seconds.ReplaceAllString(r.stdout, "(T/"))
	for i, c := range b {
		if c != '\n' && (c < 0x20 || c > 0x7e) {
			b[i] = '.'
		}
	}
	return result{string(b), r.stderr, r.status}
}

// withoutBogus leaves out what net-tools says of names with a line feed, which we do not take for other sockets.
func (r result) withoutBogus() result {
	r.stderr = strings.ReplaceAll(r.stderr, "warning, got bogus unix line.\n", "")
	return r
}

// inNamespace runs f in a thread of a new network namespace whose loopback device is up.
func inNamespace(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, for a network namespace of its own")
	}
	done := make(chan error)
	thread.Go(func() {
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = check.LoopbackUp()
		}
		defer func() { done <- err }() // also where f calls t.FailNow
		if err == nil {
			f()
		}
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// host makes sockets in the namespace of the calling thread.
type host struct {
	t   *testing.T
	fds map[int]bool
}

func newHost(t *testing.T) *host {
	h := &host{t, map[int]bool{}}
	t.Cleanup(func() {
		for fd := range h.fds {
			unix.Close(fd)
		}
	})
	return h
}

func (h *host) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) close(fd int) {
	delete(h.fds, fd)
	unix.Close(fd)
}

// socket opens a socket that belongs to a user.
func (h *host) socket(family, typ, proto, uid int) int {
	h.t.Helper()
	// The user id of the thread for files is that of the sockets that it makes.
	unix.Syscall(unix.SYS_SETFSUID, uintptr(uid), 0, 0)
	fd, err := unix.Socket(family, typ|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, proto)
	unix.Syscall(unix.SYS_SETFSUID, 0, 0, 0)
	h.must(err)
	h.fds[fd] = true
	h.must(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	return fd
}

func family(a unix.Sockaddr) int {
	if _, ok := a.(*unix.SockaddrInet6); ok {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

func v4(port int) unix.Sockaddr   { return &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}} }
func any4(port int) unix.Sockaddr { return &unix.SockaddrInet4{Port: port} }
func v6(port int) unix.Sockaddr   { return &unix.SockaddrInet6{Port: port, Addr: [16]byte{15: 1}} }
func any6(port int) unix.Sockaddr { return &unix.SockaddrInet6{Port: port} }

func (h *host) listen(a unix.Sockaddr, uid, backlog int, set func(fd int) error) int {
	h.t.Helper()
	fd := h.socket(family(a), unix.SOCK_STREAM, 0, uid)
	if set != nil {
		h.must(set(fd))
	}
	h.must(unix.Bind(fd, a))
	h.must(unix.Listen(fd, backlog))
	return fd
}

// dial begins to connect.
func (h *host) dial(a unix.Sockaddr, uid int) int {
	h.t.Helper()
	fd := h.socket(family(a), unix.SOCK_STREAM, 0, uid)
	if err := unix.Connect(fd, a); err != nil && err != unix.EINPROGRESS {
		h.t.Fatal(err)
	}
	return fd
}

// pair connects to a listener.
func (h *host) pair(listener int, a unix.Sockaddr) (client, server int) {
	h.t.Helper()
	client = h.dial(a, 0)
	for range 6000 {
		server, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		if err == nil {
			h.fds[server] = true
			return client, server
		}
		if err != unix.EAGAIN {
			h.t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	h.t.Fatal("no connection arrives at the listener")
	return 0, 0
}

func (h *host) info(fd int) *unix.TCPInfo {
	h.t.Helper()
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	h.must(err)
	return info
}

// await waits for a TCP socket to be in a state.
func (h *host) await(fd int, state diag.State) {
	h.t.Helper()
	await(h.t, func() bool { return h.info(fd).State == uint8(state) })
}

// fill writes until no more fits.
func (h *host) fill(fd int) {
	b := make([]byte, 1<<16)
	for {
		if _, err := unix.Write(fd, b); err != nil {
			return
		}
	}
}

func (h *host) datagram(bound, peer unix.Sockaddr, typ, proto, uid int) int {
	h.t.Helper()
	a := bound
	if a == nil {
		a = peer
	}
	fd := h.socket(family(a), typ, proto, uid)
	if bound != nil {
		h.must(unix.Bind(fd, bound))
	}
	if peer != nil {
		h.must(unix.Connect(fd, peer))
	}
	return fd
}

// populate makes sockets of every kind that one can have without help from outside.
func (h *host) populate() {
	h.listen(v4(22), 0, 5, nil)
	l := h.listen(any4(80), 1000, 5, nil)
	l6 := h.listen(any6(443), 33, 5, nil)
	h.listen(v6(53), 0, 5, nil)

	h.dial(v4(22), 1000) // not accepted
	h.dial(v6(53), 0)
	h.pair(l, v4(80))
	h.pair(l6, v6(443))
	h.pair(l6, v4(443)) // IPv4 at an IPv6 listener

	c, s := h.pair(l, v4(80))
	h.must(unix.SetsockoptInt(c, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1))
	unix.Write(c, make([]byte, 1000))
	unix.Write(s, make([]byte, 77))

	c, _ = h.pair(l, v4(80)) // zero window
	h.fill(c)
	c, _ = h.pair(l, v4(80)) // and closed: FIN_WAIT1, an orphan
	h.fill(c)
	h.close(c)
	c, _ = h.pair(l, v4(80)) // FIN_WAIT2, CLOSE_WAIT
	h.must(unix.Shutdown(c, unix.SHUT_WR))
	h.await(c, diag.FinWait2)
	c, _ = h.pair(l, v4(80)) // the same, an orphan: it goes over to the timewait timer
	h.close(c)
	c, s = h.pair(l, v4(80)) // TIME_WAIT
	h.close(c)
	h.await(s, diag.CloseWait)
	h.close(s)

	// SYN_RECV: such a listener waits for data.
	deferred := func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 100) }
	h.listen(any4(8081), 1000, 5, deferred)
	h.listen(any6(8082), 33, 5, deferred)
	h.dial(v4(8081), 0)
	h.dial(v6(8082), 0)
	h.dial(v4(8082), 0)

	// SYN_SENT: the accept queue of length 0 takes one.
	full := h.listen(v4(8083), 0, 0, nil)
	h.dial(v4(8083), 0)
	await(h.t, func() bool { return h.info(full).Unacked == 1 }) // of a listener that is the length of its accept queue
	h.await(h.dial(v4(8083), 1000), diag.SynSent)

	bound := h.socket(unix.AF_INET, unix.SOCK_STREAM, 0, 0) // not in /proc/net/tcp
	h.must(unix.Bind(bound, v4(4444)))

	h.datagram(any4(53), nil, unix.SOCK_DGRAM, 0, 1000)
	u := h.datagram(nil, v4(53), unix.SOCK_DGRAM, 0, 0)
	unix.Write(u, make([]byte, 100))
	h.datagram(any6(123), nil, unix.SOCK_DGRAM, 0, 33)
	h.datagram(nil, v6(123), unix.SOCK_DGRAM, 0, 0)
	for _, lite := range []unix.Sockaddr{v4(53), v6(53)} {
		if fd, err := unix.Socket(family(lite), unix.SOCK_DGRAM, unix.IPPROTO_UDPLITE); err == nil { // gone from Linux 7.1 on
			unix.Close(fd)
			h.datagram(lite, nil, unix.SOCK_DGRAM, unix.IPPROTO_UDPLITE, 0)
			h.datagram(nil, lite, unix.SOCK_DGRAM, unix.IPPROTO_UDPLITE, 0)
		}
	}
	h.datagram(any4(0), nil, unix.SOCK_RAW, unix.IPPROTO_ICMP, 0)
	h.datagram(any6(0), nil, unix.SOCK_RAW, unix.IPPROTO_ICMPV6, 0)
	h.datagram(nil, v4(0), unix.SOCK_RAW, 200, 0)
}

func newEnv(ctx context.Context, args ...string) *cli.Env {
	return &cli.Env{
		Ctx: ctx, Args: append([]string{"netstat"}, args...), Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard,
		Getenv: func(string) string { return "" },
		Owners: owner.Config{Backend: owner.Proc},
	}
}

// attachTUN opens a TUN device, so that it is up; what is sent to it is read by nobody.
func attachTUN(name string) (int, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	r, err := unix.NewIfreq(name)
	if err == nil {
		r.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, r)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func itoa(n int) string { return strconv.Itoa(n) }
