package lab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/thread"
)

// namespace is a network namespace and a thread inside it, which starts all
// workers: they get a signal when the thread that started them ends.
type namespace struct {
	calls chan func()
	done  chan struct{}
	fd    int
	inode uint64
}

// newNamespace makes an empty namespace, with a connection hash of its own of so many buckets unless that is 0.
func newNamespace(hash int) (*namespace, error) {
	ns := &namespace{calls: make(chan func()), done: make(chan struct{}), fd: -1}
	ready := make(chan error)
	thread.Go(func() { ns.thread(hash, ready) })
	if err := <-ready; err != nil {
		return nil, err
	}
	return ns, nil
}

func (ns *namespace) thread(hash int, ready chan<- error) {
	home, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		ready <- fmt.Errorf("open network namespace: %w", err)
		return
	}
	defer unix.Close(home)
	err = ns.enter(hash)
	ready <- err
	if err == nil {
		for f := range ns.calls {
			f()
		}
	}
	if ns.fd >= 0 {
		unix.Close(ns.fd)
	}
	// A thread that cannot go home stays locked, and ends with this function.
	if unix.Setns(home, unix.CLONE_NEWNET) == nil {
		runtime.UnlockOSThread()
	}
	close(ns.done)
}

func (ns *namespace) enter(hash int) error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("unshare network namespace: %w", err)
	}
	if hash > 0 {
		// The setting is for namespaces made from this one, so there are two.
		if err := setting("ipv4/tcp_child_ehash_entries", hash); err != nil {
			return err
		}
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("unshare network namespace: %w", err)
		}
	}
	var err error
	if ns.fd, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return fmt.Errorf("open network namespace: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(ns.fd, &st); err != nil {
		return fmt.Errorf("stat network namespace: %w", err)
	}
	ns.inode = st.Ino
	return nil
}

// do runs f on the thread inside the namespace.
func (ns *namespace) do(f func() error) error {
	err := make(chan error)
	ns.calls <- func() { err <- f() }
	return <-err
}

// end ends the processes in the namespace: what a command left behind, in whatever group or session.
func (ns *namespace) end() {
	for until := time.Now().Add(grace); ns.kill() && time.Now().Before(until); {
		time.Sleep(10 * time.Millisecond)
	}
}

// kill tells whether there was a process to end.
func (ns *namespace) kill() (found bool) {
	// A /proc of other processes' numbers says nothing of ours.
	if self, err := os.Readlink("/proc/self"); err != nil || self != strconv.Itoa(os.Getpid()) {
		return false
	}
	dir, err := os.Open("/proc")
	if err != nil {
		return false
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() || !ns.has(pid) {
			continue
		}
		if p, err := os.FindProcess(pid); err == nil {
			if ns.has(pid) { // p holds the process (Linux 5.3+): the number is not another one's by now
				found = true
				p.Kill()
			}
			p.Release()
		}
	}
	return found
}

func (ns *namespace) has(pid int) bool {
	in, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "ns/net"))
	return err == nil && in == fmt.Sprintf("net:[%d]", ns.inode)
}

// close ends the thread. Nothing may call do afterwards.
func (ns *namespace) close() {
	close(ns.calls)
	<-ns.done
}

// path opens the namespace in another process, while this one lives.
func (ns *namespace) path() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), ns.fd)
}

// setting writes a setting of the calling thread's namespace.
func setting(name string, v ...int) error {
	var b []byte
	for _, n := range v {
		b = append(strconv.AppendInt(b, int64(n), 10), ' ')
	}
	if err := os.WriteFile(filepath.Join("/proc/sys/net", name), b, 0); err != nil {
		return fmt.Errorf("set net/%s: %w", name, err)
	}
	return nil
}

// furnish gives the calling thread's namespace addresses, routes and settings.
func furnish(sockets int, ipv6 bool) error {
	type set struct {
		name  string
		value []int
	}
	settings := []set{
		{"core/somaxconn", []int{1 << 16}},
		{"ipv4/conf/all/rp_filter", []int{0}},
		{"ipv4/ip_local_port_range", []int{1024, 65535}},
		{"ipv4/tcp_max_syn_backlog", []int{1 << 20}},
		{"ipv4/tcp_syncookies", []int{0}},
		// Peers that do not answer are waited for, for hours.
		{"ipv4/tcp_syn_retries", []int{127}},
		{"ipv4/tcp_synack_retries", []int{255}},
		{"ipv4/tcp_retries2", []int{255}},
		// TIME_WAIT sockets stay, whatever arrives and whoever wants their port,
		// and do not answer the segments that keep them.
		{"ipv4/tcp_max_tw_buckets", []int{sockets + 1024}},
		{"ipv4/tcp_tw_reuse", []int{0}},
		{"ipv4/tcp_rfc1337", []int{1}},
		{"ipv4/tcp_invalid_ratelimit", []int{3_600_000}},
	}
	families := 1
	if ipv6 {
		families = 2
		settings = append(settings,
			set{"ipv6/conf/all/disable_ipv6", []int{0}},
			set{"ipv6/conf/default/disable_ipv6", []int{0}},
			set{"ipv6/ip_nonlocal_bind", []int{1}}) // anyIP is enough for IPv4, but not for IPv6
	}
	for _, s := range settings {
		if err := setting(s.name, s.value...); err != nil {
			if ipv6 && errors.Is(err, os.ErrNotExist) {
				err = fmt.Errorf("%w (is IPv6 disabled?)", err)
			}
			return err
		}
	}

	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("route netlink: %w", err)
	}
	defer h.Close()
	lo, err := h.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("link lo: %w", err)
	}
	if err := h.LinkSetUp(lo); err != nil {
		return fmt.Errorf("link lo up: %w", err)
	}
	away, err := hole(h)
	if err != nil {
		return err
	}
	for f := range families {
		addr := &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(ownAddr[f], remoteNet[f].Bits())), Flags: unix.IFA_F_NODAD}
		if err := h.AddrAdd(away, addr); err != nil {
			return fmt.Errorf("address %s: %w", addr, err)
		}
		local := &netlink.Route{LinkIndex: lo.Attrs().Index, Dst: ipNet(anyIP[f]), Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, Scope: unix.RT_SCOPE_HOST}
		if err := h.RouteAdd(local); err != nil {
			return fmt.Errorf("local route %s: %w", anyIP[f], err)
		}
	}
	return nil
}

// hole makes a link that swallows what is sent to the remote networks: a dummy, or where
// that driver is missing a veth whose other end has no address.
func hole(h *netlink.Handle) (netlink.Link, error) {
	const name, far = "lab0", "lab0-far"
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	links := []netlink.Link{&netlink.Dummy{LinkAttrs: attrs}, &netlink.Veth{LinkAttrs: attrs, PeerName: far}}
	var errs []error
	for _, l := range links {
		if err := h.LinkAdd(l); err != nil {
			errs = append(errs, fmt.Errorf("add %s link: %w", l.Type(), err))
			continue
		}
		names := []string{name}
		if l.Type() == "veth" {
			names = append(names, far)
		}
		for _, n := range names {
			// No neighbours to ask for, and no IPv6 autoconfiguration.
			link, err := h.LinkByName(n)
			if err == nil {
				err = h.LinkSetARPOff(link)
			}
			if err == nil {
				err = h.LinkSetUp(link)
			}
			if err != nil {
				return nil, fmt.Errorf("link %s: %w", n, err)
			}
		}
		return h.LinkByName(name)
	}
	return nil, errors.Join(errs...)
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
