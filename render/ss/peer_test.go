package ss

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// peer returns the path of ss of iproute2 7.3, which this package prints like.
func peer(t testing.TB) string {
	t.Helper()
	path, err := filepath.Abs("../../.peers/ss")
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		if os.Getenv("SOCKEYE_REQUIRE_PEERS") == "1" {
			t.Fatal(err)
		}
		t.Skip("needs ss of iproute2 7.3: run make peers")
	}
	return path
}

// replay has the peer print recorded messages (it reads those of TCP from TCPDIAG_FILE).
func replay(t *testing.T, messages []message, columns int, args ...string) string {
	t.Helper()
	var b []byte
	header := func(typ uint16, payload []byte) {
		b = ne.AppendUint32(b, uint32(16+len(payload)))
		b = ne.AppendUint16(b, typ)
		b = ne.AppendUint16(b, 2)
		b = ne.AppendUint32(b, 123456)
		b = ne.AppendUint32(b, 0)
		b = append(b, payload...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	for _, m := range messages {
		header(20, m.payload())
	}
	header(3, make([]byte, 4))
	file := filepath.Join(t.TempDir(), "dump")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(peer(t), args...)
	cmd.Env = []string{"TCPDIAG_FILE=" + file, "PATH=" + os.Getenv("PATH"), "COLUMNS=" + strconv.Itoa(columns)}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%v: %v\n%s", cmd, err, &stderr)
	}
	return string(out)
}

// ephemeral returns net.ipv4.ip_local_port_range, as the peer reads it.
func ephemeral(t testing.TB) (lo, hi uint16) {
	t.Helper()
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(b), &lo, &hi); err != nil {
		t.Fatal(err)
	}
	return lo, hi
}

// flags are the options that the peer and a Writer share.
var flags = []struct {
	arg string
	set func(*Options)
}{
	{"-H", func(o *Options) { o.NoHeader = true }},
	{"-Q", func(o *Options) { o.NoQueues = true }},
	{"-O", func(o *Options) { o.OneLine = true }},
	{"-n", func(o *Options) { o.Numeric = true }},
	{"-o", func(o *Options) { o.Timers = true }},
	{"-e", func(o *Options) { o.Extended = true }},
	{"-m", func(o *Options) { o.Memory = true }},
	{"-i", func(o *Options) { o.Info = true }},
	{"--tos", func(o *Options) { o.TOS = true }},
	{"--cgroup", func(o *Options) { o.Cgroup = true }},
	{"--inet-sockopt", func(o *Options) { o.SockOpt = true }},
}

// TestPeerReplay has the peer print random messages with random options, and expects the same bytes.
func TestPeerReplay(t *testing.T) {
	peer(t)
	r := rand.New(rand.NewPCG(1, 2))
	lo, hi := ephemeral(t)
	for n := range 60 {
		args := []string{"-a"}
		opt := Options{State: true, Proto: "tcp", EphemeralMin: lo, EphemeralMax: hi}
		args = append(args, "-t")
		if r.IntN(2) == 0 { // a second table, which is empty: so the kind is shown
			args = append(args, "-S")
			opt.Netid = true
		}
		for _, f := range flags {
			if r.IntN(5) < 2 {
				args = append(args, f.arg)
				f.set(&opt)
			}
		}
		opt.Width = []int{0, 0, 60, 80, 132, 200, 1, 33}[r.IntN(8)]
		messages := make([]message, 1+r.IntN(150))
		for i := range messages {
			messages[i] = random(r)
		}
		want := replay(t, messages, opt.Width, args...)
		var got strings.Builder
		p := New(&got, opt)
		for _, m := range messages {
			if err := p.Inet(m.socket(t)); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Flush(); err != nil {
			t.Fatal(err)
		}
		if !same(t, got.String(), want) {
			t.Fatalf("run %d: width %d, ss %s", n, opt.Width, strings.Join(args, " "))
		}
	}
}

// same reports whether two outputs are equal, and the first lines that are not.
func same(t *testing.T, got, want string) bool {
	t.Helper()
	if got == want {
		return true
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			t.Errorf("line %d of %d:\n got %q\nwant %q (of %d)", i+1, len(g), a, b, len(w))
			break
		}
	}
	return false
}

// number returns a number of at most 1<<n-1 that is often a special one.
func number(r *rand.Rand, n int) uint64 {
	most := uint64(math.MaxUint64) >> (64 - n)
	switch r.IntN(8) {
	case 0, 1:
		return 0
	case 2:
		return min(uint64(r.IntN(12)), most)
	case 3:
		return most - uint64(r.IntN(2))
	case 4:
		return min([]uint64{999, 1000, 1001, 9999, 65535, 999999, 1000000, 3000000, 1000001, 999500, 999499, 1<<31 - 1}[r.IntN(12)], most)
	}
	return r.Uint64() >> (64 - 1 - r.IntN(n)) & most
}

