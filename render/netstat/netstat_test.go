package netstat

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/diag"
)

// netstat returns the path of netstat of net-tools 2.10.
func netstat(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount tables of its own over /proc in a mount namespace of its own")
	}
	path, err := exec.LookPath("netstat")
	if err != nil {
		t.Skip("netstat is not installed")
	}
	version, _ := exec.Command(path, "-V").Output()
	if !bytes.HasPrefix(version, []byte("net-tools 2.10\n")) {
		t.Skipf("netstat is %.20q, not net-tools 2.10", version)
	}
	return path
}

// procTables are the tables in /proc/net in the order that netstat prints them.
var procTables = []struct {
	name string
	p    diag.Protocol
	f    diag.Family
}{
	{"tcp", diag.TCP, diag.IPv4}, {"tcp6", diag.TCP, diag.IPv6}, {"udp", diag.UDP, diag.IPv4}, {"udp6", diag.UDP, diag.IPv6},
	{"udplite", diag.UDPLite, diag.IPv4}, {"udplite6", diag.UDPLite, diag.IPv6}, {"raw", diag.Raw, diag.IPv4}, {"raw6", diag.Raw, diag.IPv6},
}

// line writes k as Documentation/networking/proc_net_tcp.rst says.
func (k sock) line() string {
	addr := func(s string) string {
		ap := netip.MustParseAddrPort(s)
		b := ap.Addr().AsSlice()
		var out strings.Builder
		for ; len(b) > 0; b = b[4:] {
			fmt.Fprintf(&out, "%08X", binary.NativeEndian.Uint32(b))
		}
		return fmt.Sprintf("%s:%04X", out.String(), ap.Port())
	}
	tx := k.wq
	if k.state == diag.Listen {
		tx = 0
	}
	retransmits, probes := k.retr2, k.probes2
	if k.info != nil {
		retransmits, probes = uint32(k.info[2]), uint32(k.info[3])
	}
	return fmt.Sprintf("%4d: %s %s %02X %08X:%08X %02X:%08X %08X %5d %8d %d 1 0000000000000000 20 4 30 10 -1\n",
		0, addr(k.local), addr(k.remote), uint8(k.state), tx, k.rq, uint8(k.timer), int64(k.expires/(10*time.Millisecond)), retransmits,
		k.uid, probes, k.inode)
}

// hostsFile is hosts without the IPv4-mapped addresses, which the C library does not look for in /etc/hosts.
func hostsFile(a netip.Addr) (string, bool) {
	if a.Is4In6() {
		return "", false
	}
	return hosts(a)
}

