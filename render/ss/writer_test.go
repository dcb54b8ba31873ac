package ss

import (
	"errors"
	"flag"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/render/names"
)

var update = flag.Bool("update", false, "write the golden files")

// fakeOwners has every even inode held by two processes, of which one is gone.
type fakeOwners struct{ procs map[int32]*owner.Process }

func newFakeOwners() fakeOwners {
	return fakeOwners{map[int32]*owner.Process{
		7:    {PID: 7, Known: true, Comm: "server"},
		4242: {PID: 4242},
	}}
}

func (f fakeOwners) Owners(dst []owner.Owner, inode uint32) []owner.Owner {
	if inode%2 != 0 {
		return dst
	}
	return append(dst, owner.Owner{PID: 7, FD: 3}, owner.Owner{PID: 7, FD: 12}, owner.Owner{PID: 4242, FD: 3})
}

func (f fakeOwners) Process(pid int32) *owner.Process { return f.procs[pid] }

// printed returns what a Writer prints for messages.
func printed(t testing.TB, opt Options, messages ...message) string {
	t.Helper()
	var b strings.Builder
	p := New(&b, opt)
	p.SetOwners(newFakeOwners())
	for _, m := range messages {
		if err := p.Inet(m.socket(t)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func inodeOf(t testing.TB, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Ino
}

// established is a connection as the kernel reports it to ss -tanoemi.
func established() message {
	return message{
		src: "192.168.100.123:44444", dst: "203.0.113.77:443", timer: diag.TimerKeepalive, expires: 7123456, uid: 1000,
		inode: 1234568, cookie: 0x1a2b,
		attrs: join(
			attr(diag.AttrInfo, tcpInfo(map[string]uint64{
				"state": 1, "options": 7, "wscale": 0xa7, "rto": 204000, "rtt": 43210, "rttvar": 2345, "ato": 40000,
				"snd_mss": 1448, "rcv_mss": 536, "pmtu": 1500, "advmss": 1448, "snd_cwnd": 10, "snd_ssthresh": 65535,
				"bytes_sent": 123456, "bytes_acked": 123457, "bytes_received": 7890123, "segs_out": 1234, "segs_in": 2345,
				"data_segs_out": 345, "data_segs_in": 456, "last_data_sent": 1234, "last_data_recv": 56789,
				"last_ack_recv": 1234, "pacing_rate": 666777888, "delivery_rate": 444555, "delivered": 346,
				"busy_time": 987654, "rwnd_limited": 1000, "reordering": 3, "rcv_rtt": 44000, "rcv_space": 14480,
				"rcv_ssthresh": 64088, "min_rtt": 42000, "snd_wnd": 65535, "rcv_wnd": 64256,
			})),
			attr(diag.AttrCong, "cubic"),
			attr(diag.AttrSKMemInfo, 0, 131072, 0, 87040, 0, 0, 0, 0, 0),
			attr(diag.AttrShutdown, uint8(0)),
			attr(diag.AttrCgroupID, uint64(1<<62)),
			attr(diag.AttrSockOpt, uint16(1<<1|1<<4|1<<6)),
			attr(diag.AttrTOS, uint8(0)),
		),
	}
}

// sample has rows of every kind.
func sample() []message {
	mem := attr(diag.AttrSKMemInfo, 0, 212992, 0, 212992, 0, 0, 0, 0, 3)
	return []message{
		{proto: diag.Raw, src: "0.0.0.0:1", dst: "0.0.0.0:0", state: diag.Close, inode: 10},
		{proto: diag.UDP, src: "0.0.0.0:53", dst: "0.0.0.0:0", state: diag.Close, rqueue: 832, inode: 12, attrs: mem},
		{proto: diag.UDP, src: "[fe80::1]:546", dst: "[::]:0", state: diag.Close, ifindex: 2, inode: 13,
			attrs: join(mem, attr(diag.AttrSKV6Only, uint8(1)))},
		{src: "0.0.0.0:22", dst: "0.0.0.0:0", state: diag.Listen, wqueue: 128, inode: 14, cookie: 1},
		{src: "[::]:80", dst: "[::]:0", state: diag.Listen, rqueue: 3, wqueue: 4096, inode: 16, cookie: 2,
			attrs: attr(diag.AttrSKV6Only, uint8(0))},
		established(),
		{src: "192.168.100.123:44446", dst: "203.0.113.77:443", state: diag.TimeWait, timer: diag.TimerTimeWait, expires: 34567},
		{src: "[::ffff:127.0.0.1]:80", dst: "[::ffff:127.0.0.1]:50000", state: diag.CloseWait, rqueue: 1, inode: 17, uid: 33,
			attrs: attr(diag.AttrShutdown, uint8(1))},
		{src: "10.0.0.1:50001", dst: "10.0.0.2:25", state: diag.SynSent, wqueue: 1, timer: diag.TimerOn, expires: 930, retrans: 2,
			inode: 18, ifindex: 2, attrs: attr(diag.AttrInfo, tcpInfo(map[string]uint64{"rto": 2000000, "backoff": 1, "snd_cwnd": 1, "unacked": 1}))},
		{proto: diag.SCTP, src: "192.0.2.1:2905", dst: "0.0.0.0:0", state: diag.Listen, inode: 20},
		{proto: diag.SCTP, src: "192.0.2.1:2905", dst: "192.0.2.9:2905", state: 3, inode: 20,
			attrs: attr(diag.AttrPeers, sockaddr("192.0.2.9:2905"))},
		{proto: diag.MPTCP, src: "127.0.0.1:8080", dst: "127.0.0.1:50002", inode: 22, attrs: attr(diag.AttrInfo, mptcpInfo())},
	}
}

func TestGolden(t *testing.T) {
	base := Options{Netid: true, State: true, Proto: "tcp", EphemeralMin: 32768, EphemeralMax: 60999}
	for _, tt := range []struct {
		name string
		set  func(*Options)
	}{
		{"a", func(*Options) {}},
		{"an", func(o *Options) { o.Numeric = true }},
		{"an-80", func(o *Options) { o.Numeric, o.Width = true, 80 }},
		{"an-132", func(o *Options) { o.Numeric, o.Width = true, 132 }},
		{"anH", func(o *Options) { o.Numeric, o.NoHeader = true, true }},
		{"anQ", func(o *Options) { o.Numeric, o.NoQueues = true, true }},
		{"ano", func(o *Options) { o.Numeric, o.Timers = true, true }},
		{"ane", func(o *Options) { o.Numeric, o.Timers, o.Extended = true, true, true }},
		{"anp", func(o *Options) { o.Numeric, o.Processes = true, true }},
		{"anp-80", func(o *Options) { o.Numeric, o.Processes, o.Width = true, true, 80 }},
		{"ani", func(o *Options) { o.Numeric, o.Info = true, true }},
		{"anm", func(o *Options) { o.Numeric, o.Memory = true, true }},
		{"anoemip", func(o *Options) {
			o.Numeric, o.Timers, o.Extended, o.Memory, o.Info, o.Processes = true, true, true, true, true, true
		}},
		{"anoemipO-tos-cgroup-sockopt", func(o *Options) {
			o.Numeric, o.Timers, o.Extended, o.Memory, o.Info, o.Processes = true, true, true, true, true, true
			o.OneLine, o.TOS, o.Cgroup, o.SockOpt = true, true, true, true
		}},
		{"ar", func(o *Options) {
			o.Host = func(a netip.Addr) (string, bool) { return "host.example", a.String() == "203.0.113.77" }
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			opt := base
			opt.Services = &names.Services{File: "testdata/services"}
			opt.Protocols = &names.Protocols{File: "testdata/protocols"}
			opt.Interfaces = &names.Interfaces{ByIndex: func(uint32) (string, error) { return "eth0", nil }}
			opt.Cgroups = &names.Cgroups{Root: t.TempDir()}
			tt.set(&opt)
			got := printed(t, opt, sample()...)
			file := filepath.Join("testdata", tt.name+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestHeaderAlone: without sockets the headings are printed all the same.
func TestHeaderAlone(t *testing.T) {
	if got, want := printed(t, Options{State: true}), "State Recv-Q Send-Q Local Address:Port Peer Address:Port\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := printed(t, Options{Processes: true}), "Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n"; got != want {
		t.Errorf("%q, want %q", got, want) // so does ss
	}
	if got := printed(t, Options{NoHeader: true}); got != "" {
		t.Errorf("%q, want nothing", got)
	}
}

// meter counts what is written, and notes the largest write.
type meter struct{ bytes, writes, most int }

func (m *meter) Write(b []byte) (int, error) {
	m.bytes, m.writes, m.most = m.bytes+len(b), m.writes+1, max(m.most, len(b))
	return len(b), nil
}

// TestStreams: what is kept is bounded, however many sockets there are, and where they are known to be many the first lines come
// early.
func TestStreams(t *testing.T) {
	for _, long := range []bool{false, true} {
		limit := whole
		if long {
			limit = piece
		}
		const rows = 300_000
		var m meter
		p := New(&m, Options{State: true, Numeric: true, Long: long})
		s := established().socket(t)
		first := 0
		for i := range rows {
			if err := p.Inet(s); err != nil {
				t.Fatal(err)
			}
			if len(p.buf) > limit {
				t.Fatalf("%d bytes are kept", len(p.buf))
			}
			if m.bytes > 0 && first == 0 {
				first = i
			}
		}
		if first == 0 || first > limit/40 {
			t.Errorf("the first line was written after %d sockets", first)
		}
		if err := p.Flush(); err != nil {
			t.Fatal(err)
		}
		header := len("State Recv-Q Send-Q   Local Address:Port  Peer Address:Port\n")
		if want := header + rows*len("ESTAB 0      0      192.168.100.123:44444 203.0.113.77:443\n"); m.bytes != want {
			t.Errorf("%d bytes were written, want %d", m.bytes, want)
		}
		if m.most > 2*chunk {
			t.Errorf("%d bytes were written at once, want at most %d", m.most, 2*chunk)
		}
		if c := cap(p.buf) + cap(p.out); c > limit+5*chunk {
			t.Errorf("the buffers have %d bytes", c)
		}
	}
}

func TestWriteError(t *testing.T) {
	p := New(&failing{}, Options{Numeric: true})
	s := established().socket(t)
	var err error
	for n := 0; err == nil; n++ {
		if err = p.Inet(s); n > 1_000_000 {
			t.Fatal("no error")
		}
	}
	if !errors.Is(err, errFull) || !errors.Is(p.Flush(), errFull) {
		t.Errorf("got %v, then %v, want %v", err, p.Flush(), errFull)
	}
}

// everything is ss -tanoemip --tos --cgroup --inet-sockopt.
var everything = Options{
	State: true, Numeric: true, Timers: true, Extended: true, Memory: true, Info: true, Processes: true, TOS: true, Cgroup: true,
	SockOpt: true,
}

func TestAllocs(t *testing.T) {
	v6 := message{src: "[2001:db8::1]:22", dst: "[2001:db8::22:33]:50000", inode: 2, attrs: established().attrs}
	full := established()
	full.attrs = join(full.attrs, attr(diag.AttrMD5Sig, md5sig("10.0.0.1/32", "k")),
		attr(diag.AttrBBRInfo, 12345, 1, 678, 739, 512), attr(diag.AttrULPInfo, attr(1, "mptcp"), attr(3, attr(8, 5))))
	for _, tt := range []struct {
		name string
		opt  Options
		m    message
	}{
		{"-tan", Options{State: true, Numeric: true}, established()},
		{"-tan, IPv6", Options{State: true, Numeric: true}, v6},
		{"-ta", Options{State: true}, established()},
		{"-tanp", Options{State: true, Numeric: true, Processes: true}, established()},
		{"-tanoemi", everything, established()},
		{"-tanoemi, all that there is", everything, full},
		{"-uanm", Options{State: true, Numeric: true, Memory: true}, sample()[1]},
		{"-wa", Options{State: true}, sample()[0]},
		{"-Mani", Options{State: true, Numeric: true, Info: true}, sample()[11]},
		{"-Sani", Options{State: true, Numeric: true, Info: true}, sample()[10]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.opt.Cgroups = &names.Cgroups{Root: t.TempDir()}
			p := New(io.Discard, tt.opt)
			p.SetOwners(newFakeOwners())
			s := tt.m.socket(t)
			row := func() {
				if err := p.Inet(s); err != nil {
					t.Fatal(err)
				}
			}
			for p.out == nil { // until the buffers have their size
				row()
			}
			if n := testing.AllocsPerRun(20_000, row); n != 0 {
				t.Errorf("%v allocations for a row", n)
			}
		})
	}
}

func BenchmarkWriter(b *testing.B) {
	for _, bb := range []struct {
		name string
		opt  Options
	}{
		{"tan", Options{State: true, Numeric: true}},
		{"ta", Options{State: true, EphemeralMin: 32768, EphemeralMax: 60999}},
		{"tanp", Options{State: true, Numeric: true, Processes: true}},
		{"tano", Options{State: true, Numeric: true, Timers: true}},
		{"tani", Options{State: true, Numeric: true, Info: true}},
		{"tanoemip", everything},
	} {
		b.Run(bb.name, func(b *testing.B) {
			bb.opt.Cgroups = &names.Cgroups{Root: b.TempDir()}
			var m meter
			p := New(&m, bb.opt)
			p.SetOwners(newFakeOwners())
			s := established().socket(b)
			b.ReportAllocs()
			for b.Loop() {
				p.Inet(s)
			}
			p.Flush()
			b.SetBytes(int64(m.bytes / b.N))
		})
	}
}
