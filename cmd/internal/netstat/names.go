package netstat

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/render/names"
	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// resolver has the names of everything, and keeps them over the rounds of -c.
type resolver struct {
	ctx       context.Context
	hosts     names.Hosts
	services  names.Services
	protocols names.Protocols
	users     names.Users
	addrs     []netip.Addr
	hostsFile map[netip.Addr]bool // the IPv4 addresses in /etc/hosts
	networks  map[netip.Addr]string

	mu    sync.Mutex
	asked map[uint32]bool // inodes of the sockets by which name servers were asked
}

func (n *resolver) init(ctx context.Context) {
	n.ctx = ctx
	n.services.Last = true
	n.protocols.Last = true
	n.asked = map[uint32]bool{}
	dialer := net.Dialer{Control: n.asking}
	n.hosts.LookupAddr = (&net.Resolver{Dial: dialer.DialContext}).LookupAddr
}

// asking notes a socket before it is connected to a name server.
func (n *resolver) asking(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		var st unix.Stat_t
		if unix.Fstat(int(fd), &st) == nil {
			n.mu.Lock()
			n.asked[uint32(st.Ino)] = true
			n.mu.Unlock()
		}
	})
}

// own reports whether name servers were asked by the socket: the dump goes on while hosts are looked up, and has it. It must not be
// called meanwhile.
func (n *resolver) own(s *diag.InetSocket) bool { return len(n.asked) > 0 && n.asked[s.Inode] }

// set gives a table the names that are wanted.
func (n *resolver) set(t *render.Options, o *options) {
	if !o.numericHosts {
		t.Host = n.host
	}
	if !o.numericPorts {
		t.Service = n.service
	}
	if !o.numericUsers {
		t.User = n.users.Lookup
	}
}

func (n *resolver) service(port uint16, proto string) (string, bool) {
	if proto == "raw" && port < 256 {
		if name, ok := n.protocols.Lookup(uint8(port)); ok {
			return name, true
		}
	}
	return n.services.Lookup(port, proto)
}

func (n *resolver) host(a netip.Addr) (string, bool) {
	if !n.wanted(a) {
		return "", false
	}
	return n.hosts.Lookup(n.ctx, a)
}

// wanted reports whether an address is looked up: the C library finds the name of an IPv4-mapped address in DNS, but not in
// /etc/hosts.
func (n *resolver) wanted(a netip.Addr) bool {
	if a.Unmap().IsUnspecified() {
		return false
	}
	if a.Is4In6() {
		if n.hostsFile == nil {
			n.hostsFile = readHosts("/etc/hosts")
		}
		return !n.hostsFile[a.Unmap()]
	}
	return true
}

// deviceName returns the name of a device as it may reach a terminal: the kernel keeps only blanks, slashes and colons out of them.
func deviceName(b []byte) string { return string(names.AppendEscaped(nil, b)) }

// readHosts returns the IPv4 addresses in a file such as /etc/hosts (hosts(5)).
func readHosts(file string) map[netip.Addr]bool {
	found := map[netip.Addr]bool{}
	b, _ := os.ReadFile(file) // without the file it names no address
	for line := range bytes.Lines(b) {
		line, _, _ = bytes.Cut(line, []byte{'#'})
		if f := bytes.Fields(line); len(f) > 1 {
			if a, err := netip.ParseAddr(string(f[0])); err == nil && a.Is4() {
				found[a] = true
			}
		}
	}
	return found
}

// lookUp looks up, at the same time, the hosts of the sockets that are shown.
func (n *resolver) lookUp(list []diag.InetSocket, which render.Which) {
	n.addrs = n.addrs[:0]
	add := func(a netip.Addr) {
		if n.wanted(a) {
			n.addrs = append(n.addrs, a)
		}
	}
	for i := range list {
		s := &list[i]
		if !which.Shows(s) {
			continue
		}
		if s.Protocol == diag.SCTP {
			for a := range s.Locals() {
				add(a.Addr())
			}
			for a := range s.Peers() {
				add(a.Addr())
			}
			continue
		}
		add(s.Local.Addr())
		add(s.Remote.Addr())
	}
	n.hosts.Resolve(n.ctx, n.addrs)
}

// lookUpAddrs looks up hosts at the same time.
func (n *resolver) lookUpAddrs(list []netip.Addr) {
	n.addrs = n.addrs[:0]
	for _, a := range list {
		if n.wanted(a) {
			n.addrs = append(n.addrs, a)
		}
	}
	n.hosts.Resolve(n.ctx, n.addrs)
}
