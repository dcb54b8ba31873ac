package filter

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/mounts"
	"github.com/sockeye-tools/sockeye/internal/release"
)

// SystemEnv returns an Env of this system: of the calling thread's network namespace and capabilities. TCP and UDP are both
// selected; no family is preferred.
func SystemEnv() Env {
	return Env{
		TCP: true, UDP: true,
		Ops:       systemOps(),
		Service:   systemService("/etc/services"),
		Hosts:     systemHosts,
		Device:    systemDevice,
		Cgroup:    systemCgroup("/proc/self/mounts"),
		PortRange: func() (lo, hi uint16) { return ReadPortRange("/proc/sys/net/ipv4/ip_local_port_range") },
	}
}

// systemOps returns what the running kernel's version and this thread's capabilities allow.
func systemOps() Ops {
	var caps [2]unix.CapUserData
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	admin := unix.Capget(&head, &caps[0]) == nil && caps[0].Effective&(1<<unix.CAP_NET_ADMIN) != 0
	return opsOf(release.Running(), admin)
}

// opsOf returns the instructions of a kernel release, as release.Of tells it.
func opsOf(kernel int, admin bool) Ops {
	var ops Ops
	for _, o := range [...]struct {
		op    Ops
		since int
	}{{OpDevice, release.Of(4, 8)}, {OpMark, release.Of(4, 9)}, {OpEqual, release.Of(4, 16)}, {OpCgroup, release.Of(5, 8)}} {
		if kernel >= o.since && (o.op != OpMark || admin) {
			ops |= o.op
		}
	}
	return ops
}

// systemService looks names up in a file like services(5): the first entry that has the name, or an alias, and the protocol.
func systemService(path string) func(name, proto string) (uint16, bool) {
	return func(name, proto string) (uint16, bool) {
		f, err := os.Open(path)
		if err != nil {
			return 0, false
		}
		defer f.Close()
		for sc := bufio.NewScanner(f); sc.Scan(); {
			line, _, _ := strings.Cut(sc.Text(), "#")
			fields := strings.Fields(line)
			if len(fields) < 2 {
				continue
			}
			number, p, _ := strings.Cut(fields[1], "/")
			if p != proto {
				continue
			}
			for i, n := range fields {
				if i != 1 && n == name {
					port, err := strconv.ParseUint(number, 10, 16)
					return uint16(port), err == nil
				}
			}
		}
		return 0, false
	}
}

// systemHosts looks a host up as gethostbyname2(3) does, which knows the numbers of inet_aton(3) too. It waits for as long as the
// system's resolver does.
func systemHosts(name string, family diag.Family) ([]netip.Addr, error) {
	if a, ok := inetAton(name); ok && family != diag.IPv6 {
		return []netip.Addr{a}, nil
	}
	if strings.ContainsAny(name, ":/%") { // no name, but net.Resolver takes literals
		return nil, nil
	}
	var all []netip.Addr
	var errs []error
	for _, t := range [...]struct {
		family  diag.Family
		network string
	}{{diag.IPv4, "ip4"}, {diag.IPv6, "ip6"}} {
		if family != diag.Unspec && family != t.family {
			continue
		}
		addrs, err := net.DefaultResolver.LookupNetIP(context.Background(), t.network, name)
		errs = append(errs, err)
		for _, a := range addrs {
			if t.family == diag.IPv4 {
				a = a.Unmap()
			}
			if a.Is4() == (t.family == diag.IPv4) {
				all = append(all, a)
			}
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	return nil, errors.Join(errs...)
}

// inetAton reads an IPv4 address of one to four numbers, the last of which fills what is left of the 32 bits.
func inetAton(s string) (netip.Addr, bool) {
	var addr uint32
	for i := range 4 {
		if s == "" || s[0] < '0' || s[0] > '9' {
			break
		}
		v, rest, ok := cUlong(s)
		if !ok {
			break
		}
		if rest == "" {
			if v > 0xffffffff>>(8*i) {
				break
			}
			return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, addr|uint32(v)))), true
		}
		if rest[0] != '.' || v > 255 {
			break
		}
		addr |= uint32(v) << (24 - 8*i)
		s = rest[1:]
	}
	return netip.Addr{}, false
}

// linux/rtnetlink.h, linux/if_link.h
const (
	rtmGetLink    = 18
	iflaIfname    = 3
	iflaAltIfname = 53
	sizeofIfInfo  = 16
	offIfIndex    = 4
)

