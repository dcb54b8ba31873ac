package netstat

import (
	"bytes"
	"fmt"
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
	// A name that begins as another does, and has more rows in it, is one.
	table = head + row("    0", "/a\nb\n"+strings.TrimSuffix(row("    0", "/a\nb"), "\n")) + row("   17", "") + row("   19", "\n/a")
	got = joinLines([]byte(table), []unixName{
		{17, []byte("/a\nb"), true}, {18, []byte("/a\nb\n" + strings.TrimSuffix(row("    0", "/a\nb"), "\n")), true}, {19, []byte("\n/a"), false},
	})
	want = head + row("    0", "/a b "+strings.TrimSuffix(row("    0", "/a b"), "\n")) + row("   17", "") + row("   19", " /a")
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

// TestJoinManyLines: one pass over the table, however many such names somebody has bound. A pass for each would copy the table each time.
func TestJoinManyLines(t *testing.T) {
	const n = 1000
	table := []byte("Num       RefCount Protocol Flags    Type St Inode Path\n")
	var names []unixName
	for i := range n {
		name := fmt.Appendf(nil, "@%d\nx", i)
		names = append(names, unixName{uint32(i + 1), name, false})
		table = fmt.Appendf(table, "0: 2 0 0 0001 01 %5d %s\n", i+1, name)
	}
	scratch := make([]byte, len(table))
	allocs := testing.AllocsPerRun(1, func() {
		copy(scratch, table)
		joinLines(scratch, names)
	})
	if lines := bytes.Count(scratch, []byte{'\n'}); lines != n+1 || allocs > n/10 {
		t.Errorf("%d lines, want %d; %v allocations", lines, n+1, allocs)
	}
}
