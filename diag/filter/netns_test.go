package filter

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/mounts"
)

// host is a network namespace full of sockets.
type host struct {
	ns      *scene.NetNS
	fds     []int
	cgroups map[string]uint64
}

// newHost opens sockets with many addresses, ports, marks, devices and cgroups, in many states.
func newHost(t *testing.T, r *rand.Rand) *host {
	t.Helper()
	h := &host{ns: scene.NewNetNS(t), cgroups: map[string]uint64{}}
	t.Cleanup(func() {
		for _, fd := range h.fds {
			unix.Close(fd)
		}
	})
	var err error
	if doErr := h.ns.Do(func() { err = h.open(t, r) }); doErr != nil || err != nil {
		t.Fatal(doErr, err)
	}
	return h
}

func (h *host) open(t *testing.T, r *rand.Rand) error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	for _, a := range []string{"10.1.2.3/32", "2001:db8::1:0:0:7f00:1/128", "fe80::1/128"} {
		addr, err := netlink.ParseAddr(a)
		if err != nil {
			return err
		}
		addr.Flags = unix.IFA_F_NODAD
		if err := netlink.AddrAdd(lo, addr); err != nil && !strings.HasPrefix(a, "fe80") {
			return fmt.Errorf("add %s: %w", a, err)
		}
	}
	// A second device, with index 2, for sockets that are not connected: the other end of a pair comes first.
	second := "lo"
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "three"
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "two"}); err == nil {
		second = "two"
	} else {
		t.Log("no second device:", err)
	}

	h.many(r, second, 50)
	leave, err := h.enterCgroup(t)
	if err != nil {
		t.Log("no sockets in a cgroup of their own:", err)
		return nil
	}
	h.many(r, second, 20)
	return leave()
}

// enterCgroup moves the process to a new cgroup until leave is called. The cgroup lives as long as the test.
func (h *host) enterCgroup(t *testing.T) (leave func() error, _ error) {
	table, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	root := mounts.Cgroup2(string(table))
	if root == "" {
		return nil, errNoCgroup2
	}
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	home := ""
	for line := range strings.Lines(string(b)) {
		if p, ok := strings.CutPrefix(line, "0::"); ok {
			home = strings.TrimSuffix(p, "\n")
		}
	}
	name := fmt.Sprintf("/sockeye-filter-%d", os.Getpid())
	dir := root + name
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	move := func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte("0"), 0)
	}
	t.Cleanup(func() {
		err := os.Remove(dir)
		for end := time.Now().Add(time.Minute); errors.Is(err, unix.EBUSY) && time.Now().Before(end); err = os.Remove(dir) {
			time.Sleep(10 * time.Millisecond) // a thread that ended in it is not gone yet
		}
		if err != nil {
			t.Error(err)
		}
	})
	if err := move(dir); err != nil {
		return nil, err
	}
	var st unix.Stat_t
	for path, dir := range map[string]string{name: dir, home: root + home} {
		if path == "/" {
			continue // of which ss makes the root of the file system
		}
		if err := unix.Stat(dir, &st); err != nil {
			return nil, errors.Join(err, move(root+home))
		}
		h.cgroups[path] = st.Ino
	}
	return func() error { return move(root + home) }, nil
}

