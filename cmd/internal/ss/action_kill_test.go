package ss

import (
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
)

// identity are the numbers of a socket that are another's in an equal scene.
var identity = regexp.MustCompile(` (ino|sk):[0-9a-f]+`)

// victims are sockets at known addresses in a namespace of their own, which nobody else uses.
type victims struct {
	*scene.NetNS
	fds map[string]int
}

// newVictims makes a TCP connection and a UDP socket for each family.
func newVictims(t *testing.T) *victims {
	t.Helper()
	v := &victims{scene.NewNetNS(t), map[string]int{}}
	v.do(t, func() error {
		for _, f := range []struct{ name, addr string }{{"4", "127.0.0.1:70"}, {"6", "[::1]:70"}} {
			if err := v.tcp("tcp"+f.name, f.addr, 0); err != nil {
				return err
			}
			if err := v.open("udp"+f.name, unix.SOCK_DGRAM, 0, f.addr+"05", ""); err != nil {
				return err
			}
			if err := v.open("connected"+f.name, unix.SOCK_DGRAM, 0, f.addr+"06", f.addr+"05"); err != nil {
				return err
			}
		}
		return nil
	})
	t.Cleanup(func() {
		for _, fd := range v.fds {
			unix.Close(fd)
		}
	})
	return v
}

func (v *victims) do(t *testing.T, f func() error) {
	t.Helper()
	var err error
	if e := v.Do(func() { err = f() }); e != nil || err != nil {
		t.Fatal(e, err)
	}
}

func inetAddr(s string) (family int, sa unix.Sockaddr) {
	a := netip.MustParseAddrPort(s)
	if a.Addr().Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

func (v *victims) open(name string, typ, proto int, local, remote string) error {
	family, sa := inetAddr(local)
	fd, err := unix.Socket(family, typ|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		return err
	}
	v.fds[name] = fd
	err = errors.Join(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1), unix.Bind(fd, sa))
	if err == nil && remote != "" {
		_, sa := inetAddr(remote)
		err = unix.Connect(fd, sa)
	}
	return err
}

// tcp makes a listener at addr+"01" and a connection to it from addr+"02".
func (v *victims) tcp(name, addr string, proto int) error {
	err := v.open(name+" listener", unix.SOCK_STREAM, proto, addr+"01", "")
	if err == nil {
		err = unix.Listen(v.fds[name+" listener"], 5)
	}
	if err == nil {
		err = v.open(name+" client", unix.SOCK_STREAM, proto, addr+"02", addr+"01")
	}
	if err == nil {
		v.fds[name+" server"], _, err = unix.Accept4(v.fds[name+" listener"], unix.SOCK_CLOEXEC)
	}
	return err
}