// systemDevice returns the index of a device by its name, its alternative name (Linux 5.5), its name with the label of an address behind
// a colon, as netdevice(7) takes it, or "ifN".
func systemDevice(name string) (uint32, bool) {
	if i, ok := linkIndex(name); ok {
		return i, true
	}
	if device, _, ok := strings.Cut(name, ":"); ok && len(name) < unix.IFNAMSIZ {
		if i, ok := linkIndex(device); ok {
			return i, true
		}
	}
	if n, ok := strings.CutPrefix(name, "if"); ok && n != "" && n[0] >= '0' && n[0] <= '9' {
		end := len(n) - len(strings.TrimLeft(n, "0123456789"))
		i, err := strconv.ParseUint(n[:end], 10, 32)
		return uint32(i), err == nil && i != 0
	}
	return 0, false
}

// linkIndex asks rtnetlink(7).
func linkIndex(name string) (uint32, bool) {
	c, err := netlink.Dial(unix.NETLINK_ROUTE, nil)
	if err != nil {
		return 0, false
	}
	defer c.Close()
	attr := netlink.Attribute{Type: iflaIfname, Data: append([]byte(name), 0)}
	if len(name) >= unix.IFNAMSIZ {
		attr.Type = iflaAltIfname
	}
	attrs, err := netlink.MarshalAttributes([]netlink.Attribute{attr})
	if err != nil {
		return 0, false
	}
	msgs, err := c.Execute(netlink.Message{
		Header: netlink.Header{Type: rtmGetLink, Flags: netlink.Request},
		Data:   append(make([]byte, sizeofIfInfo), attrs...),
	})
	if err != nil || len(msgs) == 0 || len(msgs[0].Data) < sizeofIfInfo {
		return 0, false
	}
	return binary.NativeEndian.Uint32(msgs[0].Data[offIfIndex:]), true
}

// errNoCgroup2 says that no cgroup2 file system is mounted.
var errNoCgroup2 = errors.New("failed to find cgroup2 mount")

// cgroupReason is what ss prints before "Cannot parse cgroup".
func cgroupReason(err error) string {
	if errors.Is(err, errNoCgroup2) {
		return "Failed to find cgroup2 mount"
	}
	if e, ok := errors.AsType[unix.Errno](err); ok {
		return "Failed to get cgroup2 ID: " + cError(e)
	}
	return ""
}

// cError is strerror(3) of the errors that a path can have.
func cError(e unix.Errno) string {
	s := e.Error()
	return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):]
}

// systemCgroup returns the id of a cgroup by its path, or its path below the first cgroup2 mount. Other than ss, it takes a path
// that lies on another file system, such as "/", for one below the mount.
func systemCgroup(table string) func(path string) (uint64, error) {
	return func(path string) (uint64, error) {
		if id, err := cgroupID(path); err == nil {
			return id, nil
		}
		b, err := os.ReadFile(table)
		if err != nil {
			return 0, fmt.Errorf("%w: %w", errNoCgroup2, err)
		}
		root := mounts.Cgroup2(string(b))
		if root == "" {
			return 0, errNoCgroup2
		}
		return cgroupID(root + "/" + path)
	}
}

// cgroupID returns the id of the cgroup whose directory is path: the file handle that kernfs gives out, which is the inode number
// where those have 64 bits.
func cgroupID(path string) (uint64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return 0, fmt.Errorf("stat %s: %w", path, err)
	}
	if fs.Type != unix.CGROUP2_SUPER_MAGIC {
		return 0, fmt.Errorf("stat %s: not a cgroup2 directory: %w", path, unix.ENOENT)
	}
	h, _, err := unix.NameToHandleAt(unix.AT_FDCWD, path, 0)
	if err != nil {
		return 0, fmt.Errorf("get handle of %s: %w", path, err)
	}
	if h.Size() != 8 {
		return 0, fmt.Errorf("get handle of %s: %d bytes, want 8", path, h.Size())
	}
	return binary.NativeEndian.Uint64(h.Bytes()), nil
}

// ReadPortRange reads a file like /proc/sys/net/ipv4/ip_local_port_range. If it cannot, the range is 1024 to 4999, as in ss.
func ReadPortRange(path string) (lo, hi uint16) {
	b, err := os.ReadFile(path)
	if err == nil {
		_, err = fmt.Sscan(string(b), &lo, &hi)
	}
	if err != nil {
		return fallbackLo, fallbackHi
	}
	return lo, hi
}
