package list

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
)

// space is a network namespace.
type space struct {
	ino  uint64
	path string // that opens it
	name string
	pid  int  // a process in it, or 0
	own  bool // that of this program
}

// spaces finds the network namespaces of the processes that proc shows, and those that ip-netns(8) named, each once: this
// program's own first, then by name. denied counts the processes that could not be looked at.
func spaces(proc, named string) (all []space, denied int) {
	byIno := map[uint64]*space{}
	add := func(path string) *space {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			if err == unix.EACCES || err == unix.EPERM {
				denied++
			}
			return nil
		}
		s := byIno[st.Ino]
		if s == nil {
			s = &space{ino: st.Ino, path: path}
			byIno[st.Ino] = s
		}
		return s
	}
	if s := add(proc + "/thread-self/ns/net"); s != nil {
		s.own, s.name = true, "-"
	}
	mounts, _ := os.ReadDir(named)
	for _, m := range mounts {
		var fs unix.Statfs_t
		path := filepath.Join(named, m.Name())
		if unix.Statfs(path, &fs) != nil || fs.Type != unix.NSFS_MAGIC {
			continue // left behind
		}
		if s := add(path); s != nil && (s.name == "" || s.own && s.name == "-") {
			s.name = m.Name()
		}
	}
	entries, _ := os.ReadDir(proc)
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		s := add(proc + "/" + e.Name() + "/ns/net")
		if s == nil || s.pid != 0 && s.pid <= pid {
			continue
		}
		s.pid = pid
	}
	for _, s := range byIno {
		if s.name == "" {
			s.name = nameOf(proc, s)
		}
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b space) int {
		switch {
		case a.own != b.own:
			if a.own {
				return -1
			}
			return 1
		case a.name != b.name:
			return strings.Compare(a.name, b.name)
		}
		return int(int64(a.ino) - int64(b.ino))
	})
	return all, denied
}

// nameOf names a namespace after the pod or container of a process in it, or else after the process.
func nameOf(proc string, s *space) string {
	b, err := os.ReadFile(fmt.Sprintf("%s/%d/cgroup", proc, s.pid))
	if err == nil {
		for line := range strings.Lines(string(b)) {
			p := field.PlaceOf(strings.TrimSuffix(line[strings.LastIndexByte(line, ':')+1:], "\n"))
			switch {
			case p.Pod != "":
				return "pod:" + p.Pod
			case p.Container != "":
				return "container:" + p.Container[:min(12, len(p.Container))]
			}
		}
	}
	return "pid:" + strconv.Itoa(s.pid)
}

// everywhere shows the sockets of all network namespaces. One that has none of a protocol by the kernel's own count is not
// asked for them: a dump walks the established hash, which all namespaces share.
func (l *lister) everywhere(queries []diag.InetQuery) error {
	proc := l.context.Proc
	if proc == "" {
		proc = "/proc"
	}
	all, denied := spaces(proc, "/run/netns")
	if denied > 0 {
		fmt.Fprintf(l.env.Stderr, "sockeye: hint: the network namespaces of %d processes could not be looked at%s\n", denied, asRoot())
	}
	for i := range all {
		s := &all[i]
		l.context.NetNS, l.waited = s.name, false
		wanted := queries
		if s.pid != 0 && !s.own {
			wanted = worthwhile(queries, fmt.Sprintf("%s/%d/net/", proc, s.pid))
		}
		if len(wanted) == 0 {
			continue
		}
		// A name of a device is another one's in another namespace.
		l.context.Device = nil
		cfg := &diag.Config{NetNS: s.path}
		if s.own {
			l.context.Device = l.interfaces.Lookup
			cfg = nil
		}
		if l.table != nil {
			l.table.Interface = l.context.Device
		}
		c, err := diag.Dial(cfg)
		if err != nil {
			if _, gone := os.Stat(s.path); gone == nil {
				l.failures = append(l.failures, fmt.Errorf("network namespace %s: %w", s.name, err))
			}
			continue
		}
		err = l.namespace(c, wanted)
		c.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// worthwhile leaves out the queries for sockets that the namespace whose tables are in dir has none of. What is bound and nothing
// else is always asked for: it is not counted, and is quick to find.
func worthwhile(queries []diag.InetQuery, dir string) []diag.InetQuery {
	tcp, udp, ok := counts(dir)
	if !ok {
		return queries
	}
	var out []diag.InetQuery
	for _, q := range queries {
		if q.Protocol == diag.TCP && tcp == 0 {
			q.States &= diag.StatesOf(diag.BoundInactive)
		}
		if q.Protocol == diag.UDP && udp == 0 || q.States == 0 {
			continue
		}
		out = append(out, q)
	}
	return out
}

// counts reads how many TCP (TIME_WAIT included) and UDP sockets of both families are in use: sockstat and sockstat6.
func counts(dir string) (tcp, udp int, ok bool) {
	for _, name := range []string{"sockstat", "sockstat6"} {
		f, err := os.Open(dir + name)
		if err != nil {
			if name == "sockstat" {
				return 0, 0, false
			}
			continue // no IPv6
		}
		for sc := bufio.NewScanner(f); sc.Scan(); {
			w := strings.Fields(sc.Text())
			for i := 1; i+1 < len(w); i += 2 {
				n, err := strconv.Atoi(w[i+1])
				if err != nil || w[i] != "inuse" && w[i] != "tw" {
					continue
				}
				switch w[0] {
				case "TCP:", "TCP6:":
					tcp += n
				case "UDP:", "UDP6:":
					udp += n
				}
			}
		}
		f.Close()
		ok = true
	}
	return tcp, udp, ok
}
