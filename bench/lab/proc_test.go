package lab

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// row is one line of a table under /proc/net.
type row struct {
	group   Group // Owned means an inode here
	inode   uint64
	tx, rx  uint64
	timer   string
	expires uint64 // 1/100 s
	mapped  bool
	local   netip.Addr
}

var stateNames = []string{"", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING"}

// procAddr reads an address and its port: words in the order of the processor's bytes.
func procAddr(s string) (netip.Addr, error) {
	text, _, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(text)
	if err != nil {
		return netip.Addr{}, err
	}
	for i := 0; i+4 <= len(b); i += 4 {
		binary.NativeEndian.PutUint32(b[i:], binary.BigEndian.Uint32(b[i:]))
	}
	a, _ := netip.AddrFromSlice(b)
	return a, nil
}

// tables reads every socket of the calling thread's namespace that a lab counts (proc_net_tcp.rst, proc(5)).
func tables() ([]row, error) {
	var out []row
	for _, proto := range []string{"tcp", "udp", "raw"} {
		for _, fam := range []string{"inet", "inet6"} {
			name := proto + strings.TrimPrefix(fam, "inet")
			b, err := os.ReadFile("/proc/thread-self/net/" + name)
			if err != nil {
				return nil, err
			}
			for i, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
				f := strings.Fields(line)
				if len(f) < 10 {
					return nil, fmt.Errorf("%s line %d: %q", name, i, line)
				}
				st, err := strconv.ParseUint(f[3], 16, 8)
				if err != nil || int(st) >= len(stateNames) {
					return nil, fmt.Errorf("%s line %d: state %q", name, i, f[3])
				}
				r := row{group: Group{Protocol: proto, Family: fam, State: stateNames[st]}}
				if _, err := fmt.Sscanf(f[4], "%x:%x", &r.tx, &r.rx); err != nil {
					return nil, err
				}
				var timer int
				if _, err := fmt.Sscanf(f[5], "%x:%x", &timer, &r.expires); err != nil {
					return nil, err
				}
				r.timer = []string{"off", "on", "keepalive", "timewait", "persist"}[timer]
				if r.inode, err = strconv.ParseUint(f[9], 10, 64); err != nil {
					return nil, err
				}
				r.group.Owned = r.inode != 0
				if r.local, err = procAddr(f[1]); err != nil {
					return nil, err
				}
				r.mapped = fam == "inet6" && strings.HasPrefix(f[1], "0000000000000000FFFF0000")
				out = append(out, r)
			}
		}
	}
	b, err := os.ReadFile("/proc/thread-self/net/unix")
	if err != nil {
		return nil, err
	}
	for i, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		// Num RefCount Protocol Flags Type St Inode Path
		f := strings.Fields(line)
		if len(f) < 7 {
			return nil, fmt.Errorf("unix line %d: %q", i, line)
		}
		g := Group{Protocol: "unix", Family: "unix", Owned: true}
		g.Type = map[string]string{"0001": "stream", "0002": "dgram", "0005": "seqpacket"}[f[4]]
		g.State = map[string]string{"01": "CLOSE", "03": "ESTABLISHED"}[f[5]]
		if f[3] == "00010000" { // __SO_ACCEPTCON
			g.State = "LISTEN"
		}
		ino, err := strconv.ParseUint(f[6], 10, 64)
		if err != nil {
			return nil, err
		}
		out = append(out, row{group: g, inode: ino})
	}
	return out, nil
}

// socketInodes is the distinct sockets that a process has descriptors of.
func socketInodes(t *testing.T, pid int) map[uint64]bool {
	t.Helper()
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[uint64]bool{}
	for _, e := range entries {
		link, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		var ino uint64
		if _, err := fmt.Sscanf(link, "socket:[%d]", &ino); err == nil {
			out[ino] = true
		}
	}
	return out
}

// holdNetNS returns the inode number of the network namespace that a file names, and holds it until the end of the test: the number of
// one that is gone is that of the next one made on the machine.
func holdNetNS(t *testing.T, path string) uint64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}

// inNetNS lists the processes of the host whose main thread is in that namespace.
func inNetNS(t *testing.T, inode uint64) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, l := range links {
		if s, err := os.Readlink(l); err == nil && s == fmt.Sprintf("net:[%d]", inode) {
			comm, _ := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(l)), "comm"))
			out = append(out, l+" "+strings.TrimSpace(string(comm)))
		}
	}
	return out
}

// proc is a process. Its pid alone may be that of another one soon.
type proc struct {
	pid   int
	begun string // starttime of proc_pid_stat(5)
}

func procOf(pid int) proc {
	_, begun := statOf(pid)
	return proc{pid, begun}
}

// statOf returns a process's state and when it began; "" where there is none.
func statOf(pid int) (state, begun string) {
	b, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	_, after, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(after)
	if len(f) < 20 {
		return "", ""
	}
	return f[0], f[19]
}

// running tells whether it is more than a zombie.
func (p proc) running() bool {
	state, begun := statOf(p.pid)
	return begun != "" && begun == p.begun && state != "Z" && state != "X"
}

// needRoot skips where a lab cannot be built, and says why.
func needRoot(t *testing.T) {
	t.Helper()
	needRoom(t, Config{Sockets: 1})
}

// needRoom skips where that lab cannot be built, and says why.
func needRoom(t *testing.T, cfg Config) {
	t.Helper()
	l, err := readLimits()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.check(cfg); err != nil {
		t.Skip(err)
	}
}
