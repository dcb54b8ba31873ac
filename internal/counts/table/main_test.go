package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Wrap(m).Run()) }

func TestRun(t *testing.T) {
	dir := t.TempDir()
	from, into := filepath.Join(dir, "counts"), filepath.Join(dir, "doc.md")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(from, "faults injected\t1200\tTestFaults\nfaults injected\t34\tTestX/a\nfaults injected\t1\tTestX/b\nsockets lost\t0\tTestY\n")
	write(into, "before\n<!-- counts -->\nold\n<!-- /counts -->\nbehind\n")
	for range 2 { // the second time there is a table
		if err := run(from, into); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(into)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		for _, want := range []string{"| faults injected | 1,235 | 2 |\n", "| sockets lost | 0 | 1 |\n", "| kernels | - | |\n"} {
			if strings.Count(text, want) != 1 {
				t.Errorf("%q is not once in\n%s", want, text)
			}
		}
		if !strings.HasPrefix(text, "before\n<!-- counts -->\n\n| what ") || !strings.HasSuffix(text, "|\n\n<!-- /counts -->\nbehind\n") || strings.Contains(text, "old") {
			t.Errorf("%s", text)
		}
	}
	for _, bad := range []string{"x\n", "x\ty\tz\n", "x\t1\n"} {
		write(from, bad)
		if err := run(from, into); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	write(from, "")
	write(into, "no marks\n")
	if err := run(from, into); err == nil {
		t.Error("a document without marks is taken")
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -999: "-999"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %s, want %s", n, got, want)
		}
	}
}
