package ss

import (
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/render/names"
)

// cutLine cuts the first line off.
func cutLine(s string) (line, rest string, ok bool) { return strings.Cut(s, "\n") }

// ext returns the extensions that are printed for a message.
func ext(t testing.TB, opt Options, m message) string {
	t.Helper()
	opt.NoHeader, opt.NoQueues = true, true
	opt.Services = &names.Services{File: "testdata/services"}
	opt.Cgroups = &names.Cgroups{Root: t.TempDir()}
	m.src, m.dst = "", ""
	got := printed(t, opt, m)
	const addrs = "192.0.2.1:1000 198.51.100.2:2000"
	rest, ok := strings.CutPrefix(got, addrs)
	if !ok {
		t.Fatalf("%q does not begin with %q", got, addrs)
	}
	return strings.TrimSuffix(rest, "\n")
}

func TestTimer(t *testing.T) {
	for _, tt := range []struct {
		name string
		m    message
		want string
	}{
		{"none", message{timer: diag.TimerOff, expires: 5}, ""},
		{"on", message{timer: diag.TimerOn, expires: 200, retrans: 3}, " timer:(on,200ms,3)"},
		{"keepalive", message{timer: diag.TimerKeepalive, expires: 7140000}, " timer:(keepalive,119min,0)"},
		{"timewait", message{timer: diag.TimerTimeWait, expires: 34000}, " timer:(timewait,34sec,0)"},
		{"persist", message{timer: diag.TimerProbe, expires: 8740, retrans: 255}, " timer:(persist,8.740sec,255)"},
		{"delack", message{timer: diag.TimerDelack, expires: 40}, " timer:(delack,040ms,0)"},
		{"unknown", message{timer: 6, expires: 40}, " timer:(unknown,040ms,0)"},
		{"far away", message{timer: 255, expires: 40}, " timer:(unknown,040ms,0)"},
		{"due", message{timer: diag.TimerOn}, " timer:(on,,0)"},
		{"SCTP", message{proto: diag.SCTP, timer: diag.TimerKeepalive, expires: 1500}, " timer:(T3_RTX,1.500sec,0)"},
	} {
		if got := ext(t, Options{Timers: true}, tt.m); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := ext(t, Options{Cgroup: true}, message{timer: diag.TimerOn}); got != "" {
		t.Errorf("not asked for: %q", got)
	}
}

func TestDetails(t *testing.T) {
	for _, tt := range []struct {
		name string
		m    message
		want string
	}{
		{"uid 0 is left out", message{inode: 5, cookie: 0x1f}, " ino:5 sk:1f"},
		{"uid", message{uid: 1000, inode: 4294967295, cookie: 1<<64 - 1}, " uid:1000 ino:4294967295 sk:ffffffffffffffff"},
		{"no inode", message{}, " ino:0 sk:0"},
		{"timer first", message{timer: diag.TimerOn, expires: 1}, " timer:(on,001ms,0) ino:0 sk:0"},
		{"mark 0", message{attrs: attr(diag.AttrMark, 0)}, " ino:0 sk:0"},
		{"mark", message{attrs: attr(diag.AttrMark, 0x1234)}, " ino:0 sk:0 fwmark:0x1234"},
		{"cgroup without path", message{attrs: attr(diag.AttrCgroupID, uint64(0xdeadbeef))}, " ino:0 sk:0 cgroup:unreachable:deadbeef"},
		{"open", message{attrs: attr(diag.AttrShutdown, uint8(0))}, " ino:0 sk:0 <->"},
		{"receives no more", message{attrs: attr(diag.AttrShutdown, uint8(diag.RcvShutdown))}, " ino:0 sk:0 -->"},
		{"sends no more", message{attrs: attr(diag.AttrShutdown, uint8(diag.SendShutdown))}, " ino:0 sk:0 <--"},
		{"neither", message{attrs: attr(diag.AttrShutdown, uint8(3))}, " ino:0 sk:0 ---"},
		{"v6only of IPv4", message{attrs: attr(diag.AttrSKV6Only, uint8(1))}, " ino:0 sk:0"},
	} {
		if got := ext(t, Options{Timers: true, Extended: true}, tt.m); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	for v, want := range map[uint8]string{
		0: "*:22 *:* ino:0 sk:0 v6only:0\n", 1: "[::]:22 [::]:* ino:0 sk:0 v6only:1\n",
	} {
		m := message{src: "[::]:22", dst: "[::]:0", attrs: attr(diag.AttrSKV6Only, v)}
		got := printed(t, Options{Extended: true, NoHeader: true, NoQueues: true, Numeric: true}, m)
		if got != want {
			t.Errorf("v6only %d: %q, want %q", v, got, want)
		}
	}
}

func TestCgroup(t *testing.T) {
	root := t.TempDir()
	c := &names.Cgroups{Root: root}
	var b strings.Builder
	p := New(&b, Options{Cgroup: true, Extended: true, NoHeader: true, NoQueues: true, Numeric: true, Cgroups: c})
	m := message{attrs: attr(diag.AttrCgroupID, inodeOf(t, root))}
	if err := p.Inet(m.socket(t)); err != nil {
		t.Fatal(err)
	}
	p.Flush()
	if want := "192.0.2.1:1000 198.51.100.2:2000 ino:0 sk:0 cgroup:/ cgroup:/\n"; b.String() != want { // of -e and of --cgroup
		t.Errorf("%q, want %q", b.String(), want)
	}
	if got := ext(t, Options{Cgroup: true}, message{}); got != "" {
		t.Errorf("not told: %q", got)
	}
}

func TestTOS(t *testing.T) {
	for _, tt := range []struct {
		name  string
		attrs []byte
		want  string
	}{
		{"tos", attr(diag.AttrTOS, uint8(0x10)), " tos:0x10"},
		{"0", attr(diag.AttrTOS, uint8(0)), " tos:0"},
		{"tclass", attr(diag.AttrTClass, uint8(0x20)), " tclass:0x20"},
		{"class id", attr(diag.AttrClassID, 65536), " class_id:0x10000"},
		{"all, in order", append(attr(diag.AttrClassID, 6), append(attr(diag.AttrTClass, uint8(0)), attr(diag.AttrTOS, uint8(1))...)...),
			" tos:0x1 tclass:0 class_id:0x6"},
		{"none", nil, ""},
	} {
		if got := ext(t, Options{TOS: true}, message{attrs: tt.attrs}); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestSockOpt(t *testing.T) {
	for _, tt := range []struct {
		name    string
		oneLine bool
		attrs   []byte
		want    string
	}{
		{"none told", false, nil, ""},
		{"none set", false, attr(diag.AttrSockOpt, uint16(0)), "\n\tinet-sockopt: ()"},
		{"one", false, attr(diag.AttrSockOpt, uint16(1)), "\n\tinet-sockopt: ( recverr)"},
		{"-O", true, attr(diag.AttrSockOpt, uint16(2)), " inet-sockopt: ( is_icsk)"},
		{"all", true, attr(diag.AttrSockOpt, uint16(0xffff)), " inet-sockopt: ( recverr is_icsk freebind hdrincl mc_loop transparent" +
			" mc_all nodefrag bind_addr_no_port recverr_rfc4884 defer_connect)"},
	} {
		if got := ext(t, Options{SockOpt: true, OneLine: tt.oneLine}, message{attrs: tt.attrs}); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestMemory(t *testing.T) {
	mem := attr(diag.AttrMemInfo, 1, 2, 3, 4)
	for _, tt := range []struct {
		name  string
		attrs []byte
		want  string
	}{
		{"not told: the line is there", nil, "\n\t"},
		{"kernel before 3.15", attr(diag.AttrSKMemInfo, 1, 2, 3, 4, 5, 6, 7), "\n\t skmem:(r1,rb2,t3,tb4,f5,w6,o7)"},
		{"kernel before 4.7", attr(diag.AttrSKMemInfo, 1, 2, 3, 4, 5, 6, 7, 8), "\n\t skmem:(r1,rb2,t3,tb4,f5,w6,o7,bl8)"},
		{"both", append(attr(diag.AttrSKMemInfo, 1, 2, 3, 4, 5, 6, 7, 8, 9), mem...), "\n\t skmem:(r1,rb2,t3,tb4,f5,w6,o7,bl8,d9)"},
		{"kernel before 3.6", mem, "\n\t mem:(r1,w2,f3,t4)"},
	} {
		if got := ext(t, Options{Memory: true}, message{attrs: tt.attrs}); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if got, want := ext(t, Options{Memory: true, OneLine: true}, message{attrs: tt.attrs}), strings.TrimPrefix(tt.want, "\n\t"); got != want {
			t.Errorf("%s, -O: %q, want %q", tt.name, got, want)
		}
	}
}

// TestSecondLine: -m and -i begin one, but -i alone not for UDP.
func TestSecondLine(t *testing.T) {
	for _, tt := range []struct {
		proto        diag.Protocol
		memory, info bool
		want         string
	}{
		{diag.TCP, false, false, ""},
		{diag.TCP, false, true, "\n\t"},
		{diag.TCP, true, false, "\n\t"},
		{diag.UDP, false, true, ""},
		{diag.UDP, true, true, "\n\t"},
		{diag.MPTCP, false, true, "\n\t"},
		{diag.SCTP, false, true, "\n\t"},
	} {
		if got := ext(t, Options{Memory: tt.memory, Info: tt.info}, message{proto: tt.proto}); got != tt.want {
			t.Errorf("%v, -m %v, -i %v: %q, want %q", tt.proto, tt.memory, tt.info, got, tt.want)
		}
	}
}

// TestProcRows: what was read from /proc/net has no cookie, and for other protocols than TCP ss shows nothing of it.
func TestProcRows(t *testing.T) {
	all := Options{
		Timers: true, Extended: true, Memory: true, Info: true, TOS: true, Cgroup: true, SockOpt: true,
		NoHeader: true, NoQueues: true, Numeric: true,
	}
	for _, tt := range []struct {
		proto diag.Protocol
		want  string
	}{
		{diag.TCP, "192.0.2.1:1000 198.51.100.2:2000 timer:(on,1sec,0) uid:7 ino:8\n"},
		{diag.UDP, "192.0.2.1:1000 198.51.100.2:2000\n"},
		{diag.Raw, "192.0.2.1:1000 198.51.100.2:2000\n"},
	} {
		s := message{proto: tt.proto, timer: diag.TimerOn, expires: 1000, uid: 7, inode: 8}.socket(t)
		s.Source = diag.FromProc
		var b strings.Builder
		p := New(&b, all)
		if err := p.Inet(s); err != nil {
			t.Fatal(err)
		}
		p.Flush()
		if b.String() != tt.want {
			t.Errorf("%v: %q, want %q", tt.proto, b.String(), tt.want)
		}
	}
}