// many tries n sockets; what does not go (an address in use) is left out.
func (h *host) many(r *rand.Rand, second string, n int) {
	local := []string{"127.0.0.1", "127.0.0.2", "10.1.2.3", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "::ffff:10.1.2.3",
		"2001:db8::1:0:0:7f00:1"}
	listeners := []unix.Sockaddr{}
	for range n {
		ip := netip.MustParseAddr(pick(r, local))
		typ := pick(r, []int{unix.SOCK_STREAM, unix.SOCK_STREAM, unix.SOCK_DGRAM})
		family := unix.AF_INET
		if ip.Is6() {
			family = unix.AF_INET6
		}
		fd, err := unix.Socket(family, typ|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			continue
		}
		h.fds = append(h.fds, fd)
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(pick(r, someMarks)))
		device := pick(r, []string{"", "", "", "lo", second})
		unix.BindToDevice(fd, device)
		port := pick(r, append(someLow(), 0, 0))
		if unix.Bind(fd, sockaddr(ip, port)) != nil {
			continue
		}
		if typ == unix.SOCK_DGRAM {
			if r.IntN(2) == 0 && device != second {
				unix.Connect(fd, sockaddr(ip, pick(r, someLow())))
			}
			continue
		}
		switch r.IntN(4) {
		case 0: // bound, no more
		case 1: // what connects to it stays in SYN_RECV
			unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 60)
			fallthrough
		default:
			if unix.Listen(fd, 8) != nil || device == second {
				continue
			}
			if sa, err := unix.Getsockname(fd); err == nil {
				listeners = append(listeners, sa)
			}
		}
	}
	for i, sa := range listeners {
		family := unix.AF_INET6
		if _, ok := sa.(*unix.SockaddrInet4); ok {
			family = unix.AF_INET
		}
		if in6, ok := sa.(*unix.SockaddrInet6); ok && netip.AddrFrom16(in6.Addr) == netip.IPv6Unspecified() && i%2 == 0 {
			family, sa = unix.AF_INET, &unix.SockaddrInet4{Port: in6.Port, Addr: [4]byte{127, 0, 0, 1}} // mapped at the far end
		}
		fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			continue
		}
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(pick(r, someMarks)))
		unix.Connect(fd, sa)
		if r.IntN(3) == 0 {
			unix.Close(fd) // FIN_WAIT2 and CLOSE_WAIT
			continue
		}
		h.fds = append(h.fds, fd)
	}
}

func someLow() []int {
	return slices.DeleteFunc(slices.Clone(somePorts), func(p int) bool { return p == 0 })
}

func sockaddr(ip netip.Addr, port int) unix.Sockaddr {
	if ip.Is4() {
		return &unix.SockaddrInet4{Port: port, Addr: ip.As4()}
	}
	return &unix.SockaddrInet6{Port: port, Addr: ip.As16()}
}

// dump returns the sockets that the kernel accepts, by cookie.
func (h *host) dump(t *testing.T, c *diag.Conn, code []byte) map[uint64]*diag.InetSocket {
	t.Helper()
	m := map[uint64]*diag.InetSocket{}
	for _, p := range []diag.Protocol{diag.TCP, diag.UDP} {
		for s, err := range c.Inet(t.Context(), diag.InetQuery{Protocol: p, Bytecode: code}) {
			if err != nil {
				t.Fatalf("%v\n%s", err, Disassemble(code))
			}
			m[s.Cookie] = s.Clone()
		}
	}
	return m
}

