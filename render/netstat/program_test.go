package netstat

import (
	"strings"
	"testing"
)

func TestAppendProgram(t *testing.T) {
	for _, c := range []struct {
		pid   int32
		argv0 string
		want  string
	}{
		{193, "nc", "193/nc"},
		{193, "/usr/bin/nc", "193/nc"},
		{193, "/usr/bin/x/", "193/"},
		{193, "./rel/path/prog", "193/./rel/path/prog"},
		{193, "-bash", "193/-bash"},
		{1, "nginx: worker process", "1/nginx: worker pro"},
		{1, "sshd: user [priv]", "1/sshd: user [priv]"},
		{4194304, "0123456789abcdef", "4194304/0123456789a"},
		{7, "", "7/"},
		{7, "/", "7/"},
		{7, "\x1b[31mred\x7f\x00", "7/.[31mred.."},
		{7, "gr\xc3\xbcn", "7/gr..n"},
		{7, " ~", "7/ ~"},
		{7, "/opt/a b/c d", "7/c d"},
	} {
		table := New(Options{Program: func(inode uint32) (int32, string, bool) { return c.pid, c.argv0, inode == 42 }})
		if got := string(table.appendProgram([]byte("x"), 42)); got != "x"+c.want {
			t.Errorf("%q: got %q, want %q", c.argv0, got[1:], c.want)
		}
		if got := string(table.appendProgram(nil, 43)); got != "-" {
			t.Errorf("unknown inode: got %q, want -", got)
		}
		if got := string(table.appendProgram(nil, 0)); got != "-" {
			t.Errorf("no inode: got %q, want -", got)
		}
	}
	if got := string(New(Options{}).appendProgram(nil, 42)); got != "-" {
		t.Errorf("no resolver: got %q, want -", got)
	}
}

// TestProgramIsFitForATerminal: no byte of a name reaches the terminal that could move its cursor.
func TestProgramIsFitForATerminal(t *testing.T) {
	for c := range 256 {
		table := New(Options{Program: func(uint32) (int32, string, bool) { return 1, "a" + string([]byte{byte(c)}) + "b", true }})
		got := table.appendProgram(nil, 42)
		if strings.IndexFunc(string(got), func(r rune) bool { return r < 0x20 || r > 0x7e }) >= 0 {
			t.Errorf("byte %#x: %q", c, got)
		}
	}
}
