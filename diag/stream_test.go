package diag_test

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
)

// attr is a netlink attribute of the values, in the machine's byte order.
func attr(typ uint16, values ...any) []byte {
	v := native(values...)
	ne := binary.NativeEndian
	b := ne.AppendUint16(nil, uint16(4+len(v)))
	b = append(ne.AppendUint16(b, typ), v...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// native puts numbers and bytes one behind the other.
func native(values ...any) (b []byte) {
	for _, v := range values {
		var err error
		if b, err = binary.Append(b, binary.NativeEndian, v); err != nil {
			panic(err)
		}
	}
	return b
}

// families are the dumps of the smaller families: what is asked, how a socket is answered, and what it takes to see it.
var families = []struct {
	name    string
	family  byte
	request int // bytes
	message []byte
	table   string // below /proc/net
	line    string // of it, behind the headings
	count   func(t testing.TB, c *diag.Conn) (n int, err error)
}{
	{"unix", unix.AF_UNIX, 24, native(uint8(1), uint8(1), uint8(1), uint8(0), uint32(1), uint64(0)), "unix",
		"0000000000000000: 00000003 00000000 00000000 0001 03   157\n",
		func(t testing.TB, c *diag.Conn) (int, error) { return count(c.Unix(t.Context(), diag.UnixQuery{})) }},
	{"netlink", unix.AF_NETLINK, 24, native(uint8(16), uint8(3), uint8(0), uint8(7), make([]uint32, 6)), "netlink",
		"0000000000000000 0   1          00000000 0        0        0     2        0        7\n",
		func(t testing.TB, c *diag.Conn) (int, error) {
			return count(c.Netlink(t.Context(), diag.NetlinkQuery{Protocol: diag.NetlinkAll}))
		}},
	{"packet", unix.AF_PACKET, 20, native(uint8(17), uint8(3), uint16(3), make([]uint32, 3)), "packet",
		"0000000000000000 3      3    0003   1     1 0      0      7\n",
		func(t testing.TB, c *diag.Conn) (int, error) { return count(c.Packet(t.Context(), diag.PacketQuery{})) }},
	{"vsock", unix.AF_VSOCK, 24, native(uint8(40), uint8(1), uint8(1), uint8(0), make([]uint32, 7)), "", "",
		func(t testing.TB, c *diag.Conn) (int, error) { return count(c.VSock(t.Context(), diag.VSockQuery{})) }},
	{"xdp", unix.AF_XDP, 20, native(uint8(44), uint8(3), uint16(0), make([]uint32, 3)), "", "",
		func(t testing.TB, c *diag.Conn) (int, error) { return count(c.XDP(t.Context(), diag.XDPQuery{})) }},
	{"tipc", unix.AF_TIPC, 8, attr(2, attr(6, uint32(1))), "", "",
		func(t testing.TB, c *diag.Conn) (int, error) { return count(c.TIPC(t.Context(), diag.TIPCQuery{})) }},
}

func count[S any](list func(yield func(*S, error) bool)) (n int, err error) {
	list(func(_ *S, e error) bool {
		if err = e; e == nil {
			n++
		}
		return true
	})
	return n, err
}

func TestStreamFaults(t *testing.T) {
	for _, f := range families {
		socks := func(d diagtest.Datagram, r diagtest.Request, n int) diagtest.Datagram {
			for range n {
				d = d.Append(r, 20, unix.NLM_F_MULTI, f.message)
			}
			return d
		}
		one := func(d diagtest.Datagram) []diagtest.Datagram { return []diagtest.Datagram{d} }
		for _, tt := range []struct {
			name     string
			answer   func(r diagtest.Request, n int) []diagtest.Datagram // to the nth request
			socks    int
			class    string
			text     string
			requests int
		}{
			{"all is well", func(r diagtest.Request, _ int) []diagtest.Datagram {
				return []diagtest.Datagram{socks(nil, r, 3), socks(nil, r, 2).Done(r)}
			}, 5, "-", "", 1},
			{"none", func(r diagtest.Request, _ int) []diagtest.Datagram { return one(diagtest.Datagram{}.Done(r)) }, 0, "-", "", 1},
			{"busy twice", func(r diagtest.Request, n int) []diagtest.Datagram {
				if n < 3 {
					return one(diagtest.Datagram{}.Error(r, unix.EBUSY))
				}
				return one(socks(nil, r, 1).Done(r))
			}, 1, "-", "", 3},
			{"refused", func(r diagtest.Request, _ int) []diagtest.Datagram {
				return one(diagtest.Datagram{}.Error(r, unix.EPERM))
			},
				0, "permission", "dump " + f.name + ": operation not permitted", 1},
			{"no handler and no table", func(r diagtest.Request, _ int) []diagtest.Datagram {
				return one(diagtest.Datagram{}.Error(r, unix.ENOENT))
			},
				0, "unsupported", "dump " + f.name + ": the kernel has no handler for it: no such file or directory", 1},
			{"no handler in the middle", func(r diagtest.Request, _ int) []diagtest.Datagram {
				return one(socks(nil, r, 2).Error(r, unix.ENOENT))
			}, 2, "not-exist partial", "dump " + f.name, 1},
			{"interrupted", func(r diagtest.Request, _ int) []diagtest.Datagram {
				return one(socks(nil, r, 2).Append(r, unix.NLMSG_DONE, unix.NLM_F_DUMP_INTR, make([]byte, 4)))
			}, 2, "partial", "interrupted", 1},
			{"broken message", func(r diagtest.Request, _ int) []diagtest.Datagram {
				return one(socks(socks(nil, r, 2).Append(r, 20, unix.NLM_F_MULTI, []byte{5, 0, 0}).Append(r, 20, unix.NLM_F_MULTI,
					native(uint16(9), uint16(2))), r, 1).Done(r))
			}, 3, "partial", "messages could not be decoded", 1},
			{"silence", func(r diagtest.Request, _ int) []diagtest.Datagram { return one(socks(nil, r, 2)) },
				2, "deadline partial", "no answer", 1},
		} {
			t.Run(f.name+" "+tt.name, func(t *testing.T) {
				n := 0
				k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
					n++
					return tt.answer(r, n)
				})
				k.Hurry = tt.name == "silence" // once all is read that is sent
				cfg := k.Config()
				cfg.Timeout = time.Minute
				got, err := f.count(t, dial(t, cfg))
				if got != tt.socks || len(k.Requests()) != tt.requests {
					t.Errorf("%d sockets, %d requests, want %d, %d", got, len(k.Requests()), tt.socks, tt.requests)
				}
				r := k.Requests()[0]
				if r.Type != 20 || r.Flags&unix.NLM_F_DUMP != unix.NLM_F_DUMP || len(r.Data) != f.request || r.Data[0] != f.family {
					t.Errorf("request %+v", r)
				}
				switch {
				case tt.class == "-" && err != nil:
					t.Errorf("error %v", err)
				case tt.class != "-" && (err == nil || classOf(err) != tt.class || !strings.Contains(err.Error(), tt.text)):
					t.Errorf("error %v is %q, want %q, %q", err, classOf(err), tt.class, tt.text)
				}
			})
		}
	}
}

