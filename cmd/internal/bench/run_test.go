package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/bench"
)

func TestRun(t *testing.T) {
	if !isRoot() {
		t.Skip("needs root to build a lab")
	}
	dir := t.TempDir()
	args := []string{"bench", "run", "--sizes", "60,200", "--runs", "1", "--limit", "60s", "--question", "tan", "--dir", dir,
		"--peer", "ss=" + filepath.Join(fakes(t, "ss"), "ss")}
	cmd := exec.Command(self(t), args...)
	cmd.Env = append(os.Environ(), "PATH=/nonexistent")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for file, n := range map[string]int{"pairs-60.json": 60, "pairs-200.json": 200} {
		r, err := bench.ReadReport(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if r.Lab == nil || r.Lab.Sockets != n || r.Rounds != 1 || r.Limit != 60 || r.Sockets == nil || r.Sockets.TCP != n {
			t.Errorf("%s: %+v, sockets %+v, lab %+v", file, r, r.Sockets, r.Lab)
		}
		// The floor counts what the lab made.
		if res := r.Comparisons[0].Results[0]; res.Tool != "floor" || res.Figures == nil || res.Counted == nil || *res.Counted != int64(n) {
			t.Errorf("%s: %+v", file, res)
		}
		if len(r.Comparisons[0].Results) != 4 {
			t.Errorf("%s: %d tools, want the floor, two faces of sockeye and ss", file, len(r.Comparisons[0].Results))
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 5 {
		t.Errorf("files %v, %v", files, err)
	}
	// Again: nothing is left to do.
	cmd = exec.Command(self(t), args...)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "pairs-60.json is there\n") || strings.Contains(string(out), "warm-up") {
		t.Errorf("again: %v\n%s", err, out)
	}
}

// The contest inside of the lab is the one that was asked for.
func TestContestArgs(t *testing.T) {
	dir := fakes(t, "peers")
	given := []string{"--runs", "7", "--limit", "1m30s", "--question", "tan", "--question", "tln", "--peer", "ss=/bin/echo 'a b'", "--go-peers", filepath.Join(dir, "peers")}
	c := newContest()
	if _, err := parse(given, false, c.options()); err != nil {
		t.Fatal(err)
	}
	again := newContest()
	if _, err := parse(c.args(), false, again.options()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.args(), given) || !slices.Equal(again.args(), given) {
		t.Errorf("args %q and again %q, want %q", c.args(), again.args(), given)
	}
}