// closed returns the names of the sockets that were closed, as the sockets themselves say: a listener that does not listen, and an
// error that waits for the owner.
func (v *victims) closed(t *testing.T) (names []string) {
	t.Helper()
	for name, fd := range v.fds {
		e, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err != nil {
			t.Fatal(err)
		}
		gone := syscall.Errno(e) == unix.ECONNABORTED
		if strings.HasSuffix(name, "listener") {
			listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
			if err != nil {
				t.Fatal(err)
			}
			info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
			gone = listens == 0 || err == nil && info.State == 7
		}
		if gone {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Ours closes what ss closes in a scene that is equal, prints the same, and nothing else is closed.
func TestKill(t *testing.T) {
	p := peer(t)
	for _, tt := range []struct{ line, closed string }{
		{"-K -tan4 sport = 7002", "tcp4 client"},
		{"-K -tan6 sport = 7002", "tcp6 client"},
		{"-K -tn sport = 7002", "tcp4 client,tcp6 client"},
		{"-K -tan dst 127.0.0.1:7001", "tcp4 client"},
		{"-tan --kill dst [::1]:7001", "tcp6 client"},
		{"-K -tln", "tcp4 listener,tcp6 listener"},
		{"-K -tln sport = 7001 -O -e", "tcp4 listener,tcp6 listener"},
		{"-K -uan", "connected4,connected6,udp4,udp6"},
		{"-K -un", "connected4,connected6"},
		{"-K -uan4 sport = 7005", "udp4"},
		{"-K -tuan src [::1] sport != 7001", "connected6,tcp6 client,udp6"},
		{"-K -tuan sport = 7777", ""},
		{"-K -tuan state listening", "tcp4 listener,tcp6 listener"},
		{"-HK -tn4 dport = 7001", "tcp4 client"},
	} {
		theirs, our := newVictims(t), newVictims(t)
		args := strings.Fields(tt.line)
		want := inNS(t, theirs.NetNS, nil, append([]string{p}, args...)...)
		got := inNS(t, our.NetNS, nil, append([]string{""}, args...)...)
		if strings.Contains(tt.line, "-e") { // inodes and cookies
			want.stdout, got.stdout = identity.ReplaceAllString(want.stdout, ""), identity.ReplaceAllString(got.stdout, "")
		}
		if a, b := sorted(got.stdout), sorted(want.stdout); !slices.Equal(a, b) || got.stderr != want.stderr || got.status != want.status {
			t.Errorf("%s: %+v\nwant %+v", tt.line, got, want)
		}
		if want := strings.Join(theirs.closed(t), ","); want != tt.closed {
			t.Errorf("%s: ss closed %q", tt.line, want)
		}
		if got := strings.Join(our.closed(t), ","); got != tt.closed {
			t.Errorf("%s: closed %q, want %q", tt.line, got, tt.closed)
		}
	}
}

// Everything in the namespace: which end of a connection is found first is by chance.
func TestKillAll(t *testing.T) {
	v := newVictims(t)
	got := inNS(t, v.NetNS, nil, "", "-K -tuan")
	if n := strings.Count(got.stdout, "\n"); got.stderr != "" || n < 1+8 {
		t.Errorf("%+v", got)
	}
	left := inNS(t, v.NetNS, nil, "", "-tuanH state connected exclude bound-inactive")
	if left.stdout != "" {
		t.Errorf("left:\n%s", left.stdout)
	}
}

// What is refused is counted, with the kernel's word; nothing is closed or shown.
func TestKillRefused(t *testing.T) {
	p := peer(t)
	v := newVictims(t)
	nobody := &syscall.Credential{Uid: 65534, Gid: 65534}
	for _, tt := range []struct {
		line string
		n    string
	}{{"-K -tan sport = 7002", "2"}, {"-K -tln", "2"}, {"-K -uan", "4"}} {
		want := runIn(t, v.NetNS, nobody, nil, append([]string{p}, strings.Fields(tt.line)...)...)
		got := runIn(t, v.NetNS, nobody, nil, "", tt.line)
		if got.status != want.status || got.stderr != "SOCK_DESTROY answers: Operation not permitted (sockets not closed: "+tt.n+")\n" ||
			strings.Count(got.stdout, "\n") != 1 {
			t.Errorf("%s: %+v\nss %+v", tt.line, got, want)
		}
		if !strings.HasPrefix(want.stderr, "SOCK_DESTROY answers: Operation not permitted") {
			t.Errorf("%s: ss: %+v", tt.line, want)
		}
	}
	if closed := v.closed(t); closed != nil {
		t.Errorf("closed: %q", closed)
	}
}

// Listeners that share an address are found one after the other. ss loses all but one.
func TestKillReusePort(t *testing.T) {
	v := newVictims(t)
	v.do(t, func() error {
		for _, name := range []string{"a listener", "b listener", "c listener"} {
			_, sa := inetAddr("127.0.0.1:7010")
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			v.fds[name] = fd
			err = errors.Join(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1), unix.Bind(fd, sa), unix.Listen(fd, 1))
			if err != nil {
				return err
			}
		}
		return nil
	})
	got := inNS(t, v.NetNS, nil, "", "-K -tlnH sport = 7010")
	if strings.Count(got.stdout, "\n") != 3 || got.stderr != "" {
		t.Errorf("%+v", got)
	}
	if closed := strings.Join(v.closed(t), ","); closed != "a listener,b listener,c listener" {
		t.Errorf("closed %q", closed)
	}
}

// An MPTCP connection loses its subflows; a listener is refused. Sockets of other families are not shown as if they were closed.
func TestKillMPTCP(t *testing.T) {
	v := newVictims(t)
	err := error(nil)
	v.do(t, func() error { err = v.tcp("mptcp", "127.0.0.1:71", 262); return nil })
	if err != nil {
		t.Skip("needs MPTCP:", err)
	}
	v.do(t, func() error { // both ends know the other's key with the first data
		a, b, buf := v.fds["mptcp client"], v.fds["mptcp server"], make([]byte, 1)
		for _, ends := range [][2]int{{a, b}, {b, a}} {
			if _, err := unix.Write(ends[0], buf); err != nil {
				return err
			}
			if _, err := unix.Read(ends[1], buf); err != nil {
				return err
			}
		}
		return nil
	})
	subflows := func() string {
		return inNS(t, v.NetNS, nil, "", "-tnH state established ( sport = 7101 or dport = 7101 )").stdout
	}
	if strings.Count(subflows(), "\n") != 2 {
		t.Fatalf("subflows:\n%s", subflows())
	}
	got := inNS(t, v.NetNS, nil, "", "-KMnH sport = 7102")
	if strings.Join(strings.Fields(got.stdout), " ") != "0 0 127.0.0.1:7102 127.0.0.1:7101" && !strings.HasPrefix(got.stdout, "ESTAB") ||
		got.stderr != "ss: MPTCP sockets have lost their subflows: they end once net.mptcp.close_timeout is over\n" {
		t.Errorf("%+v", got)
	}
	wait(t, "no subflows to be left", func() bool { return subflows() == "" })
	got = inNS(t, v.NetNS, nil, "", "-KMlnH")
	if got.stdout != "" || got.stderr != "SOCK_DESTROY answers: Operation not supported (sockets not closed: 1)\n" {
		t.Errorf("listener: %+v", got)
	}
	got = inNS(t, v.NetNS, nil, "", "-Kxan")
	if sorted(got.stdout)[0] == "" || strings.Count(got.stdout, "\n") != 1 || got.stderr != "ss: only sockets of IPv4 and IPv6 are closed, and shown\n" {
		t.Errorf("unix: %+v", got)
	}
	if closed := v.closed(t); slices.Contains(closed, "tcp4 client") || slices.Contains(closed, "tcp4 listener") {
		t.Errorf("closed: %q", closed)
	}
}