// withTables is a Conn without sock_diag, that sees tables of /proc/net.
func withTables(t testing.TB, files map[string]string) *diag.Conn {
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
	return dial(t, &diag.Config{Proc: proc, Socket: func() (*netlink.Conn, error) { return nil, syscall.EPROTONOSUPPORT }})
}

func TestStreamTables(t *testing.T) {
	for _, f := range families {
		n, err := f.count(t, withTables(t, nil))
		if n != 0 || !errors.Is(err, errors.ErrUnsupported) || errors.Is(err, diag.ErrPartial) {
			t.Errorf("%s without a table: %d sockets, %v", f.name, n, err)
		}
		if f.table == "" {
			continue
		}
		if n, err := f.count(t, withTables(t, map[string]string{f.table: "headings\n" + strings.Repeat(f.line, 300)})); n != 300 || err != nil {
			t.Errorf("%s: %d sockets, %v", f.name, n, err)
		}
		if n, err := f.count(t, withTables(t, map[string]string{f.table: "headings\n"})); n != 0 || err != nil {
			t.Errorf("%s, empty: %d sockets, %v", f.name, n, err)
		}
		n, err = f.count(t, withTables(t, map[string]string{f.table: "headings\n" + f.line + "nonsense\n\n" + f.line}))
		if n != 2 || !errors.Is(err, diag.ErrPartial) || !strings.Contains(err.Error(), "2 messages could not be decoded") {
			t.Errorf("%s, broken: %d sockets, %v", f.name, n, err)
		}
		n, err = f.count(t, withTables(t, map[string]string{f.table: "headings\n" + f.line + strings.Repeat("x", 70_000)}))
		if n != 1 || !errors.Is(err, diag.ErrPartial) || !strings.HasPrefix(err.Error(), "read /proc/net/"+f.table) {
			t.Errorf("%s, long: %d sockets, %v", f.name, n, err)
		}
	}
}

