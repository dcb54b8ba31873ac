package ss

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// otherFamilies print messages of the families that are neither IPv4 nor IPv6.
var otherFamilies = []struct {
	family uint32
	args   []string // that ask for it
	random func(r *rand.Rand) []byte
	print  func(p *Writer, payload []byte) error
}{
	{1, []string{"-x"}, randomUnix, parsed(diag.ParseUnix, (*Writer).Unix)},
	{16, []string{"-f", "netlink"}, randomNetlink, parsed(diag.ParseNetlink, (*Writer).Netlink)},
	{17, []string{"-0"}, randomPacket, parsed(diag.ParsePacket, (*Writer).Packet)},
	{40, []string{"--vsock"}, randomVSock, parsed(diag.ParseVSock, (*Writer).VSock)},
	{44, []string{"--xdp"}, randomXDP, parsed(diag.ParseXDP, (*Writer).XDP)},
	{30, []string{"--tipc"}, randomTIPC, parsed(diag.ParseTIPC, (*Writer).TIPC)},
}

func parsed[S any](parse func([]byte) (*S, error), print func(*Writer, *S) error) func(*Writer, []byte) error {
	return func(p *Writer, payload []byte) error {
		s, err := parse(payload)
		if err != nil {
			return err
		}
		return print(p, s)
	}
}

// native puts numbers and bytes one behind the other, in the machine's byte order.
func native(values ...any) (b []byte) {
	for _, v := range values {
		b = appendValue(b, v)
	}
	return b
}

// words are numbers of 32 bits.
func words(r *rand.Rand, n int) (b []byte) {
	for range n {
		b = ne.AppendUint32(b, figure(r))
	}
	return b
}

// figure is a number that may be small, 0, or as large as can be.
func figure(r *rand.Rand) uint32 {
	switch r.IntN(5) {
	case 0:
		return 0
	case 1:
		return uint32(r.IntN(10))
	case 2:
		return 1<<32 - 1
	}
	return r.Uint32() >> r.IntN(32)
}

// maybe is one of the attributes, or nothing.
func maybe(r *rand.Rand, attrs ...[]byte) []byte {
	if r.IntN(3) == 0 {
		return nil
	}
	return attrs[r.IntN(len(attrs))]
}

func some[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// preload builds a library that makes the peer take its answers from a file: testdata/answer.c.
func preload(t *testing.T) string {
	t.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil {
		if os.Getenv("SOCKEYE_REQUIRE_PEERS") == "1" {
			t.Fatal(err)
		}
		t.Skipf("needs a C compiler to hand the peer its answers: %v", err)
	}
	path := filepath.Join(t.TempDir(), "answer.so")
	if out, err := exec.Command(cc, "-shared", "-fPIC", "-o", path, "testdata/answer.c", "-ldl").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// answered has the peer print messages of a family, as if the kernel had sent them.
func answered(t *testing.T, library string, family uint32, messages [][]byte, columns int, args ...string) string {
	t.Helper()
	var b []byte
	for _, m := range messages {
		b = append(native(b, family, uint32(len(m))), m...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	file := filepath.Join(t.TempDir(), "answers")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(peer(t), args...)
	cmd.Env = []string{"ANSWERS=" + file, "LD_PRELOAD=" + library, "PATH=" + os.Getenv("PATH"), "COLUMNS=" + strconv.Itoa(columns)}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%v: %v\n%s", cmd, err, &stderr)
	}
	return string(out)
}

// otherFlags are the options that say something of these families.
var otherFlags = []struct {
	arg string
	set func(*Options)
}{
	{"-H", func(o *Options) { o.NoHeader = true }},
	{"-Q", func(o *Options) { o.NoQueues = true }},
	{"-O", func(o *Options) { o.OneLine = true }},
	{"-n", func(o *Options) { o.Numeric = true }},
	{"-e", func(o *Options) { o.Extended = true }},
	{"-m", func(o *Options) { o.Memory = true }},
	{"-b", func(o *Options) { o.Filters = true }},
	{"-p", func(o *Options) { o.Processes = true }},
	{"--tipcinfo", func(o *Options) { o.TIPCInfo = true }},
	{"-i", func(*Options) {}},
	{"-o", func(*Options) {}},
}

// TestPeerFamilies has the peer print random messages with random options, and expects the same bytes.
func TestPeerFamilies(t *testing.T) {
	peer(t)
	library := preload(t)
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 240 {
		f := otherFamilies[n%len(otherFamilies)]
		args := append([]string{"-a"}, f.args...)
		opt := Options{State: true, NetlinkProtocols: NetlinkProtocols(), Netid: f.family == 1 || f.family == 17 || f.family == 40}
		for _, flag := range otherFlags {
			if r.IntN(5) < 2 {
				args = append(args, flag.arg)
				flag.set(&opt)
			}
		}
		opt.Width = some(r, 0, 0, 60, 80, 132, 200, 1, 33)
		var messages [][]byte
		for range 1 + r.IntN(12) {
			messages = append(messages, f.random(r))
		}
		var out bytes.Buffer
		p := New(&out, opt)
		for _, m := range messages {
			if err := f.print(p, m); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Flush(); err != nil {
			t.Fatal(err)
		}
		if want := answered(t, library, f.family, messages, opt.Width, args...); out.String() != want {
			got := out.String()
			i := 0
			for i < min(len(got), len(want)) && got[i] == want[i] {
				i++
			}
			from := max(0, i-80)
			t.Errorf("ss %v, COLUMNS=%d:\n got %.200q\nwant %.200q", args, opt.Width, got[min(from, len(got)):], want[min(from, len(want)):])
		}
	}
}

// Rows do not allocate.
func TestFamiliesDoNotAllocate(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	check := func(name string, f func() error) {
		t.Helper()
		if n := testing.AllocsPerRun(100, func() {
			if err := f(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	opt := Options{Netid: true, State: true, Extended: true, Memory: true, Filters: true, TIPCInfo: true, Processes: true,
		NetlinkProtocols: NetlinkProtocols()}
	p := New(io.Discard, opt)
	u := must(diag.ParseUnix(randomUnix(r)))
	for p.out == nil { // until the buffers have their size
		if err := p.Unix(u); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		u := must(diag.ParseUnix(randomUnix(r)))
		check("unix", func() error { return p.Unix(u) })
		n := must(diag.ParseNetlink(randomNetlink(r)))
		check("netlink", func() error { return p.Netlink(n) })
		k := must(diag.ParsePacket(randomPacket(r)))
		check("packet", func() error { return p.Packet(k) })
		v := must(diag.ParseVSock(randomVSock(r)))
		check("vsock", func() error { return p.VSock(v) })
		x := must(diag.ParseXDP(randomXDP(r)))
		check("xdp", func() error { return p.XDP(x) })
		i := must(diag.ParseTIPC(randomTIPC(r)))
		check("tipc", func() error { return p.TIPC(i) })
	}
}

func must[S any](s S, err error) S {
	if err != nil {
		panic(err)
	}
	return s
}

// rows prints messages without a screen.
func rows[S any](t *testing.T, opt Options, parse func([]byte) (*S, error), print func(*Writer, *S) error, messages ...[]byte) string {
	t.Helper()
	var out bytes.Buffer
	opt.NoHeader = true
	p := New(&out, opt)
	for _, m := range messages {
		if err := parsed(parse, print)(p, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
