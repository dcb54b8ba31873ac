package list

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/diag/owner"
)

// told runs the verb over a kernel that answers as told.
func told(t *testing.T, answer func(diagtest.Request) []diagtest.Datagram, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, words bytes.Buffer
	env := &cli.Env{Ctx: t.Context(), Args: append([]string{"list"}, args...), Stdout: &out, Stderr: &words,
		Getenv: func(string) string { return "" }, Kernel: diagtest.NewKernel(t, answer).Config(), Owners: owner.Config{Backend: owner.None}}
	status = Main(env)
	return out.String(), words.String(), status
}

// connection is an established TCP connection as the kernel sends it (struct inet_diag_msg of linux/inet_diag.h).
func connection(local, remote string) []byte {
	l, r := netip.MustParseAddrPort(local), netip.MustParseAddrPort(remote)
	b := make([]byte, 72)
	b[0], b[1] = byte(diag.IPv4), byte(diag.Established)
	binary.BigEndian.PutUint16(b[4:], l.Port())
	binary.BigEndian.PutUint16(b[6:], r.Port())
	copy(b[8:], l.Addr().AsSlice())
	copy(b[24:], r.Addr().AsSlice())
	return b
}

const byFamily = 20 // SOCK_DIAG_BY_FAMILY

// twoConnections are what each request for established TCP sockets over IPv4 is answered with.
func twoConnections(r diagtest.Request) (d diagtest.Datagram) {
	if r.Protocol() == diag.TCP && r.Family() != diag.IPv6 && r.States().Has(diag.Established) {
		d = d.Append(r, byFamily, 2, connection("192.0.2.1:1", "192.0.2.2:22"))
		d = d.Append(r, byFamily, 2, connection("192.0.2.1:2", "192.0.2.2:23"))
	}
	return d
}

// A kernel that does not take the bytecode is asked without, and the filter is evaluated here.
func TestRefusedBytecode(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EPERM, syscall.EINVAL} {
		var asked atomic.Int32
		out, words, status := told(t, func(r diagtest.Request) []diagtest.Datagram {
			if r.Bytecode() != nil {
				asked.Add(1)
				return []diagtest.Datagram{diagtest.Datagram{}.Error(r, errno)}
			}
			return []diagtest.Datagram{twoConnections(r).Done(r)}
		}, "-4t", "-o", "csv", "-c", "peer_port", "dport = 22")
		if out != "peer_port\n22\n" || words != "" || status != cli.ExitOK || asked.Load() == 0 {
			t.Errorf("%v: %q, %q, status %d, %d requests with bytecode", errno, out, words, status, asked.Load())
		}
	}
}

// What came before an error is shown in every format, which is whole by its own rules; that it may not be all is said, and is the status.
func TestPartialAnswers(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"-o json -c peer_port", "[\n{\"peer_port\":22},\n{\"peer_port\":23}\n]\n"},
		{"-o ndjson -c peer_port", "{\"peer_port\":22}\n{\"peer_port\":23}\n"},
		{"-o csv -c peer_port", "peer_port\n22\n23\n"},
		{"-o tsv -c peer_port", "peer_port\n22\n23\n"},
		{"-c peer_port", "PEER-PORT\n       22\n       23\n"},
		{"-o wide -c peer_port", "PEER-PORT\n       22\n       23\n"},
		{"-o json -c peer_port -s peer_port:desc", "[\n{\"peer_port\":23},\n{\"peer_port\":22}\n]\n"},
		{"-g state", "STATE        COUNT\nestablished      2\n"},
		{"-o json -g state", "[\n{\"state\":\"established\",\"count\":2}\n]\n"},
	} {
		out, words, status := told(t, func(r diagtest.Request) []diagtest.Datagram {
			d := twoConnections(r)
			if len(d) == 0 {
				return []diagtest.Datagram{d.Done(r)}
			}
			return []diagtest.Datagram{d, diagtest.Datagram{}.Error(r, syscall.ENOMEM)}
		}, append(strings.Fields(tt.args), "-4t")...)
		if out != tt.want || status != cli.ExitFailed || !strings.HasPrefix(words, "sockeye: ") || !strings.Contains(words, "partial") {
			t.Errorf("%s: %q, status %d, %q, want %q", tt.args, out, status, words, tt.want)
		}
	}
}

// holders: each socket is held by three processes, two of which have one name.
type holders struct{}

func (holders) Owners(dst []owner.Owner, _ uint32) []owner.Owner {
	return append(dst, owner.Owner{PID: 100, FD: 3}, owner.Owner{PID: 200, FD: 3}, owner.Owner{PID: 300, FD: 3})
}

var workers = map[int32]*owner.Process{
	100: {PID: 100, Known: true, Comm: "server"}, 200: {PID: 200, Known: true, Comm: "other"}, 300: {PID: 300, Known: true, Comm: "server"},
}

func (holders) Process(pid int32) *owner.Process { return workers[pid] }

func (holders) Denied() int { return 1 }

// What is done with each socket takes no memory.
func TestNoAllocation(t *testing.T) {
	c, err := diag.Dial(diagtest.Load(t, "../../../testdata/scene.nl").Replay(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var socks []*diag.InetSocket
	for _, p := range []diag.Protocol{diag.TCP, diag.UDP} {
		for s, err := range c.Inet(t.Context(), diag.InetQuery{Protocol: p, Ext: 0xff}) {
			if err != nil {
				t.Fatal(err)
			}
			socks = append(socks, s.Clone())
			socks[len(socks)-1].Cookie = uint64(len(socks)) // which the recording has not
		}
	}
	if len(socks) < 60 {
		t.Fatalf("the recording has only %d sockets", len(socks))
	}
	env := &cli.Env{Ctx: t.Context(), Stdout: io.Discard, Stderr: io.Discard, Getenv: func(string) string { return "" }}
	for _, line := range []string{
		"-c +rtt,retrans,no_owner,user --color=always", "-o wide", "-o json", "-o csv -c +rtt,local,owner,process", "-s rtt:desc,peer,process -n 3", "-o ndjson -w 1s",
		"-g state,peer/24,process,local_port,accept_full -c count,sum(rtt),max(send_q)", "--summary",
	} {
		o, _, err := Parse(strings.Fields(line))
		if err != nil {
			t.Fatal(err)
		}
		l, err := newLister(env, o, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		l.context.Owners = holders{}
		l.waited = true
		if o.Watch > 0 {
			l.context.Watch = &field.Watch{}
			l.context.Watch.Begin(time.Unix(1000, 0))
		}
		all := func() {
			for _, s := range socks {
				if err := l.socket(s); err != nil {
					t.Fatal(err)
				}
			}
		}
		for range 8192 / len(socks) { // buffers are as large as they become
			all()
		}
		if w := l.context.Watch; w != nil { // a round in which the sockets are known
			w.Begin(time.Unix(1001, 0))
			all()
		}
		if n := testing.AllocsPerRun(10, all); n != 0 {
			t.Errorf("%s: %v allocations for %d sockets", line, n, len(socks))
		}
	}
}