func TestReadTables(t *testing.T) {
	for _, f := range families {
		var read func(r io.Reader) (int, error)
		switch f.name {
		case "unix":
			read = func(r io.Reader) (int, error) { return count(diag.ReadUnix(r)) }
		case "netlink":
			read = func(r io.Reader) (int, error) { return count(diag.ReadNetlink(r)) }
		case "packet":
			read = func(r io.Reader) (int, error) { return count(diag.ReadPacket(r)) }
		default:
			continue
		}
		for text, want := range map[string]int{"": 0, "headings\n": 0, "headings\n" + f.line + f.line: 2} {
			if n, err := read(strings.NewReader(text)); n != want || err != nil {
				t.Errorf("%s: %q: %d sockets, %v", f.name, text, n, err)
			}
		}
		n, err := read(strings.NewReader("headings\n" + f.line + "nonsense\n" + f.line))
		if n != 2 || !errors.Is(err, diag.ErrPartial) || !strings.Contains(err.Error(), "1 lines could not be read") {
			t.Errorf("%s: %d sockets, %v", f.name, n, err)
		}
	}
}

// Allocations of a dump do not grow with the sockets.
func TestStreamDoesNotAllocatePerSocket(t *testing.T) {
	withoutGC(t)
	for _, f := range families {
		var n atomic.Int64
		k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
			d := diagtest.Datagram{}
			for range n.Load() {
				d = d.Append(r, 20, unix.NLM_F_MULTI, f.message)
			}
			return []diagtest.Datagram{d.Done(r)}
		})
		c := dial(t, k.Config())
		per := func(sockets int) float64 {
			n.Store(int64(sockets))
			return testing.AllocsPerRun(5, func() {
				if got, err := f.count(t, c); got != sockets || err != nil {
					t.Fatal(got, err)
				}
			})
		}
		// The fake kernel's own part grows a little, with the length of its datagram.
		if few, many := per(2), per(400); many > few+40 {
			t.Errorf("%s: %v allocations for 2 sockets, %v for 400", f.name, few, many)
		}
	}
}

// The decoders take any bytes.
func FuzzParseFamilies(f *testing.F) {
	for _, fam := range families {
		f.Add(fam.message)
		f.Add(append(fam.message[:len(fam.message):len(fam.message)], attr(0, uint64(1))...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := diag.ParseUnix(b); err == nil {
			s.Name()
			s.VFS()
			s.Peer()
			s.Pending(nil)
			s.Queues()
			s.SKMemInfo()
			s.Shutdown()
			s.UID()
			s.Clone()
		}
		if s, err := diag.ParseNetlink(b); err == nil {
			s.Groups(nil)
			s.Queues()
			s.Flags()
			s.Proc()
			s.Clone()
		}
		if s, err := diag.ParsePacket(b); err == nil {
			s.Info()
			s.Interface()
			s.UID()
			s.Queue()
			s.RXRing()
			s.TXRing()
			s.Fanout()
			s.Filter()
			s.Clone()
		}
		diag.ParseVSock(b)
		if s, err := diag.ParseXDP(b); err == nil {
			s.Info()
			s.UID()
			s.RXRing()
			s.Umem()
			s.Stats()
			s.SKMemInfo()
			s.Clone()
		}
		if s, err := diag.ParseTIPC(b); err == nil {
			s.Peer()
			s.Via()
			s.Queues()
			s.Drops()
			s.Congested()
			s.Clone()
		}
	})
}
