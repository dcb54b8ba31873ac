package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Wrap(m).Run()) }

func TestResultOf(t *testing.T) {
	got := resultOf("fuzz: elapsed: 0s, gathering baseline coverage: 0/5 completed\nfuzz: elapsed: 3s, execs: 325 (108/sec), new interesting: 11 (total: 202)\n" +
		"fuzz: elapsed: 4s, execs: 400 (18/sec), new interesting: 12 (total: 203)\nPASS\n")
	if got.executions != 400 || got.interesting != 12 {
		t.Errorf("%+v", got)
	}
	if got := resultOf("panic: x\n"); got.executions != 0 {
		t.Errorf("%+v", got)
	}
}

func TestRanOut(t *testing.T) {
	const head = "fuzz: elapsed: 2s, execs: 116 (77/sec), new interesting: 0 (total: 109)\n--- FAIL: FuzzTables (1.52s)\n"
	for text, want := range map[string]bool{
		head + "    context deadline exceeded\nFAIL\n":                                                    true,
		head + "    context deadline exceeded\nFAIL\nexit status 1\n":                                     true,
		head + "    --- FAIL: FuzzTables (0.00s)\n        x_test.go:3: context deadline exceeded\nFAIL\n": false,
		head + "    fuzzing process hung or terminated unexpectedly: exit status 2\nFAIL\n":               false,
		"panic: context deadline exceeded\n":                                                              false,
		"PASS\n":                                                                                          false,
	} {
		if got := ranOut(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestCut(t *testing.T) {
	if got := cut("short\n" + strings.Repeat("x", 1000) + "\nend"); got != "short\n"+strings.Repeat("x", 600)+" ...\nend\n" {
		t.Errorf("%q", got)
	}
}

// A module of its own, with a target that holds and one that does not.
func TestRun(t *testing.T) {
	if os.Getenv("SOCKEYE_SLOW_TESTS") == "" {
		t.Skip("builds a test with the fuzzer's instruments: set SOCKEYE_SLOW_TESTS=1")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.org/x\ngo 1.26\n",
		"x_test.go": `package x
import "testing"

	func FuzzGood(f *testing.F) { f.Add("a"); f.Fuzz(func(t *testing.T, s string) {}) }
	func FuzzBad(f *testing.F) { f.Add("a"); f.Fuzz(func(t *testing.T, s string) { if len(s) > 3 { t.Error("long") } }) }
`,
		"y/y_test.go": "package y\nimport \"testing\"\nfunc TestY(t *testing.T) {}\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		text = strings.ReplaceAll(text, "\tfunc", "func") // so that this file has no targets itself
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	t.Setenv("SOCKEYE_COUNTS", filepath.Join(dir, "counts"))
	var said strings.Builder
	good := runner{out: &said, fuzztime: "100x", parallel: "1", match: "Good$"}
	if err := good.run(t.Context(), []string{"./..."}); err != nil {
		t.Error(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "counts"))
	if err != nil || !strings.HasPrefix(string(b), "fuzz targets\t1\tfuzz\nfuzz executions\t1") {
		t.Errorf("%q, %v", b, err)
	}
	if strings.Count(said.String(), "\nok ") != 1 || !strings.Contains(said.String(), "\n1 targets, 1") {
		t.Errorf("said %q", &said)
	}
	said.Reset()
	bad := runner{out: &said, fuzztime: "100000x", parallel: "1"}
	if err := bad.run(t.Context(), []string{"./..."}); err == nil || err.Error() != "1 of 2 targets failed" {
		t.Errorf("%v", err)
	}
	if !strings.Contains(said.String(), "\nFAIL example.org/x.FuzzBad ") || !strings.Contains(said.String(), "x_test.go:") {
		t.Errorf("said %q", &said)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "testdata/fuzz/FuzzBad/*")); len(found) != 1 {
		t.Errorf("%q were found", found)
	}
	none := runner{out: &said, fuzztime: "1x", match: "nothing"}
	if err := none.run(t.Context(), []string{"./..."}); err == nil {
		t.Error("no target, and no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := good.run(ctx, []string{"./..."}); err == nil {
		t.Error("cancelled, and no error")
	}
}
