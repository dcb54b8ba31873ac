package diag

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
)

// procAddrText is an address as /proc prints it: 32-bit words in the machine's order.
func procAddrText(a netip.Addr) string {
	var b strings.Builder
	raw := a.AsSlice()
	for i := 0; i < len(raw); i += 4 {
		fmt.Fprintf(&b, "%08X", binary.NativeEndian.Uint32(raw[i:]))
	}
	return b.String()
}

func TestParseProc(t *testing.T) {
	v4, v6 := procAddrText(netip.MustParseAddr("192.0.2.1")), procAddrText(netip.MustParseAddr("2001:db8::1"))
	local4, local6 := netip.MustParseAddrPort("192.0.2.1:4660"), netip.MustParseAddrPort("[2001:db8::1]:4660")
	zero4, zero6 := netip.MustParseAddrPort("0.0.0.0:0"), netip.MustParseAddrPort("[::]:0")
	for _, tt := range []struct {
		line string
		p    Protocol
		f    Family
		want InetSocket
	}{
		// get_tcp4_sock of net/ipv4/tcp_ipv4.c: retransmitting, with a timer of 2.5 s
		{"   0: " + v4 + ":1234 00000000:0000 01 0000000A:00000005 01:000000FA 00000003  1000        0 123456 2 0000000000000000 100 4 30 10 -1",
			TCP, IPv4, InetSocket{State: Established, Local: local4, Remote: zero4, WQueue: 10, RQueue: 5, Timer: TimerOn,
				Expires: 2500 * time.Millisecond, Retrans: 3, UID: 1000, Inode: 123456}},
		// keepalive with two unanswered probes
		{"  12: " + v4 + ":1234 00000000:0000 01 00000000:00000000 02:00000064 00000000     0        2 1 1 0000000000000000",
			TCP, IPv4, InetSocket{State: Established, Local: local4, Remote: zero4, Timer: TimerKeepalive, Expires: time.Second, Retrans: 2, Inode: 1}},
		// no timer: what stands in its place is not a time
		{"  12: " + v4 + ":1234 00000000:0000 0A 00000000:00000002 00:00000064 00000009     0        9 1 1 0000000000000000",
			TCP, IPv4, InetSocket{State: Listen, Local: local4, Remote: zero4, RQueue: 2, Inode: 1}},
		// get_timewait4_sock
		{"   3: " + v4 + ":1234 00000000:0000 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0000000000000000",
			TCP, IPv4, InetSocket{State: TimeWait, Local: local4, Remote: zero4, Timer: TimerTimeWait, Expires: time.Minute}},
		// get_tcp6_sock
		{"   0: " + v6 + ":1234 00000000000000000000000000000000:0000 07 FFFFFFFF:00000000 00:00000000 00000000 4294967295        0 4294967295 2 0 0",
			UDP, IPv6, InetSocket{State: Close, Local: local6, Remote: zero6, WQueue: 1<<32 - 1, UID: 1<<32 - 1, Inode: 1<<32 - 1}},
		// raw_sock_seq_show: the port is the protocol
		{" 1234: " + v4 + ":1234 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 77 2 0000000000000000 9",
			Raw, IPv4, InetSocket{State: Close, Local: local4, Remote: zero4, Inode: 77}},
	} {
		var s InetSocket
		if !s.parseProc([]byte(tt.line), tt.p, tt.f) {
			t.Errorf("not understood: %s", tt.line)
			continue
		}
		tt.want.Protocol, tt.want.Family, tt.want.Source = tt.p, tt.f, FromProc
		same(t, &s, &tt.want)
	}
}

func TestParseProcBrokenLines(t *testing.T) {
	good := "   0: 0100007F:1234 00000000:0000 01 00000000:00000000 01:00000000 00000000  1000        0 123456 2"
	var s InetSocket
	if !s.parseProc([]byte(good), TCP, IPv4) {
		t.Fatal("the good line is not understood")
	}
	for _, bad := range []string{
		"", "   0:", good[:40],
		strings.Replace(good, "0100007F", "0100007", 1), strings.Replace(good, "0100007F", "0100007G", 1),
		strings.Replace(good, "0100007F:", "0100007F ", 1), strings.Replace(good, ":1234", ":12345", 1),
		strings.Replace(good, " 01 ", " 1FF ", 1), strings.Replace(good, " 01 ", " x ", 1),
		strings.Replace(good, "00000000:00000000", "00000000", 1), strings.Replace(good, "00000000:00000000", "100000000:00000000", 1),
		strings.Replace(good, " 1000 ", " -1 ", 1), strings.Replace(good, " 1000 ", " 0x10 ", 1),
		strings.Replace(good, "123456", "4294967296", 1), strings.Replace(good, "123456", "99999999999999999999", 1),
		strings.Replace(good, " 123456 2", "", 1),
	} {
		if s.parseProc([]byte(bad), TCP, IPv4) {
			t.Errorf("taken: %q: %+v", bad, s)
		}
	}
	if s.parseProc([]byte(good), TCP, IPv6) {
		t.Error("an IPv4 line was taken for IPv6")
	}
}

