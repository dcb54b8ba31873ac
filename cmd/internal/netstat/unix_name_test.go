package netstat

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestForgedUnixRow: a name with a line feed does not pass for another socket, as it does with net-tools.
func TestForgedUnixRow(t *testing.T) {
	inNamespace(t, func() {
		h := newHost(t)
		const forged = "0000000000000000: 00000002 00000000 00010000 0001 01 4711 /run/forged"
		name := "@x\n" + forged
		l := h.unixSocket(unix.SOCK_STREAM, name)
		h.unixDial(unix.SOCK_STREAM, name)
		accepted, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
		h.must(err)
		h.fds[accepted] = true
		h.unixDial(unix.SOCK_STREAM, name)           // not accepted
		h.unixSocket(unix.SOCK_DGRAM, name[:30]+"y") // one name begins as the other
		if !strings.Contains(theirs(t, "-ax").stdout, "/run/forged\n") {
			t.Error("net-tools is not taken in: the test shows nothing")
		}
		r := ours(t.Context(), "-ax")
		if strings.Contains(r.stdout, "forged") || strings.Contains(r.stdout, "4711") || r.stderr != "" || r.status != exitOK {
			t.Errorf("%+v", r)
		}
		if got := strings.Count(r.stdout, " @x\n"); got != 4 {
			t.Errorf("%d sockets with such names, want 4:\n%s", got, r.stdout)
		}
	})
}

func TestJoinLines(t *testing.T) {
	const head = "Num       RefCount Protocol Flags    Type St Inode Path\n"
	row := func(inode, name string) string { return "0: 2 0 0 0001 01 " + inode + " " + name + "\n" }
	table := head + row("   17", "/a\nb") + row("    0", "/a\nb") + row("  170", "/a\nb") + row("   18", "/c 17 /a\nb") + row("   19", "/plain")
	got := joinLines([]byte(table), []unixName{
		{17, []byte("/a\nb"), true}, {170, []byte("/a\nb"), false}, {18, []byte("/c 17 /a\nb"), false}, {99, []byte("/gone\nx"), true},
	})
	want := head + row("   17", "/a b") + row("    0", "/a b") + row("  170", "/a b") + row("   18", "/c 17 /a b") + row("   19", "/plain")
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// A name that is the row of another socket behind a line feed does not hide that socket.
	victim := row("   20", "/victim")
	table = head + row("   21", "/x") + victim
	if got := joinLines([]byte(table), []unixName{{22, []byte("/x\n" + strings.TrimSuffix(victim, "\n")), false}}); string(got) != table {
		t.Errorf("a row is lost:\n%s", got)
	}
}
