package netstat

import (
	"bytes"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/sockeye-tools/sockeye/render/names"
	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// routes prints the routes of every family that is wanted, in the order of the command line.
//
// They come from /proc/net: of IPv6 routes netlink does not tell how many references they have, nor their flags.
func (r *run) routes() int {
	families := r.o.families
	if families == "" {
		families = "inet"
	}
	t := &render.RouteTable{Layout: render.LayoutOf(r.o.route.extended), Numeric: r.o.numericHosts || r.o.route.symbolic}
	if !t.Numeric {
		t.Host = r.names.host
		t.Network = r.names.network
	}
	for f := range strings.SplitSeq(families, ",") {
		status := r.routesOf(t, f)
		if err := r.write(); err != nil {
			return writeFailed(r.env, err)
		}
		if status != exitOK {
			return status
		}
	}
	r.unanswered()
	return exitOK
}

// routesOf prints the routes of a family: the table, unless only the cache is wanted, and the cache, if it is.
func (r *run) routesOf(t *render.RouteTable, family string) int {
	fib := r.o.route.fib || !r.o.route.cache
	switch family {
	case "inet":
		if fib {
			routes, ok := r.readRoutes("route", "INET (IPv4)", parseRoute4)
			if !ok {
				return exitFailed
			}
			r.buf = t.AppendHeader4(r.buf)
			for i := range routes {
				r.buf = t.Append4(r.buf, &routes[i])
			}
		}
		if r.o.route.cache {
			if _, ok := r.readRoutes("rt_cache", "INET (IPv4)", parseRoute4); !ok { // empty since Linux 3.6
				return exitFailed
			}
			r.buf = t.AppendCacheHeader4(r.buf)
		}
	case "inet6":
		for _, cached := range []bool{false, true} {
			if cached && !r.o.route.cache || !cached && !fib {
				continue
			}
			routes, ok := r.readRoutes("ipv6_route", "INET6 (IPv6)", parseRoute6)
			if !ok {
				return exitFailed
			}
			r.buf = t.AppendHeader6(r.buf, cached)
			for i := range routes {
				if routes[i].IsCached() == cached {
					r.buf = t.Append6(r.buf, &routes[i])
				}
			}
		}
	default:
		return r.otherRoutes(family)
	}
	return exitOK
}

// otherRoutes says what net-tools says of families that have no routes, or none on this system.
func (r *run) otherRoutes(family string) int {
	const missing = ": No such file or directory"
	file, errs, out := "", "", ""
	switch family {
	case "ax25":
		file, errs, out = "ax25_route", "/proc/net/ax25_route"+missing, "AX.25 not configured in this system."
	case "ipx":
		file, errs, out = "ipx", "No such file or directory", "IPX routing not in file /proc/net/ipx/route or /proc/net/ipx_route found."
	case "netrom":
		file, errs, out = "nr_nodes", "/proc/net/nr_nodes"+missing, "NET/ROM not configured in this system."
	case "x25":
		file, out = "x25", "X.25 not configured in this system."
	case "rose":
		file, errs = "rose_nodes", "/proc/net/rose_nodes"+missing+"\nROSE not configured in this system."
	case "ddp":
		file, errs = "atalk_route", "Error opening /proc/net/atalk_route"+missing+"\nDDP (AppleTalk) not configured on this system."
	case "bluetooth":
		complain(r.env, "Address family `bluetooth' not supported.")
		return exitUsage
	default:
		complain(r.env, "No routing for address family `"+family+"'.")
		return exitUsage
	}
	if exists(procRoot(r.env) + "/" + file) {
		return notYet(r.env, "-r -A "+family)
	}
	if errs != "" {
		complain(r.env, errs)
	}
	if out != "" {
		r.buf = append(append(r.buf, out...), '\n')
	}
	return exitFailed
}

// readRoutes reads a table of routes. Lines that are none are passed over, as the headings are.
func (r *run) readRoutes(file, family string, parse func([]byte) (render.Route, bool)) (list []render.Route, ok bool) {
	table, err := os.ReadFile(procRoot(r.env) + "/" + file)
	if err != nil {
		perror(r.env, "/proc/net/"+file, err)
		r.buf = append(append(r.buf, family...), " not configured in this system.\n"...)
		return nil, false
	}
	for line := range bytes.Lines(table) {
		if route, ok := parse(line); ok {
			list = append(list, route)
		}
	}
	if !r.o.numericHosts && !r.o.route.symbolic {
		var addrs []netip.Addr
		for i := range list {
			addrs = append(addrs, list[i].Gateway)
			if !list[i].Dst.Is4() || !list[i].ByNetwork() {
				addrs = append(addrs, list[i].Dst)
			}
		}
		r.names.lookUpAddrs(addrs)
	}
	return list, true
}

// parseRoute4 reads a line of /proc/net/route:
//
//	Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
func parseRoute4(line []byte) (r render.Route, ok bool) {
	f := bytes.Fields(line)
	if len(f) < 11 {
		return r, false
	}
	r.Device = deviceName(f[0])
	addrs := [3]netip.Addr{}
	for i, at := range []int{1, 2, 7} {
		if addrs[i], ok = parseProcIPv4(f[at]); !ok {
			return r, false
		}
	}
	r.Dst, r.Gateway, r.Mask = addrs[0], addrs[1], addrs[2]
	ok = numbers(f, []column{
		{3, 16, &r.Flags}, {4, 10, &r.RefCount}, {5, 10, &r.Use}, {6, 10, &r.Metric}, {8, 10, &r.MTU}, {9, 10, &r.Window}, {10, 10, &r.IRTT},
	})
	return r, ok
}

// parseRoute6 reads a line of /proc/net/ipv6_route: destination, length of the prefix, the same of the source, gateway, metric,
// references, use, flags, device. All of it is hexadecimal.
func parseRoute6(line []byte) (r render.Route, ok bool) {
	f := bytes.Fields(line)
	if len(f) < 10 {
		return r, false
	}
	var bits uint32
	if r.Dst, ok = parseProcIPv6(f[0]); !ok {
		return r, false
	}
	if r.Gateway, ok = parseProcIPv6(f[4]); !ok {
		return r, false
	}
	r.Device = deviceName(f[9])
	ok = numbers(f, []column{{1, 16, &bits}, {5, 16, &r.Metric}, {6, 16, &r.RefCount}, {7, 16, &r.Use}, {8, 16, &r.Flags}})
	r.Bits = int(bits)
	return r, ok
}

type column struct {
	at   int
	base uint64
	dst  *uint32
}

func numbers(f [][]byte, columns []column) bool {
	for _, c := range columns {
		n, ok := parseNumber(f[c.at], c.base)
		if !ok {
			return false
		}
		*c.dst = uint32(n)
	}
	return true
}

// network returns the name of an IPv4 network.
func (n *resolver) network(a netip.Addr) (string, bool) {
	if n.networks == nil {
		n.networks = readNetworks("/etc/networks")
	}
	name, ok := n.networks[a]
	return name, ok
}

// readNetworks returns the names in a file such as /etc/networks (networks(5)). Numbers that an address lacks are zeros at its end.
func readNetworks(file string) map[netip.Addr]string {
	found := map[netip.Addr]string{}
	b, _ := os.ReadFile(file) // without the file there are no names
	for line := range bytes.Lines(b) {
		line, _, _ = bytes.Cut(line, []byte{'#'})
		f := bytes.Fields(line)
		if len(f) < 2 {
			continue
		}
		var raw [4]byte
		good := true
		parts := strings.Split(string(f[1]), ".")
		for i, p := range parts {
			n, err := strconv.ParseUint(p, 0, 8)
			if good = good && err == nil && i < len(raw); good {
				raw[i] = byte(n)
			}
		}
		a := netip.AddrFrom4(raw)
		if _, twice := found[a]; good && !twice {
			found[a] = string(names.AppendEscaped(nil, f[0]))
		}
	}
	return found
}