// keys returns a set as text.
func keys(m map[uint64]*diag.InetSocket) string {
	var lines []string
	for c, s := range m {
		mark, _ := s.Mark()
		id, _ := s.CgroupID()
		lines = append(lines, fmt.Sprintf("%6x %-5s %-12v %v %v dev %d mark %#x cgroup %d",
			c, s.Protocol, s.State, s.Local, s.Remote, s.Interface, mark, id))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// difference says what is in one set alone.
func difference(aName string, a map[uint64]*diag.InetSocket, bName string, b map[uint64]*diag.InetSocket) string {
	without := func(a, b map[uint64]*diag.InetSocket) map[uint64]*diag.InetSocket {
		a = maps.Clone(a)
		maps.DeleteFunc(a, func(c uint64, _ *diag.InetSocket) bool { return b[c] != nil })
		return a
	}
	return fmt.Sprintf("only %s\n%s\nonly %s\n%s", aName, keys(without(a, b)), bName, keys(without(b, a)))
}

// picked returns the sockets of m that f picks.
func picked(m map[uint64]*diag.InetSocket, f *Filter) map[uint64]*diag.InetSocket {
	out := map[uint64]*diag.InetSocket{}
	for c, s := range m {
		if f.Match(s) {
			out[c] = s
		}
	}
	return out
}

// accepted returns the sockets of m that Accepts takes. Whether a port was chosen with bind is the kernel's word for it: unlocked.
func accepted(m, unlocked map[uint64]*diag.InetSocket, code []byte) map[uint64]*diag.InetSocket {
	out := map[uint64]*diag.InetSocket{}
	for c, s := range m {
		subject := Subject{Local: s.Local, Remote: s.Remote, Interface: s.Interface, Locked: unlocked[c] == nil}
		subject.Mark, _ = s.Mark()
		subject.Cgroup, _ = s.CgroupID()
		if Accepts(code, &subject) {
			out[c] = s
		}
	}
	return out
}

// TestKernelAgrees compares what the kernel makes of programs with what Accepts and Match make of the same sockets.
func TestKernelAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	h := newHost(t, r)
	c, err := diag.Dial(&diag.Config{NetNS: h.ns.Path()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	env := h.env()
	h.diverse(t, h.dump(t, c, nil))

	g := generator{r: r, live: true, cgroups: h.cgroups}
	n, exacts, some, judged := 300, 0, 0, 0
	if testing.Short() {
		n = 50
	}
	for range n {
		words := g.list(3)
		f, err := ParseSS([]string{words.words}, env)
		if err != nil {
			t.Fatalf("%s: %v", words.words, err)
		}
		code, exact := f.Bytecode()
		poor, _ := assemble(f.Tree(), Ops(r.IntN(int(AllOps)+1)), 4*r.IntN(60))
		wild := randomProgram(r)
		h.steadily(t, c, func(everything map[uint64]*diag.InetSocket) string {
			unlocked := h.dump(t, c, alone(newOp(bcAuto, 0)))
			want := picked(everything, f)
			var kernel [3]map[uint64]*diag.InetSocket
			for i, code := range [...][]byte{code, poor, wild} {
				kernel[i] = h.dump(t, c, code)
				got, want := kernel[i], accepted(everything, unlocked, code)
				if keys(got) != keys(want) {
					return fmt.Sprintf("%s\n%s", Disassemble(code), difference("the kernel accepts", got, "Accepts", want))
				}
				if len(want) > 0 && len(want) < len(everything) {
					judged++
				}
			}
			got, weak := kernel[0], kernel[1]
			if exact && keys(got) != keys(want) {
				return fmt.Sprintf("%s\n%s\n%s", words.words, Disassemble(code), difference("the kernel picks", got, "Match picks", want))
			}
			if !words.auto {
				for c, s := range want {
					if weak[c] == nil {
						return fmt.Sprintf("%s\n%s\nloses %v %v", words.words, Disassemble(poor), s.Local, s.Remote)
					}
				}
			}
			if exact && len(want) > 0 && len(want) < len(everything) {
				some++
			}
			return ""
		})
		if exact {
			exacts++
		}
	}
	if exacts < n/3 || some < n/5 || judged < n {
		t.Errorf("of %d filters %d were exact, %d picked some sockets, %d programs accepted some", n, exacts, some, judged)
	}
}

// TestPickedAsTheyDo compares the sockets that filters pick with those that iproute2's ss prints.
func TestPickedAsTheyDo(t *testing.T) {
	ss := peerSS(t)
	r := rand.New(rand.NewPCG(7, 8))
	h := newHost(t, r)
	c, err := diag.Dial(&diag.Config{NetNS: h.ns.Path()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	env := h.env()
	cookie := regexp.MustCompile(`\bsk:([0-9a-f]+)`)

	g := generator{r: r, live: true, theirs: true, cgroups: h.cgroups}
	n, auto := 200, 0
	if testing.Short() {
		n = 40
	}
	for range n {
		words := g.list(2)
		if words.auto && strings.Contains(words.words, "dev ") {
			continue // ss sends no program if there is a device in it, and then knows half of what autobound is
		}
		f, err := ParseSS([]string{words.words}, env)
		if err != nil {
			t.Fatalf("%s: %v", words.words, err)
		}
		code, _ := f.Bytecode()
		h.steadily(t, c, func(everything map[uint64]*diag.InetSocket) string {
			want := map[uint64]*diag.InetSocket{}
			var stdout, stderr bytes.Buffer
			cmd := exec.CommandContext(t.Context(), ss, "-HOtuane", "--", words.words)
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := h.ns.Run(cmd); err != nil || stderr.Len() > 0 {
				t.Fatalf("%s: %v, %s", words.words, err, stderr.String())
			}
			for line := range strings.Lines(stdout.String()) {
				m := cookie.FindStringSubmatch(line)
				if m == nil {
					t.Fatalf("no cookie in %q", line)
				}
				c, err := strconv.ParseUint(m[1], 16, 64)
				if err != nil {
					t.Fatal(err)
				}
				if everything[c] == nil {
					return fmt.Sprintf("%s: ss prints what is not there: %s", words.words, line)
				}
				want[c] = everything[c]
			}
			if got := picked(h.dump(t, c, code), f); keys(got) != keys(want) {
				return fmt.Sprintf("%s\n%s\n%s", words.words, Disassemble(code), difference("we pick", got, "ss picks", want))
			}
			return ""
		})
		if words.auto {
			auto++
		}
	}
	if auto < n/20 {
		t.Errorf("only %d filters with autobound", auto)
	}
}

// steadily runs check against all sockets; again, if they changed meanwhile.
func (h *host) steadily(t *testing.T, c *diag.Conn, check func(everything map[uint64]*diag.InetSocket) string) {
	t.Helper()
	for begin := time.Now(); ; {
		everything := h.dump(t, c, nil)
		problem := check(everything)
		if problem == "" {
			return
		}
		if keys(everything) == keys(h.dump(t, c, nil)) || time.Since(begin) > time.Minute {
			t.Fatal(problem)
		}
	}
}

// env is testEnv with this host's cgroups.
func (h *host) env() Env {
	env := testEnv()
	env.Device = nil
	env.Cgroup = systemCgroup("/proc/self/mounts")
	return env
}

// diverse fails the test unless there are sockets of all sorts.
func (h *host) diverse(t *testing.T, everything map[uint64]*diag.InetSocket) {
	t.Helper()
	sorts := map[string]int{}
	for _, s := range everything {
		sorts[s.Protocol.String()]++
		sorts[s.State.String()]++
		sorts[s.Family.String()]++
		sorts["dev "+strconv.Itoa(int(s.Interface))]++
		if s.Remote.Addr().Is4In6() || s.Local.Addr().Is4In6() {
			sorts["mapped"]++
		}
		if m, ok := s.Mark(); ok && m != 0 {
			sorts["mark"]++
		}
		if id, ok := s.CgroupID(); ok && slices.Contains(slices.Collect(maps.Values(h.cgroups)), id) {
			sorts["cgroup"]++
		}
	}
	want := []string{"tcp", "udp", "inet", "inet6", "LISTEN", "ESTABLISHED", "SYN_RECV", "CLOSE", "mapped", "mark", "dev 0", "dev 1"}
	if len(h.cgroups) > 0 {
		want = append(want, "cgroup")
	}
	for _, w := range want {
		if sorts[w] == 0 {
			t.Errorf("no sockets of sort %s: %v", w, sorts)
		}
	}
}

// TestKernelTakesLongPrograms: the kernel takes the longest programs, and what is too long is not sent.
func TestKernelTakesLongPrograms(t *testing.T) {
	ns := scene.NewNetNS(t)
	c, err := diag.Dial(&diag.Config{NetNS: ns.Path()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sent := func(code []byte) {
		t.Helper()
		for _, err := range c.Inet(t.Context(), diag.InetQuery{Family: diag.IPv4, States: diag.StatesOf(diag.Listen), Bytecode: code}) {
			if err != nil {
				t.Fatalf("%d bytes: %v", len(code), err)
			}
		}
	}
	ports := func(n int) (or Or) {
		for i := range n {
			or = append(or, Port{Port: int32(i * 7)})
		}
		return or
	}
	// One port is 8 bytes, and 4 to jump to the end; the last jumps nowhere.
	const most = (maxCode + 4) / 12
	code, exact := assemble(ports(most), AllOps, maxCode)
	if !exact || len(code) != most*12-4 {
		t.Fatalf("%d ports: %d bytes, exact %v", most, len(code), exact)
	}
	sent(code)
	if code, exact := assemble(ports(most+1), AllOps, maxCode); exact || code != nil {
		t.Fatalf("one port more: %d bytes, exact %v", len(code), exact)
	}
	// The part of a conjunction that has room still goes down.
	code, exact = assemble(And{ports(most + 1), Port{Side: Remote, Port: 9}, ports(10)}, AllOps, maxCode)
	if exact || len(code) != 8+10*12-4 {
		t.Fatalf("a part: %d bytes, exact %v", len(code), exact)
	}
	sent(code)
}