// noSocket is a system without sock_diag.
func noSocket() (*netlink.Conn, error) { return nil, syscall.EPROTONOSUPPORT }

// tables makes a procfs with tables for a Conn whose kernel has no sock_diag.
func tables(t *testing.T, files map[string]string) *Conn {
	t.Helper()
	proc := t.TempDir()
	dir := filepath.Join(proc, "thread-self", "net")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &Conn{cfg: Config{Proc: proc, Socket: noSocket, Timeout: time.Second}}
}

func TestProcTables(t *testing.T) {
	const heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	line := func(f Family, st State, inode int) string {
		zero := strings.Repeat("0", 8)
		if f == IPv6 {
			zero = strings.Repeat("0", 32)
		}
		return fmt.Sprintf("   0: %s:0050 %s:0000 %02X 00000000:00000000 00:00000000 00000000     0        0 %d 2 0 0\n", zero, zero, uint8(st), inode)
	}
	many := strings.Repeat(line(IPv4, Close, 9), 300)
	c := tables(t, map[string]string{
		"tcp":      heading + line(IPv4, Listen, 1) + "nonsense\n" + line(IPv4, Established, 2),
		"tcp6":     heading + line(IPv6, Listen, 3),
		"udplite":  heading + many, // and no udplite6: the system has no IPv6
		"raw":      heading,
		"raw6":     heading + line(IPv6, Close, 4) + strings.Repeat("x", 70000) + "\n", // longer than any line
		"icmp":     heading + line(IPv4, Close, 5),
		"sockstat": "",
	})
	for _, tt := range []struct {
		q      InetQuery
		inodes string // or how many
		broken int
		err    error
		text   string
	}{
		{InetQuery{Family: IPv4}, "[1 2]", 1, nil, ""},
		{InetQuery{}, "[1 2 3]", 1, nil, ""},
		{InetQuery{AnyOrder: true}, "[1 2 3]", 1, nil, ""},
		{InetQuery{States: StatesOf(Listen)}, "[1 3]", 1, nil, ""},
		{InetQuery{States: StatesOf(TimeWait)}, "[]", 1, nil, ""},
		{InetQuery{Protocol: UDPLite}, "300", 0, nil, ""},
		{InetQuery{Protocol: UDPLite, Family: IPv6}, "[]", 0, nil, ""},
		{InetQuery{Protocol: Raw, Family: IPv4}, "[]", 0, nil, ""},
		{InetQuery{Protocol: Raw}, "[]", 0, bufio.ErrTooLong, "read /proc/net/raw6: "},
		{InetQuery{Protocol: UDP}, "[]", 0, errors.ErrUnsupported, "open sock_diag socket: the kernel has no handler"},
		{InetQuery{Protocol: SCTP}, "[]", 0, errors.ErrUnsupported, "open sock_diag socket: the kernel has no handler"},
		{InetQuery{Protocol: ICMP}, "[]", 0, errors.ErrUnsupported, "open sock_diag socket: the kernel has no handler"},
	} {
		inodes := []uint32{}
		broken := 0
		var last error
		for b, err := range c.InetBatches(t.Context(), tt.q, nil) {
			if last = err; err != nil {
				break
			}
			for s := range b.Inet() {
				inodes = append(inodes, s.Inode)
			}
			broken += b.Broken()
		}
		got := fmt.Sprint(inodes)
		if tt.inodes[0] != '[' {
			got = fmt.Sprint(len(inodes))
		}
		if got != tt.inodes || broken != tt.broken {
			t.Errorf("%v: inodes %s, %d broken, want %s, %d", tt.q.op(tt.q.Family), got, broken, tt.inodes, tt.broken)
		}
		switch {
		case tt.err == nil && last != nil, tt.err != nil && (!errors.Is(last, tt.err) || !strings.HasPrefix(last.Error(), tt.text)),
			errors.Is(last, fs.ErrNotExist), tt.q.Protocol == SCTP && errors.Is(last, ErrPartial):
			t.Errorf("%v: error %v, want %q", tt.q.op(tt.q.Family), last, tt.text)
		}
	}
}

func FuzzParseProc(f *testing.F) {
	f.Add([]byte("   0: 0100007F:1234 00000000:0000 01 00000000:00000000 01:00000000 00000000  1000        0 123456 2"), true)
	f.Add([]byte("   0: 00000000000000000000000001000000:1234 00000000000000000000000000000000:0000 0A 0:0 3:0 0 0 0 0"), false)
	f.Add([]byte("sl local : : : : : :"), true)
	f.Fuzz(func(t *testing.T, line []byte, v4 bool) {
		family := IPv6
		if v4 {
			family = IPv4
		}
		var s InetSocket
		if !s.parseProc(line, TCP, family) {
			return
		}
		if s.Local.Addr().Is4() != v4 || s.Remote.Addr().Is4() != v4 || s.Family != family || s.Source != FromProc || s.Expires < 0 {
			t.Errorf("%q: %+v", line, s)
		}
		if _, ok := s.Attr(AttrInfo); ok || s.Cookie != 0 {
			t.Errorf("%q: attributes out of nothing", line)
		}
	})
}
