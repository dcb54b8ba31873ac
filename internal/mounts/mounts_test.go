package mounts

import (
	"strings"
	"testing"
)

func TestCgroup2(t *testing.T) {
	for table, want := range map[string]string{
		"":                         "",
		"proc /proc proc rw 0 0\n": "",
		"cgroup2\nx cgroup2\n":     "",
		"tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup2 /a\\040b cgroup2 rw 0 0\ncgroup2 /c cgroup2 rw 0 0\n": "/a b",
		"cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\ncgroup2 /a\\040b\\134 cgroup2 rw 0 0\n":                 `/a b\`,
	} {
		if got := Cgroup2(table); got != want {
			t.Errorf("%q: %q, want %q", table, got, want)
		}
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{
		"": "", `a\011b`: "a\tb", `\040\012\134\043`: " \n\\#", `\134040`: `\040`,
		`\`: `\`, `\09`: `\09`, `\777`: "\xff", `a\04`: `a\04`,
	} {
		if got := Unescape(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// FuzzMounts: what has no escape stays as it is, and a mount point is a word of the table, its escapes undone.
func FuzzMounts(f *testing.F) {
	f.Add("cgroup2 /sys/fs/cgroup\\040x cgroup2 rw 0 0\n")
	f.Add("cgroup2 a\\040b\\134\\01 cgroup2")
	f.Fuzz(func(t *testing.T, s string) {
		if got := Unescape(s); len(got) > len(s) || !strings.Contains(s, `\`) && got != s {
			t.Errorf("%q: %q", s, got)
		}
		if at := Cgroup2(s); at != "" && (len(at) > len(s) || !strings.Contains(s, `\`) && !strings.Contains(s, at)) {
			t.Errorf("%q: %q", s, at)
		}
	})
}
