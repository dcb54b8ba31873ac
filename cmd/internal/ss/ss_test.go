package ss

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
)

// result is what a run prints, and its exit status.
type result struct {
	stdout, stderr string
	status         int
}

// ours runs a command line in the calling thread's network namespace.
func ours(t testing.TB, columns string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	env := &cli.Env{
		Ctx: t.Context(), Args: append([]string{"ss"}, args...), Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		Getenv: func(name string) string {
			if name == "COLUMNS" {
				return columns
			}
			return ""
		},
	}
	status := Main(env)
	return result{stdout.String(), stderr.String(), status}
}

func TestMainExits(t *testing.T) {
	for _, tt := range []struct {
		line string
		want result
	}{
		{"-h", result{stdout: usage}},
		{"-f help", result{stdout: usage}},
		{"-V", result{stdout: version + "\n"}},
		{"-q", result{stderr: "ss: invalid option -- 'q'\n" + usage, status: 255}},
		{"-A foo", result{stderr: "ss: \"foo\" is illegal socket table id\n" + usage, status: 255}},
		{"-A !tcp", result{stderr: "ss: no socket tables to show with such filter.\n"}},
		{"-A !tcp ( (", result{stderr: "ss: no socket tables to show with such filter.\n"}}, // before the filter is looked at
		{"state foo", result{stderr: "ss: wrong state name: foo\n", status: 255}},
		{"--bpf-map-id=0", result{stderr: "ss: invalid BPF map ID 0\n", status: 1}},
		{"-t sport = 22 and", result{
			stderr: "ss: bison bellows (while parsing filter): \"syntax error!\" Sorry.\n" + usage, status: 255}},
		{"-t sport = nosuchservice", result{
			stderr: "Error: \"nosuchservice\" does not look like a port.\nCannot parse dst/src address.\n", status: 1}},
		{"-t -6 src 127.0.0.1", result{
			stderr: "Error: an inet prefix is expected rather than \"127.0.0.1\".\nCannot parse dst/src address.\n", status: 1}},
		{"-t -", result{
			stderr: "Error: an inet prefix is expected rather than \"-\".\nCannot parse dst/src address.\n", status: 1}},
	} {
		if got := ours(t, "", strings.Fields(tt.line)...); got != tt.want {
			t.Errorf("ss %s:\n got %+v\nwant %+v", tt.line, got, tt.want)
		}
	}
}

// TestUsage: every option that is taken is in the usage.
func TestUsage(t *testing.T) {
	for _, o := range optionList {
		if o.Short != 0 && o.Short != 'v' && !strings.Contains(usage, "   -"+string(o.Short)+", --") {
			t.Errorf("-%c is not in the usage", o.Short)
		}
		if o.Long != "" && !strings.Contains(usage, "--"+o.Long) {
			t.Errorf("--%s is not in the usage", o.Long)
		}
	}
}

// brokenWriter fails like a pipe that nobody reads.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestMainWriteError(t *testing.T) {
	var stderr bytes.Buffer
	env := &cli.Env{
		Ctx: t.Context(), Args: []string{"ss", "-t"}, Stdout: brokenWriter{}, Stderr: &stderr,
		Getenv: func(string) string { return "" },
	}
	if status := Main(env); status != exitFailed || !strings.Contains(stderr.String(), io.ErrClosedPipe.Error()) {
		t.Errorf("status %d, stderr %q", status, &stderr)
	}
}
