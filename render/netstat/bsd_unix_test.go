package netstat

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
)

// TestBSDUnix: sockets that the test made, as the kernel tells of them.
func TestBSDUnix(t *testing.T) {
	dir := t.TempDir()
	inodeOf := func(fd int) string {
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			t.Fatal(err)
		}
		return strconv.FormatUint(st.Ino, 10)
	}
	open := func(typ int, name string) int {
		fd, err := unix.Socket(unix.AF_UNIX, typ|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		if name != "" {
			if err := unix.Bind(fd, &unix.SockaddrUnix{Name: name}); err != nil {
				t.Fatal(err)
			}
		}
		return fd
	}
	listener := open(unix.SOCK_STREAM, dir+"/a\nforged b")
	if err := unix.Listen(listener, 5); err != nil {
		t.Fatal(err)
	}
	abstract := "@sockeye-bsd-" + strconv.Itoa(os.Getpid()) + "-" + filepath.Base(dir)
	dgram := open(unix.SOCK_DGRAM, abstract)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	if _, err := unix.Write(pair[0], make([]byte, 77)); err != nil {
		t.Fatal(err)
	}
	var file unix.Stat_t
	if err := unix.Stat(dir+"/a\nforged b", &file); err != nil {
		t.Fatal(err)
	}

	c, err := diag.Dial(nil)
	if err != nil {
		t.Skipf("needs NETLINK_SOCK_DIAG: %v", err)
	}
	defer c.Close()
	program := func(uint32) (int32, string, bool) { return 42, "x", true }
	table := NewBSD(BSDOptions{Verbose: true, Program: program})
	rows := map[string][]string{}
	for s, err := range c.Unix(t.Context(), diag.UnixQuery{Show: table.UnixShow()}) {
		if err != nil {
			t.Fatal(err)
		}
		if s.Source != diag.FromNetlink {
			t.Skip("needs UNIX_DIAG")
		}
		line := string(table.AppendUnix(nil, s))
		if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
			t.Errorf("%q is no line", line)
		}
		f := strings.Fields(line)
		rows[f[0]] = f
	}
	// Address Type Recv-Q Send-Q Inode Conn Refs Nextref rxbytes txbytes rhiwat shiwat process:pid Addr
	for fd, want := range map[int]string{
		listener: "stream 0 0 " + strconv.FormatUint(file.Ino, 10) + " 0 - - - - B B x:42 " + dir + `/a\012forged b`,
		dgram:    "dgram 0 0 0 0 - - - - B B x:42 " + abstract,
		pair[0]:  "seqpac 0 S 0 " + inodeOf(pair[1]) + " - - - - B B x:42",
		pair[1]:  "seqpac 77 0 0 " + inodeOf(pair[0]) + " - - - - B B x:42",
	} {
		f := rows[inodeOf(fd)]
		if len(f) < 13 {
			t.Errorf("no row for %s: %q", inodeOf(fd), f)
			continue
		}
		if strings.Contains(want, " S ") && f[3] != "0" { // what the kernel takes for 77 bytes is its own affair
			f[3] = "S"
		}
		for _, i := range []int{10, 11} {
			if n, err := strconv.Atoi(f[i]); err == nil && n > 1000 {
				f[i] = "B"
			}
		}
		if got := strings.Join(f[1:], " "); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
}

func TestBSDUnixTitle(t *testing.T) {
	table := NewBSD(BSDOptions{})
	sameText(t, string(table.AppendUnixTitle(nil)), `Active LOCAL (UNIX) domain sockets
Address          Type   Recv-Q Send-Q            Inode             Conn             Refs          Nextref Addr
`)
}

func TestBSDUnixDoesNotAllocate(t *testing.T) {
	path := "/run/" + strings.Repeat("long/", 15) + "socket"
	text := "Num       RefCount Protocol Flags    Type St Inode Path\n0000000000000000: 00000002 00000000 00010000 0001 01 4711 " + path + "\n"
	table := NewBSD(BSDOptions{})
	buf := make([]byte, 0, 1024)
	for s, err := range diag.ReadUnix(strings.NewReader(text)) {
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { buf = table.AppendUnix(buf[:0], s) }); n != 0 {
			t.Errorf("%v allocations for a row", n)
		}
	}
	if !strings.HasSuffix(string(buf), " "+path+"\n") {
		t.Errorf("got %q", buf)
	}
}

// TestBSDUnixUnknown: what /proc/net/unix does not tell is not 0.
func TestBSDUnixUnknown(t *testing.T) {
	text := "Num       RefCount Protocol Flags    Type St Inode Path\n" +
		"0000000000000000: 00000002 00000000 00010000 0001 01 4711 /run/x\n" +
		"0000000000000000: 00000003 00000000 00000000 0002 03 4712\n"
	table := NewBSD(BSDOptions{})
	var got []byte
	for s, err := range diag.ReadUnix(strings.NewReader(text)) {
		if err != nil {
			t.Fatal(err)
		}
		got = table.AppendUnix(got, s)
	}
	sameText(t, string(got), `            4711 stream      -      -                -                -                -                - /run/x
            4712 dgram       -      -                -                -                -                -
`)
}
