package table

import (
	"bytes"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/diag/owner"
)

// fakeOwners: inode 7 is held by many, inode 8 by a process with an odd name that holds it twice, inode 11 by
// one whose name looks like an owner.
type fakeOwners struct{}

func (fakeOwners) Owners(dst []owner.Owner, inode uint32) []owner.Owner {
	switch inode {
	case 7:
		for pid := range int32(6) {
			dst = append(dst, owner.Owner{PID: 10 + pid, FD: 3})
		}
	case 8:
		dst = append(dst, owner.Owner{PID: 99, FD: 3}, owner.Owner{PID: 99, FD: 4})
	case 9:
		dst = append(dst, owner.Owner{PID: 1000, FD: 0})
	case 11:
		dst = append(dst, owner.Owner{PID: 1001, FD: 0})
	}
	return dst
}

func (fakeOwners) Process(pid int32) *owner.Process {
	switch pid {
	case 99:
		return &owner.Process{PID: pid, Known: true, Comm: "a\x1b[31mb"}
	case 1000:
		return &owner.Process{PID: pid}
	case 1001:
		return &owner.Process{PID: pid, Known: true, Comm: "x[1] \n"}
	}
	return &owner.Process{PID: pid, Known: true, Comm: "w"}
}

func (fakeOwners) Denied() int { return 0 }

// standard is a printer with the default columns.
func standard(t *testing.T, w io.Writer, c *field.Context) *Printer {
	t.Helper()
	p := &Printer{W: w}
	for _, name := range DefaultNames {
		col, ok := Default(c, name)
		if !ok {
			t.Fatalf("there is no column %s", name)
		}
		p.Columns = append(p.Columns, col)
	}
	return p
}

func sample() []diag.InetSocket {
	ap := netip.MustParseAddrPort
	return []diag.InetSocket{
		{Family: diag.IPv4, Protocol: diag.TCP, State: diag.Listen, WQueue: 4096, Local: ap("0.0.0.0:22"), Remote: ap("0.0.0.0:0"), Inode: 7},
		{Family: diag.IPv6, Protocol: diag.TCP, State: diag.Established, RQueue: 12, Local: ap("[fe80::1]:443"), Remote: ap("[fe80::2]:51000"), Interface: 2,
			Timer: diag.TimerKeepalive, Expires: 119*time.Minute + 5*time.Second, Inode: 8},
		{Family: diag.IPv4, Protocol: diag.TCP, State: diag.SynSent, Local: ap("10.0.0.1:40000"), Remote: ap("10.0.0.2:80"), Timer: diag.TimerOn, Expires: 2500 * time.Millisecond,
			Retrans: 3, Inode: 9},
		{Family: diag.IPv4, Protocol: diag.TCP, State: diag.TimeWait, Local: ap("10.0.0.1:40001"), Remote: ap("10.0.0.2:80"), Timer: diag.TimerTimeWait, Expires: 59 * time.Second},
		{Family: diag.IPv4, Protocol: diag.UDP, State: diag.Close, Local: ap("127.0.0.1:323"), Remote: ap("0.0.0.0:0"), Interface: 9, Inode: 11},
	}
}

const want = `PROTO  STATE      RECV-Q  SEND-Q  LOCAL               PEER             TIMER            OWNER
tcp    LISTEN          0    4096  0.0.0.0:22          *                -                w[10] w[11] w[12] w[13] +2
tcp6   ESTAB          12       0  [fe80::1%eth0]:443  [fe80::2]:51000  keepalive 1h59m  a\033[31mb[99]
tcp    SYN-SENT        0       0  10.0.0.1:40000      10.0.0.2:80      on 2.5s x3       ?[1000]
tcp    TIME-WAIT       0       0  10.0.0.1:40001      10.0.0.2:80      timewait 59.0s   -
udp    UNCONN          0       0  127.0.0.1%9:323     *                -                "x[1] \012"[1001]
`

func TestPrinter(t *testing.T) {
	var out bytes.Buffer
	p := standard(t, &out, &field.Context{Owners: fakeOwners{}, Device: func(i uint32) (string, bool) { return "eth0", i == 2 }})
	socks := sample()
	for i := range socks {
		if err := p.Row(p.AppendRow(nil, &socks[i])); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPrinterHeadings(t *testing.T) {
	var out bytes.Buffer
	p := standard(t, &out, &field.Context{})
	if err := p.Flush(); err != nil || out.String() != "PROTO  STATE  RECV-Q  SEND-Q  LOCAL  PEER  TIMER  OWNER\n" {
		t.Errorf("no socket: %q, %v", out.String(), err)
	}
	out.Reset()
	p = standard(t, &out, &field.Context{})
	p.NoHeader = true
	if err := p.Flush(); err != nil || out.Len() != 0 {
		t.Errorf("no socket, no header: %q, %v", out.String(), err)
	}
}

// Blocks only widen, and a block does not allocate once there was one.
func TestPrinterBlocks(t *testing.T) {
	var out bytes.Buffer
	p := standard(t, &out, &field.Context{Owners: fakeOwners{}})
	socks := sample()
	var row []byte
	show := func(s *diag.InetSocket) {
		row = p.AppendRow(row[:0], s)
		if err := p.Row(row); err != nil {
			t.Fatal(err)
		}
	}
	for range block {
		show(&socks[0])
	}
	show(&socks[1])
	p.Flush()
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != block+2 {
		t.Fatalf("%d lines, want %d", len(lines), block+2)
	}
	if a, b := strings.Index(lines[0], "PEER"), strings.Index(lines[block+1], "[fe80::2]"); b < a {
		t.Errorf("a later block is narrower: %d, %d", a, b)
	}
	p = standard(t, &out, &field.Context{Owners: fakeOwners{}})
	run := func() {
		out.Reset()
		for i := range 1000 {
			show(&socks[i%2])
		}
		p.Flush()
	}
	run()
	if n := testing.AllocsPerRun(10, run); n > 5 {
		t.Errorf("%v allocations for 1000 sockets", n)
	}
}