// randomHost makes up a host.
func randomHost(r *rand.Rand) (all []sock) {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	number := func() uint32 { return r.Uint32() >> r.IntN(33) }
	addr := func(f diag.Family) string {
		if f == diag.IPv4 {
			v := number()
			return pick("127.0.0.1", "10.0.0.1", "192.0.2.7", "192.0.2.8", netip.AddrFrom4([4]byte{10, byte(v >> 16), byte(v >> 8), byte(v)}).String())
		}
		var b [16]byte
		for i := range 8 {
			if r.IntN(2) == 0 {
				v := uint16(number())
				b[2*i], b[2*i+1] = byte(v>>8), byte(v)
			}
		}
		b[0] = 0x20
		return pick("::1", "fe80::1", "::ffff:127.0.0.1", "::ffff:192.0.2.7", "::1.2.3.4", "2001:db8::7", netip.AddrFrom16(b).String())
	}
	port := func() uint16 { return []uint16{22, 53, 7000, 7001, 17500, uint16(1 + number()%65535)}[r.IntN(6)] }
	at := func(a string, p uint16) string { return netip.AddrPortFrom(netip.MustParseAddr(a), p).String() }
	for _, table := range procTables {
		any := "0.0.0.0"
		if table.f == diag.IPv6 {
			any = "::"
		}
		var listeners []sock
		for range 60 {
			k := sock{proto: table.p, family: table.f, rq: number(), wq: number(), inode: 10 + number()>>1, // netstat overlooks descriptors of inodes below 10

				uid: []uint32{0, 1000, 77, 4294967294, number()}[r.IntN(5)]}
			switch {
			case table.p == diag.TCP && len(listeners) < 20:
				k.state, k.remote = diag.Listen, at(any, 0)
				k.local = at(pick(any, addr(table.f)), 10000+uint16(len(listeners)))
				listeners = append(listeners, k)
			case table.p == diag.TCP:
				k.state = diag.State(1 + r.IntN(11))
				k.local, k.remote = at(addr(table.f), port()), at(addr(table.f), port())
				k.timer = diag.Timer(r.IntN(5))
				k.expires = time.Duration(number()) * time.Millisecond
				switch k.state {
				case diag.Listen:
					continue
				case diag.SynRecv:
					l := listeners[r.IntN(len(listeners))]
					lap := netip.MustParseAddrPort(l.local)
					k.local, k.uid, k.inode, k.timer, k.retr2 = l.local, l.uid, 0, diag.TimerOn, uint32(r.IntN(256))
					if lap.Addr().IsUnspecified() {
						k.local = at(addr(table.f), lap.Port())
					}
				case diag.TimeWait:
					k.uid, k.inode, k.timer = 0, 0, diag.TimerTimeWait
				default:
					k.info = tcpInfo(uint8(number()), uint8(number()))
				}
			case table.p == diag.Raw:
				k.local = at(pick(any, addr(table.f)), []uint16{1, 6, 58, 255}[r.IntN(4)])
				k.remote, k.state = at(any, 0), diag.Close
				if r.IntN(2) == 0 {
					k.remote, k.state = at(addr(table.f), 0), diag.Established
				}
			default:
				k.local, k.remote, k.state = at(pick(any, addr(table.f)), port()), at(any, []uint16{0, 8080}[r.IntN(2)]), diag.Close
				if r.IntN(2) == 0 {
					k.remote, k.state = at(addr(table.f), port()), diag.Established
				}
			}
			all = append(all, k)
		}
	}
	return all
}

