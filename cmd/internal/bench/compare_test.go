package bench

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/bench"
	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/owner"
)

// fakes are programs of that name that print their arguments.
func fakes(t *testing.T, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho \"$@\"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCompare(t *testing.T) {
	dir := fakes(t, "ss", "peers", "mine")
	out := filepath.Join(t.TempDir(), "report.json")
	status, stdout, stderr := call(t, dir, owner.Proc, "--question", "tan", "--runs", "2", "--limit", "60s", "--format", "json", "--out", out,
		"--go-peers", filepath.Join(dir, "peers"), "--peer", "mine="+filepath.Join(dir, "mine")+" 'a b' c")
	if status != cli.ExitOK || stdout != "" {
		t.Fatalf("status %d, output %q, errors %s", status, stdout, stderr)
	}
	r, err := bench.ReadReport(out)
	if err != nil {
		t.Fatal(err)
	}
	if r.Rounds != 2 || r.Limit != 60 || r.Lab != nil || len(r.Comparisons) != 1 || r.Comparisons[0].Question != "tan" {
		t.Errorf("%+v", r)
	}
	exe := filepath.Base(self(t))
	var got []string
	for _, res := range r.Comparisons[0].Results {
		line := res.Tool + ": " + strings.Join(res.Command, " ")
		if res.Figures == nil {
			line += " " + res.Error
		} else if res.Lines != 1 || len(res.Runs) != 2 {
			t.Errorf("%+v", res)
		}
		got = append(got, line)
	}
	want := []string{
		"floor: " + exe + " --owners=proc bench floor --ext 0x0 --states 0x3fff",
		"sockeye ss: " + exe + " --owners=proc ss -tan",
		"sockeye netstat: " + exe + " --owners=proc netstat -tan",
		"ss: ss -tan",
		`mdlayher: peers mdlayher printed "mdlayher", which is not a number of sockets`,
		`procfs: peers procfs printed "procfs", which is not a number of sockets`,
		"mine: mine a b c",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestCompareFormats(t *testing.T) {
	dir := fakes(t, "netstat")
	for format, want := range map[string]string{
		"":      "Date: ",
		"table": "Date: ",
		"json":  "{\n  \"version\": 1,\n",
		"svg":   "<svg xmlns=",
	} {
		args := []string{"--question", "startup", "--runs", "1", "--peer", "ss=" + filepath.Join(dir, "netstat")}
		if format != "" {
			args = append(args, "--format", format)
		}
		status, stdout, stderr := call(t, "", owner.Auto, args...)
		if status != cli.ExitOK || !strings.HasPrefix(stdout, want) || !strings.Contains(stdout, "startup") {
			t.Errorf("%s: status %d, output %.200q, errors %q", format, status, stdout, stderr)
		}
	}
	// A file that cannot be written is told of before anything is measured.
	for out, want := range map[string]string{"/nonexistent/x": "no such file or directory", dir: "is a directory", filepath.Join(dir, "netstat", "x"): "not a directory"} {
		status, _, stderr := call(t, "", owner.Auto, "--question", "startup", "--runs", "1", "--out", out)
		if status != cli.ExitFailed || stderr != "sockeye: bench: write "+out+": "+want+"\n" {
			t.Errorf("%s: status %d, errors %q", out, status, stderr)
		}
	}
}