func random(r *rand.Rand) message {
	u32 := func() uint32 { return uint32(number(r, 32)) }
	addr := func() (string, string) {
		if r.IntN(2) == 0 {
			v4 := func() string {
				return []string{"0.0.0.0", "127.0.0.1", "255.255.255.255", fmt.Sprintf("%d.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256))}[r.IntN(4)]
			}
			return v4(), v4()
		}
		v6 := func() string {
			var words []string
			for range 8 {
				words = append(words, []string{"0", "0", "0", "1", "ffff", strconv.FormatUint(uint64(r.IntN(65536)), 16)}[r.IntN(6)])
			}
			return "[" + []string{"::", "::1", "::ffff:10.1.2.3", "::10.1.2.3", "::ffff", "fe80::1", strings.Join(words, ":"), strings.Join(words, ":")}[r.IntN(8)] + "]"
		}
		return v6(), v6()
	}
	port := func() string {
		return ":" + strconv.Itoa([]int{0, 22, 80, 443, 514, 53, 2049, 32768, r.IntN(65536), r.IntN(1024)}[r.IntN(10)])
	}
	m := message{
		state:   diag.State(1 + r.IntN(11)),
		timer:   diag.Timer(r.IntN(8) % 7),
		retrans: uint8(number(r, 8)), ifindex: []uint32{0, 0, 0, 1, 4711}[r.IntN(5)],
		cookie: number(r, 64), expires: u32(), rqueue: u32(), wqueue: u32(), uid: u32(), inode: u32(),
	}
	src, dst := addr()
	m.src, m.dst = src+port(), dst+port()
	add := func(some int, typ diag.Attr, values ...any) {
		if r.IntN(8) < some {
			m.attrs = append(m.attrs, attr(typ, values...)...)
		}
	}
	info := map[string]uint64{}
	if r.IntN(8) > 0 {
		for _, name := range slices.Sorted(maps.Keys(tcpInfoFields)) {
			if r.IntN(3) > 0 {
				info[name] = number(r, 8*tcpInfoFields[name].size)
			}
		}
		for _, name := range []string{"rcv_space", "reordering", "snd_mss", "rcv_mss", "advmss", "pmtu", "reord_seen"} {
			info[name] &= math.MaxInt32 // ss prints them with a sign
		}
	}
	if r.IntN(20) == 0 {
		m.proto = diag.SCTP
		m.attrs = append(m.attrs, attr(diag.AttrProtocol, uint8(diag.SCTP))...)
		m.state = diag.State(r.IntN(8))
		m.inode = uint32(r.IntN(3))
		add(4, diag.AttrInfo, sctpInfo(r.IntN(4) > 0)[:[]int{8, 60, 68, 300, 400}[r.IntN(5)]])
		add(4, diag.AttrLocals, sockaddr("1.2.3.4:5"), sockaddr("[::1]:5"))
		add(4, diag.AttrPeers, sockaddr("1.2.3.4:5"))
	} else {
		add(6, diag.AttrInfo, tcpInfo(info)[:[]int{280, 240, 232, 192, 160, 136, 104, 92}[r.IntN(8)]])
	}
	add(1, diag.AttrMemInfo, u32(), u32(), u32(), u32())
	var mem []any
	for range 7 + r.IntN(3) {
		mem = append(mem, u32())
	}
	add(5, diag.AttrSKMemInfo, mem...)
	add(4, diag.AttrCong, []string{"cubic", "reno", "bbr", "vegas"}[r.IntN(4)])
	switch r.IntN(6) {
	case 0:
		add(8, diag.AttrVegasInfo, u32(), u32(), u32(), u32())
	case 1:
		add(8, diag.AttrDCTCPInfo, uint16(number(r, 16)), uint16(number(r, 16)), u32(), u32(), u32())
	case 2:
		add(8, diag.AttrBBRInfo, u32(), uint32(number(r, 20)), u32(), u32(), u32())
	}
	add(4, diag.AttrTOS, uint8(number(r, 8)))
	add(4, diag.AttrTClass, uint8(number(r, 8)))
	add(4, diag.AttrClassID, u32())
	add(5, diag.AttrShutdown, uint8(r.IntN(4)))
	add(4, diag.AttrSKV6Only, uint8(r.IntN(2)))
	add(4, diag.AttrMark, u32())
	add(4, diag.AttrCgroupID, []uint64{1, 1<<63 + 5, 1<<62 + uint64(r.Uint32())}[r.IntN(3)])
	add(5, diag.AttrSockOpt, uint16(number(r, 16)))
	add(2, diag.AttrMD5Sig, md5sig("10.0.0.0/8", "a key,\\\x7f\x80\t~"), md5sig("fe80::/64", "k"))
	if r.IntN(4) == 0 {
		switch r.IntN(3) {
		case 0:
			add(8, diag.AttrULPInfo, attr(1, "smc"))
		case 1:
			var tls []byte
			for i, v := range []uint16{0x302 + uint16(r.IntN(4)), 50 + uint16(r.IntN(4)), 1 + uint16(r.IntN(5)), 1 + uint16(r.IntN(5))} {
				if r.IntN(5) > 0 {
					tls = append(tls, attr(diag.Attr(1+i), v)...)
				}
			}
			for i := range 2 {
				if r.IntN(3) == 0 {
					tls = append(tls, attr(diag.Attr(5+i))...)
				}
			}
			add(8, diag.AttrULPInfo, attr(1, "tls"), attr(2, tls))
		case 2:
			var sub []byte
			if r.IntN(3) > 0 {
				sub = append(sub, attr(1, u32())...)
				sub = append(sub, attr(2, u32())...)
				sub = append(sub, attr(9, uint8(number(r, 8)))...)
				sub = append(sub, attr(10, uint8(number(r, 8)))...)
			}
			for _, a := range [][]byte{attr(3, u32()), attr(4, number(r, 64)), attr(5, u32()), attr(6, u32()), attr(7, uint16(number(r, 16))), attr(8, u32())} {
				if r.IntN(4) > 0 {
					sub = append(sub, a...)
				}
			}
			add(8, diag.AttrULPInfo, attr(1, "mptcp"), attr(3, sub))
		}
	}
	return m
}
