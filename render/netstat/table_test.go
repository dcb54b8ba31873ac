package netstat

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/diag"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with testdata/NAME.golden.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s:\n got\n%s\nwant\n%s", path, got, want)
	}
}

// host is a small host: every state, every timer, every protocol.
var host = []sock{
	{proto: diag.TCP, state: diag.Listen, local: "0.0.0.0:22", remote: "0.0.0.0:0", rq: 4, wq: 128, inode: 1001},
	{proto: diag.TCP, state: diag.Listen, local: "127.0.0.1:53", remote: "0.0.0.0:0", wq: 4096, uid: 101, inode: 1002},
	{proto: diag.TCP, state: diag.SynRecv, local: "10.0.0.1:22", remote: "10.0.0.2:40001", timer: 1, expires: 990 * time.Millisecond},
	{proto: diag.TCP, state: diag.Established, local: "10.0.0.1:22", remote: "10.0.0.2:40002", timer: 2, expires: 7190123 * time.Millisecond,
		uid: 1000, inode: 1003, info: tcpInfo(0, 0)},
	{proto: diag.TCP, state: diag.Established, local: "10.0.0.1:22", remote: "10.0.0.2:40003", timer: 1, expires: 13819 * time.Millisecond,
		wq: 123456, inode: 1004, retrans: 8, info: tcpInfo(8, 0)},
	{proto: diag.TCP, state: diag.Established, local: "10.0.0.1:22", remote: "192.0.2.7:40004", timer: 4, expires: 80589 * time.Millisecond,
		rq: 1234567, wq: 4294967295, inode: 1005, uid: 4294967294, retrans: 6, info: tcpInfo(0, 6)},
	{proto: diag.TCP, state: diag.SynSent, local: "10.0.0.1:40005", remote: "10.0.0.2:22", timer: 1, expires: 2500 * time.Millisecond,
		wq: 1, inode: 1006, retrans: 2, info: tcpInfo(2, 0)},
	{proto: diag.TCP, state: diag.FinWait1, local: "10.0.0.1:22", remote: "10.0.0.2:40006", wq: 1, timer: 1, info: tcpInfo(0, 0)},
	{proto: diag.TCP, state: diag.FinWait2, local: "10.0.0.1:22", remote: "10.0.0.2:40007", timer: 3, expires: 30 * time.Second},
	{proto: diag.TCP, state: diag.TimeWait, local: "10.0.0.1:22", remote: "10.0.0.2:40008", timer: 3, expires: 59999 * time.Millisecond},
	{proto: diag.TCP, state: diag.Close, local: "10.0.0.1:22", remote: "10.0.0.2:40009", inode: 1007, info: tcpInfo(0, 0)},
	{proto: diag.TCP, state: diag.CloseWait, local: "10.0.0.1:22", remote: "10.0.0.2:40010", rq: 1, inode: 1008, info: tcpInfo(0, 0)},
	{proto: diag.TCP, state: diag.LastAck, local: "10.0.0.1:22", remote: "10.0.0.2:40011", wq: 1, timer: 1, info: tcpInfo(1, 0)},
	{proto: diag.TCP, state: diag.Closing, local: "10.0.0.1:22", remote: "10.0.0.2:40012", wq: 1, timer: 1, info: tcpInfo(0, 0)},
	{proto: diag.TCP, state: diag.Listen, local: "[::]:22", remote: "[::]:0", wq: 128, inode: 1009},
	{proto: diag.TCP, state: diag.Established, local: "[::ffff:127.0.0.1]:22", remote: "[::ffff:127.0.0.1]:40013", inode: 1010, info: tcpInfo(0, 0)},
	{proto: diag.TCP, state: diag.Established, local: "[2001:db8:1234:567:89ab::1]:34056", remote: "[2001:db8::7]:22", inode: 1011, info: tcpInfo(0, 0)},
	{proto: diag.SCTP, state: diag.Listen, local: "10.0.0.1:5000", remote: "0.0.0.0:0", wq: 5, uid: 7, inode: 1012,
		locals: []string{"10.0.0.1:5000", "127.0.0.1:5000"}},
	{proto: diag.SCTP, state: diag.Listen, local: "[::]:5001", remote: "[::]:0", inode: 1013, locals: []string{"[::]:5001"}},
	{proto: diag.SCTP, state: 3, local: "10.0.0.1:5000", remote: "10.0.0.2:6000", rq: 222, wq: 111, inode: 1014,
		locals: []string{"10.0.0.1:5000", "127.0.0.1:5000"}, peers: []string{"10.0.0.2:6000", "10.0.0.3:6000", "192.0.2.7:6000"}},
	{proto: diag.UDP, state: diag.Close, local: "0.0.0.0:53", remote: "0.0.0.0:0", rq: 832, uid: 101, inode: 1015},
	{proto: diag.UDP, state: diag.Established, local: "10.0.0.1:40014", remote: "192.0.2.8:53", inode: 1016},
	{proto: diag.UDP, state: diag.Close, local: "[fe80::1]:546", remote: "[::]:0", inode: 1017},
	{proto: diag.UDPLite, state: diag.Close, local: "0.0.0.0:53", remote: "0.0.0.0:0", inode: 1018},
	{proto: diag.UDPLite, state: diag.Established, local: "[::1]:53", remote: "[::1]:40015", inode: 1019},
	{proto: diag.Raw, state: diag.Close, local: "0.0.0.0:1", remote: "0.0.0.0:0", rq: 768, inode: 1020},
	{proto: diag.Raw, state: diag.Established, local: "[::]:58", remote: "[::1]:0", inode: 1021},
}

