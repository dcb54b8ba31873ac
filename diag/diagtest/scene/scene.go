package scene

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// TUN is the name of the device that leads to the far end.
const TUN = "tun0"

// The addresses of the scene. Near and far ones are those of the two ends over the TUN device.
const (
	near4 = "192.0.2.1"
	far4  = "192.0.2.10"
	near6 = "[2001:db8::1]"
	far6  = "[2001:db8::10]"
	// hasty ends are reached over a route without the long retransmission time of the others.
	hasty4 = "198.51.100.10"
	hasty6 = "[2001:db8:1::10]"
	// linkLocal and long6 are the near end's too.
	linkLocal = "[fe80::1]"
	long6     = "[2001:db8:1234:5678:9abc:def0:1234:5678]"
)

// rtoMin is the shortest retransmission timeout of connections to the far end: so long that retransmissions, which
// change what a socket says, are seldom.
const rtoMin = 20 * time.Second

// A Scene is a network namespace with one or more sockets of every kind in it.
//
// States, timers and queues hold for minutes, with two exceptions: the sockets called "fin-wait-2 timewait" end 60 seconds
// after New, and those called "fin-wait-2 orphan" go on as "fin-wait-2 timewait" ones then. Retransmissions are seldom after the
// first seconds.
type Scene struct {
	*NetNS
	// Sockets is the truth: every socket of the inet tables in the namespace, and the unix, packet and netlink sockets that
	// the scene opened.
	Sockets []Expect
	// Missing are the kinds of sockets that this kernel does not have, with the reason.
	Missing []string

	fds     []int
	helpers []*process
	far     *farEnd
	comm    string
	dir     string // for unix sockets
}

// New builds the scene; it takes about a second. It skips the test where [Require] does, and fails it when a socket does not
// come to be as it should. The scene ends with the test.
func New(t testing.TB) *Scene {
	t.Helper()
	Require(t)
	s := &Scene{NetNS: NewNetNS(t), dir: t.TempDir()}
	t.Cleanup(func() {
		if err := s.end(); err != nil {
			t.Error("scene:", err)
		}
	})
	var err error
	if e := s.Do(func() { err = s.build() }); e != nil {
		err = e
	}
	if err != nil {
		t.Fatal("scene:", err)
	}
	return s
}

// Find returns the socket of that name and fails the test if there is none.
func (s *Scene) Find(t testing.TB, name string) *Expect {
	t.Helper()
	i := slices.IndexFunc(s.Sockets, func(e Expect) bool { return e.Name == name })
	if i < 0 {
		t.Fatalf("scene: no socket %q; missing: %q", name, s.Missing)
	}
	return &s.Sockets[i]
}

// end closes what build made, as far as it came.
func (s *Scene) end() error {
	var errs []error
	for _, p := range s.helpers {
		p.control.Close() // all of them first: they end at the same time
	}
	for _, p := range s.helpers {
		errs = append(errs, p.Close())
	}
	for _, fd := range s.fds {
		errs = append(errs, unix.Close(fd))
	}
	if s.far != nil {
		errs = append(errs, s.far.Close())
	}
	return errors.Join(errs...)
}

// build makes the sockets; the calling thread is in the namespace.
func (s *Scene) build() (err error) {
	defer func() {
		if e := recover(); e != nil {
			failed, ok := e.(buildError)
			if !ok {
				panic(e)
			}
			err = failed.err
		}
	}()
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		return err
	}
	s.comm = strings.TrimSuffix(string(comm), "\n")
	b := &builder{Scene: s}
	b.network()
	b.listeners()
	b.connections()
	b.multipath()
	b.datagrams()
	b.local()
	b.owners()
	b.halfway()
	return s.settle()
}

// network sets sysctls, addresses and routes.
func (b *builder) network() {
	for path, value := range map[string]string{
		"net/ipv6/conf/default/addr_gen_mode":        "1", // no link-local address but ours
		"net/ipv6/conf/default/router_solicitations": "0",
		"net/ipv4/tcp_synack_retries":                "30",
		"net/ipv4/tcp_orphan_retries":                "15",
		"net/ipv4/tcp_syn_linear_timeouts":           "0",     // few retransmissions; Linux 6.5
		"net/ipv4/tcp_fastopen":                      "0x207", // client, server, both without cookies
		"net/ipv4/tcp_fin_timeout":                   "60",
	} {
		if err := Sysctl(path, value); !errors.Is(err, os.ErrNotExist) {
			check("sysctl "+path, err)
		}
	}
	tun, err := openTUN(TUN)
	check("far end", err)
	b.far = newFarEnd(tun)
	link, err := netlink.LinkByName(TUN)
	check("find "+TUN, err)
	b.tun = link.Attrs().Index
	check("multicast off", netlink.LinkSetMulticastOff(link)) // no reports on the device
	check("set up", netlink.LinkSetUp(link))
	b.address(link, near4+"/32")
	b.address(link, near6+"/128")
	b.address(link, linkLocal+"/128")
	b.address(link, long6+"/128")
	for _, host := range []string{near6, linkLocal, long6} {
		b.awaitLocal(host)
	}
	for dst, rto := range map[string]time.Duration{
		far4 + "/32": rtoMin, far6 + "/128": rtoMin,
		hasty4 + "/32": 0, hasty6 + "/128": 0,
	} {
		_, ipnet, err := parseCIDR(dst)
		check("route", err)
		check("route to "+dst, netlink.RouteAdd(&netlink.Route{LinkIndex: b.tun, Dst: ipnet, Scope: netlink.SCOPE_LINK,
			RtoMin: int(rto.Milliseconds()), RtoMinLock: rto != 0}))
	}
}

func (b *builder) address(link netlink.Link, cidr string) {
	ip, ipnet, err := parseCIDR(cidr)
	check("address", err)
	ipnet.IP = ip
	addr := &netlink.Addr{IPNet: ipnet}
	if ip.To4() == nil {
		// The local route comes a little after the address; until then a prefix route would lead out of the device.
		addr.Flags = unix.IFA_F_NODAD | unix.IFA_F_NOPREFIXROUTE
	}
	check("add address "+cidr, netlink.AddrAdd(link, addr))
}

// awaitLocal waits until packets to an address of ours have a way: the kernel adds the local
// IPv6 routes a little after the addresses.
func (b *builder) awaitLocal(host string) {
	fd := b.socket(unix.AF_INET6, unix.SOCK_DGRAM, 0)
	sa := sockaddr(unix.AF_INET6, addrOf(host, 9), b.tun)
	check("address "+host, wait(patience, "route", func() (bool, error) {
		err := unix.Connect(fd, sa)
		if err == unix.ENETUNREACH || err == unix.EHOSTUNREACH {
			return false, nil
		}
		return true, err
	}))
	b.drop(fd)
}

// settle waits until /proc/net says what the scene means to have made.
func (s *Scene) settle() error {
	var diffs []string
	err := wait(patience, "the sockets", func() (bool, error) {
		var err error
		diffs, err = differences(s.Sockets)
		return len(diffs) == 0, err
	})
	if err != nil {
		return fmt.Errorf("%w:\n%s", err, strings.Join(diffs, "\n"))
	}
	return nil
}

// addrOf is what a constant address and a port make.
func addrOf(host string, port int) netip.AddrPort {
	ap, err := parseAddrPort(fmt.Sprintf("%s:%d", host, port))
	check("address", err)
	return ap
}
