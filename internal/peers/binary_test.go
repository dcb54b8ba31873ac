package peers

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// fresh forgets the binary of this run for the time of a test.
func fresh(t *testing.T) {
	wrapped, dir, path, err := binary.wrapped, binary.dir, binary.path, binary.err
	built := dir != "" || path != "" || err != nil
	binary.once, binary.wrapped, binary.dir, binary.path, binary.err = sync.Once{}, false, "", "", nil
	t.Cleanup(func() {
		binary.once = sync.Once{}
		if built {
			binary.once.Do(func() {})
		}
		binary.wrapped, binary.dir, binary.path, binary.err = wrapped, dir, path, err
	})
}

func TestSockeyeNamed(t *testing.T) {
	fresh(t)
	t.Setenv(binaryEnv, "/usr/bin/true")
	if got := Sockeye(t); got != "/usr/bin/true" {
		t.Errorf("Sockeye = %q", got)
	}
}

func TestSockeyeUnwrapped(t *testing.T) {
	fresh(t)
	t.Setenv(binaryEnv, "")
	r := &record{TB: t}
	r.run(func(tb testing.TB) { Sockeye(tb) })
	if !r.failed || !errors.Is(binary.err, errUnwrapped) {
		t.Errorf("failed %v: %v", r.failed, binary.err)
	}
}

type runFunc func() int

func (f runFunc) Run() int { return f() }

func TestWrapRemoves(t *testing.T) {
	fresh(t)
	dir := filepath.Join(t.TempDir(), "built")
	code := Wrap(runFunc(func() int {
		if !binary.wrapped {
			t.Error("not wrapped")
		}
		binary.dir = dir
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Error(err)
		}
		return 3
	})).Run()
	if code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v", dir, err)
	}
}

// A program is built from its source, without cgo.
func TestBuild(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module x\n", "p/p.go": "package main\n\nfunc main() { println(42) }\n"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	path := filepath.Join(dir, "program")
	if err := build(path, "./p"); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(path).CombinedOutput(); err != nil || string(out) != "42\n" {
		t.Errorf("%q, %v", out, err)
	}
	if err := build(path, "./q"); err == nil {
		t.Error("a package that does not exist is built")
	}
}
