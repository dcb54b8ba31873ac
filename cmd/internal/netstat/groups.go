package netstat

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"

	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// groups prints the memberships in multicast groups, IPv4's first, and reports whether other tables may follow. They come from
// /proc/net, since netlink does not tell how many users a membership has.
func (r *run) groups() (status int, more bool) {
	t := r.table()
	r.buf = render.AppendGroupsHeader(r.buf)
	var list []render.Group
	if r.o.inet {
		table, err := os.ReadFile(procRoot(r.env) + "/igmp")
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
			if !r.o.implied {
				noSupport(r.env, "AF INET (igmp)")
				status = exitFailed
			}
		case err != nil:
			perror(r.env, "/proc/net/igmp", err)
			status = exitErrno
		}
		list = r.parseGroups4(list, table)
	}
	if r.o.inet6 {
		table, err := os.ReadFile(procRoot(r.env) + "/igmp6")
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			perror(r.env, "/proc/net/igmp6", err)
			status = exitErrno
		}
		list = r.parseGroups6(list, table)
	}
	if t.Host != nil {
		var addrs []netip.Addr
		for _, g := range list {
			addrs = append(addrs, g.Addr)
		}
		r.names.lookUpAddrs(addrs)
	}
	for i := range list {
		r.buf = t.AppendGroup(r.buf, &list[i])
	}
	if err := r.write(); err != nil {
		return writeFailed(r.env, err), false
	}
	r.unanswered()
	return status, status == exitOK
}

// parseGroups4 reads a text such as /proc/net/igmp: lines of devices, each followed by those of its groups, which begin with a tab:
//
//	1	lo        :     1      V3
//					010000E0     1 0:00000000		0
func (r *run) parseGroups4(list []render.Group, table []byte) []render.Group {
	device := ""
	number := -1
	for line := range bytes.Lines(table) {
		if number++; number == 0 { // the headings
			continue
		}
		if line[0] != '\t' {
			_, rest, found := bytes.Cut(line, []byte{'\t'})
			name, _, colon := bytes.Cut(rest, []byte{':'})
			if !found || !colon {
				complain(r.env, fmt.Sprintf("warning, got bogus igmp line %d.", number))
				continue
			}
			device = deviceName(bytes.TrimRight(name, " "))
			continue
		}
		group, rest := nextField(line)
		users, _ := nextField(rest)
		addr, ok := parseProcIPv4(group)
		n, decimal := parseNumber(users, 10)
		if !ok || !decimal {
			complain(r.env, fmt.Sprintf("warning, got bogus igmp line %d.", number))
			continue
		}
		list = append(list, render.Group{Device: device, Users: uint32(n), Addr: addr})
	}
	return list
}

// parseGroups6 reads a text such as /proc/net/igmp6:
//
//	1    lo              ff020000000000000000000000000001     1 0000000C 0
func (r *run) parseGroups6(list []render.Group, table []byte) []render.Group {
	number := -1
	for line := range bytes.Lines(table) {
		number++
		f := bytes.Fields(line)
		if len(f) >= 4 {
			addr, ok := parseProcIPv6(f[2])
			n, decimal := parseNumber(f[3], 10)
			if ok && decimal {
				list = append(list, render.Group{Device: deviceName(f[1]), Users: uint32(n), Addr: addr})
				continue
			}
		}
		complain(r.env, fmt.Sprintf("warning, got bogus igmp6 line %d.", number))
	}
	return list
}

// parseProcIPv4 reads an address as the machine has it in memory, in hexadecimal.
func parseProcIPv4(b []byte) (a netip.Addr, ok bool) {
	n, ok := parseNumber(b, 16)
	if !ok || len(b) != 8 {
		return a, false
	}
	var raw [4]byte
	binary.NativeEndian.PutUint32(raw[:], uint32(n))
	return netip.AddrFrom4(raw), true
}

// parseProcIPv6 reads an address in the order of the network, in hexadecimal.
func parseProcIPv6(b []byte) (a netip.Addr, ok bool) {
	var raw [16]byte
	if len(b) != 2*len(raw) {
		return a, false
	}
	_, err := hex.Decode(raw[:], b)
	return netip.AddrFrom16(raw), err == nil
}