// TestAgainstNetstat gives the same made-up tables to netstat of net-tools 2.10, through files mounted over /proc, and to Table.
func TestAgainstNetstat(t *testing.T) {
	path := netstat(t)
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	all := randomHost(rand.New(rand.NewPCG(3, 4)))
	for _, table := range procTables {
		var text strings.Builder
		text.WriteString("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n")
		for _, k := range all {
			if k.proto == table.p && k.family == table.f {
				text.WriteString(k.line())
			}
		}
		write("proc/net/"+table.name, text.String())
	}
	// Owners: some of the inodes. Names with bytes that net-tools sends as they are have a test of their own.
	argv := []string{"nc", "/usr/bin/nc", "/usr/bin/x/", "./rel/path/prog", "-bash", "nginx: worker process", "", "/opt/a b/c d",
		strings.Repeat("x", 600), "/" + strings.Repeat("long/", 100) + "cut"}
	type owner struct {
		pid   int32
		argv0 string
	}
	owners := map[uint32]owner{}
	for i, argv0 := range argv {
		pid := []int32{1, 193, 4194303}[i%3] + int32(i)
		write(fmt.Sprintf("proc/%d/cmdline", pid), argv0+"\x00-x\x00")
		if argv0 == "" {
			write(fmt.Sprintf("proc/%d/cmdline", pid), "")
		}
		os.Mkdir(filepath.Join(dir, fmt.Sprintf("proc/%d/fd", pid)), 0o755)
		for fd := range 20 {
			inode := all[(i*20+fd)%len(all)].inode
			if _, ok := owners[inode]; ok || inode == 0 {
				continue
			}
			owners[inode] = owner{pid, argv0[:min(len(argv0), 511)]}
			if err := os.Symlink(fmt.Sprintf("socket:[%d]", inode), filepath.Join(dir, fmt.Sprintf("proc/%d/fd/%d", pid, fd))); err != nil {
				t.Fatal(err)
			}
		}
	}
	write("services", "ssh 22/tcp\nother 22/tcp\nssh 22/tcp\ndomain 53/udp\ndomain 53/tcp\nafs3-fileserver 7000/tcp\n"+
		"a-service-with-a-very-long-name 7001/tcp\neighteen-bytes-abc 17500/tcp\n")
	write("protocols", "icmp 1 ICMP\nipv6-icmp 58 IPv6-ICMP\n")
	write("hosts", "127.0.0.1 localhost\n::1 ip6-localhost\n192.0.2.7 a-host-with-a-long-name.example.com short\n192.0.2.8 h\n2001:db8::7 six.example.com\n")
	write("passwd", "root:x:0:0::/:/bin/sh\nsomeone-with-a-long-name:x:1000:1000::/:/bin/sh\n")
	write("nsswitch.conf", "hosts: files\npasswd: files\nservices: files\nprotocols: files\nnetworks: files\n")
	script := `set -e; cd "$1"; for f in services protocols hosts passwd nsswitch.conf; do mount --bind $f /etc/$f; done
		mount --bind proc /proc; shift; exec "$@"`

	sockets := make([]*diag.InetSocket, len(all))
	for i, k := range all {
		if k.state == diag.SynRecv { // what sock_diag does not tell
			k.uid = 0
		}
		sockets[i] = k.build(t)
	}
	timeouts := map[*diag.InetSocket]uint8{}
	for i, k := range all {
		if k.state == diag.SynRecv {
			timeouts[sockets[i]] = uint8(k.retr2)
		}
	}
	names := map[string]func(*Options){
		"-n":              func(o *Options) { o.Host, o.Service, o.User = nil, nil, nil },
		"--numeric-hosts": func(o *Options) { o.Host = nil },
		"--numeric-ports": func(o *Options) { o.Service = nil },
		"--numeric-users": func(o *Options) { o.User = nil },
		"-v":              func(*Options) {}, // all names
	}
	run := func(args []string, o Options) {
		t.Helper()
		cmd := exec.Command("unshare", append([]string{"-m", "-n", "sh", "-c", script, "sh", dir, path}, args...)...)
		cmd.Env = append(os.Environ(), "LC_ALL=C")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		want, err := cmd.Output()
		if err != nil {
			t.Fatalf("netstat %v: %v: %s", args, err, stderr.String())
		}
		table := New(o)
		got := table.AppendHeader(nil)
		for _, s := range sockets {
			got = table.Append(got, s)
		}
		gotLines, wantLines := bytes.SplitAfter(got, []byte{'\n'}), bytes.SplitAfter(want, []byte{'\n'})
		differ := 0
		for i := range max(len(gotLines), len(wantLines)) {
			var g, w []byte
			if i < len(gotLines) {
				g = gotLines[i]
			}
			if i < len(wantLines) {
				w = wantLines[i]
			}
			if !bytes.Equal(g, w) {
				if differ++; differ < 4 {
					t.Errorf("netstat %v, line %d:\n got %q\nwant %q", args, i+1, g, w)
				}
			}
		}
	}
	for _, which := range []struct {
		arg string
		w   Which
	}{{"-a", All}, {"-l", Servers}, {"-tuUw", Connected}} {
		for name, set := range names {
			for bits := range 16 {
				if which.w != All && bits != 0 && bits != 15 {
					continue
				}
				o := Options{Which: which.w, Host: hostsFile, Service: services, User: users,
					Program: func(inode uint32) (int32, string, bool) {
						p, ok := owners[inode]
						return p.pid, p.argv0, ok
					},
					Timeouts: func(s *diag.InetSocket) (uint8, bool) { n, ok := timeouts[s]; return n, ok },
				}
				set(&o)
				args := []string{"-tuUw", which.arg, name}
				for i, f := range []struct {
					arg string
					on  *bool
				}{{"-e", &o.Extend}, {"-p", &o.Programs}, {"-o", &o.Timers}, {"-W", &o.Wide}} {
					if bits&(1<<i) != 0 {
						*f.on = true
						args = append(args, f.arg)
					}
				}
				run(args, o)
			}
		}
	}
}
