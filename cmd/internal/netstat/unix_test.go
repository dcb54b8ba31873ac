package netstat

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/peers"
	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// unixSocket opens a UNIX domain socket; with a name it is bound, and listens if it can.
func (h *host) unixSocket(typ int, name string) int {
	h.t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, typ|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	h.must(err)
	h.fds[fd] = true
	if name != "" {
		if err := unix.Bind(fd, &unix.SockaddrUnix{Name: name}); err != nil {
			h.t.Fatalf("bind %q: %v", name, err)
		}
		if typ != unix.SOCK_DGRAM {
			h.must(unix.Listen(fd, 5))
		}
	}
	return fd
}

func (h *host) unixDial(typ int, name string) int {
	h.t.Helper()
	fd := h.unixSocket(typ, "")
	h.must(unix.Connect(fd, &unix.SockaddrUnix{Name: name}))
	return fd
}

// unixSockets makes UNIX domain sockets of every type and state, and returns their directory.
func (h *host) unixSockets() string {
	h.t.Helper()
	dir := h.t.TempDir()
	stream := dir + "/stream"
	l := h.unixSocket(unix.SOCK_STREAM, stream)
	for range 3 {
		h.unixDial(unix.SOCK_STREAM, stream)
		fd, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
		h.must(err)
		h.fds[fd] = true
	}
	for range 2 { // not accepted
		h.unixDial(unix.SOCK_STREAM, stream)
	}
	h.close(h.unixDial(unix.SOCK_STREAM, stream)) // and gone again
	seq := h.unixSocket(unix.SOCK_SEQPACKET, dir+"/seqpacket")
	h.unixDial(unix.SOCK_SEQPACKET, dir+"/seqpacket")
	if fd, _, err := unix.Accept4(seq, unix.SOCK_CLOEXEC); err == nil {
		h.fds[fd] = true
	}
	h.unixSocket(unix.SOCK_DGRAM, dir+"/datagram")
	for range 4 {
		h.unixDial(unix.SOCK_DGRAM, dir+"/datagram")
	}
	for _, typ := range []int{unix.SOCK_STREAM, unix.SOCK_DGRAM, unix.SOCK_SEQPACKET} {
		pair, err := unix.Socketpair(unix.AF_UNIX, typ|unix.SOCK_CLOEXEC, 0)
		h.must(err)
		h.fds[pair[0]], h.fds[pair[1]] = true, true
		h.unixSocket(typ, "") // neither bound nor connected
	}
	half, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	h.must(err)
	h.fds[half[0]] = true
	unix.Close(half[1])
	bound := h.unixSocket(unix.SOCK_STREAM, "")
	h.must(unix.Bind(bound, &unix.SockaddrUnix{Name: dir + "/bound"}))
	gone := h.unixSocket(unix.SOCK_STREAM, dir+"/deleted")
	h.must(os.Remove(dir + "/deleted"))
	h.must(unix.SetNonblock(gone, true))
	for _, name := range []string{
		dir + "/with blank", dir + "/tab\there", dir + "/line\nfeed", dir + "/form\ffeed", dir + "/trailing ", dir + "/é中",
		"@abstract", "@a\x00b\x00\x00c", "@ leading blank", "@", "@" + strings.Repeat("x", 106), "@line\nfeed",
	} {
		h.unixSocket(unix.SOCK_STREAM, name)
	}
	return dir
}

func TestUnixAgainstNetstat(t *testing.T) {
	inNamespace(t, func() {
		h := newHost(t)
		h.unixSockets()
		all := ours(t.Context(), "-ax")
		for _, word := range []string{"STREAM", "DGRAM", "SEQPACKET", "LISTENING", "CONNECTED", "CONNECTING", "/deleted\n", "/with\n", "@a@b@@c\n"} {
			if !strings.Contains(all.stdout, word) {
				t.Errorf("there is no %q in\n%s", word, all.stdout)
			}
		}
		for _, args := range []string{
			"-x", "-ax", "-lx", "-alx", "-xn", "-axW", "-axe", "-axo", "-axN", "-xv", "-A unix", "-A unix -a", "--unix --list", "--protocol=unix",
			"-xp", "-axp", "-lxp", "-axpe", "-tx", "-tuwxan", "-txlnp", "-4x", "-6axn", "-46lxn", "-A inet,unix -an", "-gx", "-gtxan", "-x extra",
			"-x --ipx", "--ax25 -ax",
		} {
			sameUnix(t, strings.Fields(args)...)
		}
	})
}

