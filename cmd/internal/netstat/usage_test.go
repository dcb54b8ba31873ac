package netstat

import (
	"regexp"
	"strings"
	"testing"
)

func TestHelp(t *testing.T) {
	for _, line := range []string{"-h", "--help", "--he", "-nh", "-hq"} {
		got := ours(t.Context(), line)
		if got.status != exitOK || !strings.HasPrefix(got.stdout, "usage: netstat ") {
			t.Errorf("%s: status %d, stdout %q", line, got.status, got.stdout)
		}
		if !strings.Contains(got.stderr, "inet6") || strings.Contains(got.stdout, "netrom rose") {
			t.Errorf("%s: the families belong on stderr: %q", line, got.stderr)
		}
	}
}

// TestHelpNamesTheOptions: the same options in the same order as net-tools.
func TestHelpNamesTheOptions(t *testing.T) {
	option := regexp.MustCompile(`(?m)^ +((?:-[A-Za-z], )?--[a-z-]+) `)
	names := func(help string) (list []string) {
		for _, m := range option.FindAllStringSubmatch(help, -1) {
			list = append(list, m[1])
		}
		return list
	}
	got, want := names(ours(t.Context(), "-h").stdout), names(theirs(t, "-h").stdout)
	if strings.Join(got, " ") != strings.Join(want, " ") || len(got) < 20 {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestUsageErrors(t *testing.T) {
	got := ours(t.Context(), "-q")
	if got.status != exitUsage || got.stdout != "" || !strings.HasPrefix(got.stderr, "netstat: invalid option -- 'q'\nusage: netstat ") {
		t.Errorf("got %+v", got)
	}
}

func TestVersion(t *testing.T) {
	for _, line := range []string{"-V", "--version", "-Vq"} {
		got := ours(t.Context(), line)
		if got.status != exitOK || got.stderr != "" || !strings.HasPrefix(got.stdout, "net-tools 2.10 ") {
			t.Errorf("%s: got %+v", line, got)
		}
	}
}
