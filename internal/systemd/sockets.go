// Package systemd reads the socket units of systemd's system manager (systemd.socket(5)) from their files, without asking it.
package systemd

import (
	"bufio"
	"bytes"
	"cmp"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/sockeye-tools/sockeye/diag"
)

// dirs is where units are, those first that win (systemd.unit(5)).
var dirs = []string{
	"/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient", "/run/systemd/generator.early",
	"/etc/systemd/system", "/etc/systemd/system.attached", "/run/systemd/system", "/run/systemd/system.attached", "/run/systemd/generator",
	"/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system", "/run/systemd/generator.late",
}

// Sockets are the socket units of a host, which are read when the first is asked for. The zero value is this host's.
type Sockets struct {
	Root string // what the paths of units begin with

	once  sync.Once
	units map[address][]string
}

// address is what a socket is bound to. A unit that names a port alone takes any address of IPv6, or of IPv4 where there is no IPv6.
type address struct {
	protocol diag.Protocol
	local    netip.AddrPort
}

// Unit returns the unit that has TCP or UDP sockets bound to an address. ok is false if none has, or several that are equally likely:
// of those that say the same, the one that something wants (systemd.unit(5), WantedBy=) is taken.
func (s *Sockets) Unit(p diag.Protocol, local netip.AddrPort) (unit string, ok bool) {
	s.once.Do(s.read)
	units := s.units[address{p, local}]
	if len(units) != 1 {
		return "", false
	}
	return units[0], true
}

// read reads all units.
func (s *Sockets) read() {
	s.units = map[address][]string{}
	files, wanted := s.files()
	for name, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		var l listens
		l.parse(b)
		for _, path := range s.dropIns(name) {
			if b, err := os.ReadFile(path); err == nil {
				l.parse(b)
			}
		}
		for _, a := range l.addresses() {
			s.units[a] = append(s.units[a], name)
		}
	}
	for a, units := range s.units {
		if len(units) > 1 {
			s.units[a] = slices.DeleteFunc(units, func(u string) bool { return !wanted[u] })
		}
	}
}

// files returns the file of each unit, and which units others want. Aliases and templates are left out: an instance's file is found by
// the name of the instance, which stands in no directory.
func (s *Sockets) files() (files map[string]string, wanted map[string]bool) {
	files, wanted = map[string]string{}, map[string]bool{}
	seen := map[string]bool{}
	for _, dir := range dirs {
		entries, _ := os.ReadDir(s.Root + dir)
		for _, e := range entries {
			name, path := e.Name(), filepath.Join(s.Root+dir, e.Name())
			if strings.HasSuffix(name, ".wants") || strings.HasSuffix(name, ".requires") {
				links, _ := os.ReadDir(path)
				for _, l := range links {
					wanted[l.Name()] = true
				}
				continue
			}
			if !strings.HasSuffix(name, ".socket") || strings.Contains(name, "@") || seen[name] {
				continue
			}
			seen[name] = true
			if target, err := os.Readlink(path); err == nil && filepath.Base(target) != name {
				continue // an alias, or /dev/null: masked
			}
			files[name] = path
		}
	}
	return files, wanted
}

// dropIns returns the files that add to a unit, in the order in which they are read: by name, each from the first directory that has it.
func (s *Sockets) dropIns(unit string) []string {
	names := []string{"socket.d"}
	for i, c := range []byte(unit) {
		if c == '-' {
			names = append(names, unit[:i+1]+".socket.d")
		}
	}
	names = append(names, unit+".d")
	slices.Reverse(names)
	found := map[string]string{}
	for _, name := range names {
		for _, dir := range dirs {
			files, _ := filepath.Glob(filepath.Join(s.Root+dir, name, "*.conf"))
			for _, f := range files {
				if base := filepath.Base(f); found[base] == "" {
					found[base] = f
				}
			}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b string) int { return cmp.Compare(filepath.Base(a), filepath.Base(b)) })
}

// listen is what a unit listens on, as it is written.
type listen struct {
	protocol diag.Protocol
	at       string
}

// listens are those of a unit.
type listens []listen

// parse reads a file of a unit.
func (l *listens) parse(file []byte) {
	section, before := "", ""
	for in := bufio.NewScanner(bytes.NewReader(file)); in.Scan(); {
		line := strings.TrimSpace(in.Text())
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue // also between lines that are one
		}
		if more, ok := strings.CutSuffix(line, `\`); ok {
			before += more + " "
			continue
		}
		line, before = before+line, ""
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || section != "[Socket]" {
			continue
		}
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		p := diag.TCP
		switch key {
		case "ListenDatagram":
			p = diag.UDP
		case "ListenStream":
		case "ListenSequentialPacket", "ListenFIFO", "ListenSpecial", "ListenNetlink", "ListenMessageQueue", "ListenUSBFunction":
			if value != "" {
				continue
			}
		default:
			continue
		}
		if value == "" { // of whatever kind it is, all that was said is taken back
			*l = nil
			continue
		}
		*l = append(*l, listen{p, value})
	}
}

// addresses returns the addresses of TCP and UDP sockets. What holds a specifier is left out.
func (l listens) addresses() (all []address) {
	add := func(p diag.Protocol, ip netip.Addr, port uint16) {
		if a := (address{p, netip.AddrPortFrom(ip, port)}); !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	for _, one := range l {
		if port, err := strconv.ParseUint(one.at, 10, 16); err == nil && port != 0 {
			add(one.protocol, netip.IPv6Unspecified(), uint16(port))
			add(one.protocol, netip.IPv4Unspecified(), uint16(port))
			continue
		}
		at, _, _ := strings.Cut(one.at, "%") // [fe80::1]:22%eth0
		if at != one.at && !strings.HasPrefix(one.at, "[") {
			continue
		}
		if ap, err := netip.ParseAddrPort(at); err == nil && ap.Port() != 0 {
			add(one.protocol, ap.Addr(), ap.Port())
		}
	}
	return all
}