// sameUnix is same, but for names that are not ASCII.
func sameUnix(t *testing.T, args ...string) {
	t.Helper()
	got, want := peers.Agree(func() result { return ours(t.Context(), args...) }, func() result { return theirs(t, args...).withoutBogus() })
	compare(t, args, got, want)
}

// TestUnixNamesThatHarm: control characters do not reach the terminal.
func TestUnixNamesThatHarm(t *testing.T) {
	inNamespace(t, func() {
		h := newHost(t)
		h.unixSocket(unix.SOCK_STREAM, "@a\x1b[31mb\x7f\xff\xc2\x85c")
		out := ours(t.Context(), "-lx").stdout
		if want := ` @a\033[31mb\177\377\302\205c` + "\n"; !strings.Contains(out, want) {
			t.Errorf("there is no %q in\n%q", want, out)
		}
	})
}

// TestUnixTables: what the kernel could say, and never or seldom does.
func TestUnixTables(t *testing.T) {
	var table strings.Builder
	table.WriteString("Num       RefCount Protocol Flags    Type St Inode Path\n")
	for i, flags := range []int{0, 0x10000, 0x20000, 0x40000, 0x70000} {
		for typ := range 8 {
			for state := range 7 {
				fmt.Fprintf(&table, "%016d: %08X %08X %08X %04X %02X %5d /path %d\n", i, i*typ*100, typ/7, flags, typ, state, i*1000+typ, state)
			}
		}
	}
	table.WriteString("0: FFFFFFFF 00000000 00000000 0001 03 4294967296 @big\nno socket\n0: 00000002 00000000\n")
	proc := procWith(t, map[string]string{"unix": table.String()})
	empty := procWith(t, nil)
	inNamespace(t, func() { // without sockets of the host, which sock_diag tells of whatever /proc says
		for _, args := range []string{"-x", "-ax", "-lx", "-x -6", "-axv"} {
			sameTables(t, proc, strings.Fields(args)...)
		}
		for _, args := range []string{"-x", "-xv", "-axp", "-xg", "-g", "-gn", "-g4n", "-g6n", "-x6"} {
			sameTables(t, empty, strings.Fields(args)...)
		}
	})
	// A directory in the place of the table is an error of its own.
	if err := os.Mkdir(filepath.Join(empty, "net", "unix"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := oursWith(t, empty, "-x"); got.status != exitErrno || got.stderr != "/proc/net/unix: Is a directory\n" {
		t.Errorf("got %+v", got)
	}
}

func TestParseUnixAllocs(t *testing.T) {
	line := []byte("0000000087ca7ee0: 00000002 00000000 00010000 0005 01 33015204 /run/x")
	var s render.UnixSocket
	if n := testing.AllocsPerRun(100, func() { parseUnix(line, &s) }); n != 0 {
		t.Errorf("%v allocations a line", n)
	}
	if s.RefCount != 2 || s.Flags != 0x10000 || s.Type != 5 || s.State != 1 || s.Inode != 33015204 || string(s.Path) != "/run/x" {
		t.Errorf("got %+v", s)
	}
	for _, bad := range []string{"", "x", "0:", "0: 1 2 3 4", "0: 1 2 3 4 5", "0: 1 2 3 4 5 x", "0: g 2 3 4 5 6", "0: -1 2 3 4 5 6", "0 1 2 3 4 5 6"} {
		if parseUnix([]byte(bad), &s) {
			t.Errorf("%q is taken for a socket", bad)
		}
	}
}
