package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// A program is one of Debian's that calls ss or netstat, and reads what it prints. Its script runs by sh, with the tool in PATH being
// the original or sockeye; $PROGRAMS is where the packages were unpacked.
type program struct {
	name   string
	pkg    string   // Debian packages
	files  []string // below $PROGRAMS
	needs  []string // commands
	slow   bool
	shows  []string // what the answer has if the program understood
	script string
}

// callers are a scene and two directories, each with a tool of the same name.
type callers struct {
	*scene.Scene
	tool         string // ss or netstat
	theirs, ours string
	programs     string                   // where Debian's packages are unpacked
	meant        func(text string) string // makes equal what is meant to differ
}

func newCallers(t *testing.T, tool, peer string, meant func(string) string) *callers {
	t.Helper()
	bin := peers.Sockeye(t)
	w := &callers{
		Scene: scene.New(t), tool: tool, theirs: t.TempDir(), ours: t.TempDir(), programs: filepath.Join(filepath.Dir(peer), "programs"), meant: meant,
	}
	// The peer finds its program by the path that it is called by.
	call := "#!/bin/sh\nexec " + peer + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(w.theirs, tool), []byte(call), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(bin, filepath.Join(w.ours, tool)); err != nil {
		t.Fatal(err)
	}
	return w
}

// run runs a script in the scene, with the tool of a directory, and returns all that it says.
func (w *callers) run(t *testing.T, dir, script string) (answer string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	home := t.TempDir()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Dir = home
	cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH") + ":/usr/sbin:/sbin", "PROGRAMS=" + w.programs, "LC_ALL=C", "HOME=" + home, "TMPDIR=" + home}
	cmd.Stdout, cmd.Stderr = &out, &out
	err := w.Run(cmd)
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || !exit.Exited()) {
		t.Fatalf("%v: %s", err, out.String())
	}
	return strings.ReplaceAll(out.String(), home, "~"), cmd.ProcessState.ExitCode()
}

// compare runs a script with both, as peers.Agree has it, and returns the answer.
func (w *callers) compare(t *testing.T, script string) string {
	t.Helper()
	type answer struct {
		text   string
		status int
	}
	get := func(dir string) func() answer {
		return func() answer {
			text, status := w.run(t, dir, script)
			return answer{w.meant(text), status}
		}
	}
	ours, before := peers.Agree(get(w.ours), get(w.theirs))
	if before != ours {
		t.Errorf("the exit status is %d with %s, %d with sockeye; where the answers part:%s", before.status, w.tool, ours.status, parting(before.text, ours.text))
	}
	return ours.text
}

// test compares what each program makes of the answers of both.
func (w *callers) test(t *testing.T, list []program) {
	for _, p := range list {
		t.Run(p.name, func(t *testing.T) {
			if p.slow && os.Getenv("SOCKEYE_SLOW_TESTS") != "1" {
				t.Skip("takes seconds: set SOCKEYE_SLOW_TESTS=1")
			}
			for _, file := range p.files {
				if _, err := os.Stat(filepath.Join(w.programs, file)); err != nil {
					t.Skipf("needs Debian's %s in .peers/programs", p.pkg)
				}
			}
			for _, name := range p.needs {
				if _, err := exec.LookPath(name); err != nil {
					t.Skipf("needs %s", name)
				}
			}
			answer := w.compare(t, p.script)
			for _, s := range p.shows {
				if !strings.Contains(answer, s) {
					t.Errorf("the answer has no %q:\n%s", s, answer)
				}
			}
		})
	}
}

// testLines compares what each line of shell makes of the answers of both.
func (w *callers) testLines(t *testing.T, lines string) {
	for script := range strings.Lines(strings.TrimSpace(lines)) {
		t.Run(strings.TrimSpace(script), func(t *testing.T) {
			if answer := w.compare(t, script); strings.TrimSpace(answer) == "" {
				t.Error("there is no answer")
			}
		})
	}
}

// parting returns what two texts have behind the lines that they begin with in common.
func parting(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	common := 0
	for common < min(len(x), len(y)) && x[common] == y[common] {
		common++
	}
	rest := func(lines []string) string { return strings.Join(lines[common:min(common+10, len(lines))], "\n") }
	return fmt.Sprintf(" line %d\n%s\n... and\n%s\n...", common+1, rest(x), rest(y))
}