func program(inode uint32) (pid int32, argv0 string, ok bool) {
	switch inode {
	case 1001, 1003, 1009:
		return 193, "/usr/sbin/sshd", true
	case 1002, 1015:
		return 4194304, "systemd-resolved", true
	case 1010:
		return 7, "we ird\x1b[31m", true
	case 1011:
		return 9, "", true
	}
	return 0, "", false
}

func TestGolden(t *testing.T) {
	numeric := Options{Which: All}
	named := Options{Which: All, Host: hosts, Service: services, User: users}
	set := func(o Options, f func(*Options)) Options { f(&o); return o }
	for name, o := range map[string]Options{
		"an":     numeric,
		"ln":     set(numeric, func(o *Options) { o.Which = Servers }),
		"n":      set(numeric, func(o *Options) { o.Which = Connected }),
		"anW":    set(numeric, func(o *Options) { o.Wide = true }),
		"anepo":  set(numeric, func(o *Options) { o.Extend, o.Programs, o.Timers, o.Program = true, true, true, program }),
		"ne":     set(numeric, func(o *Options) { o.Which, o.Extend = Connected, true }),
		"ano":    set(numeric, func(o *Options) { o.Timers = true }),
		"anp":    set(numeric, func(o *Options) { o.Programs, o.Program = true, program }),
		"a":      named,
		"aW":     set(named, func(o *Options) { o.Wide = true }),
		"aepo":   set(named, func(o *Options) { o.Extend, o.Programs, o.Timers, o.Program = true, true, true, program }),
		"a-port": set(named, func(o *Options) { o.Service = nil }),
		"a-host": set(named, func(o *Options) { o.Host = nil }),
	} {
		t.Run(name, func(t *testing.T) {
			table := New(o)
			out := table.AppendHeader(nil)
			for _, k := range host {
				out = table.Append(out, k.build(t))
			}
			golden(t, name, out)
		})
	}
}

func TestLinesDoNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 64<<10)
	for name, o := range map[string]Options{
		"-an":    {Which: All},
		"-anepo": {Which: All, Extend: true, Programs: true, Timers: true, Program: program},
		"-aepo":  {Which: All, Extend: true, Programs: true, Timers: true, Program: program, User: users},
	} {
		table := New(o)
		for _, k := range host {
			if k.proto == diag.SCTP {
				continue
			}
			s := k.build(t)
			table.Append(buf, s) // the first listener makes the map of listeners
			if n := testing.AllocsPerRun(100, func() { table.Append(buf, s) }); n != 0 {
				t.Errorf("%s %v %v: %v allocations a line", name, k.proto, k.state, n)
			}
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for name, o := range map[string]Options{
		"an":    {Which: All},
		"anepo": {Which: All, Extend: true, Programs: true, Timers: true, Program: program},
	} {
		for family, k := range map[string]sock{"tcp": host[3], "tcp6": host[16]} {
			b.Run(name+"/"+family, func(b *testing.B) {
				table, s := New(o), k.build(b)
				buf := make([]byte, 0, 1024)
				b.ReportAllocs()
				for b.Loop() {
					buf = table.Append(buf[:0], s)
				}
			})
		}
	}
}
