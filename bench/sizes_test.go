package bench

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// testSizes are sizes whose comparisons are made up; made takes their numbers.
func testSizes(dir string, made *[]int, sizes ...int) *Sizes {
	return &Sizes{
		Sizes: sizes, Shape: "pairs", Dir: dir,
		Compare: func(_ context.Context, n int, file string) error {
			*made = append(*made, n)
			return WriteFile(file, testReport(n).WriteJSON)
		},
	}
}

func ls(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestSizes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	var made []int
	if err := testSizes(dir, &made, 100_000, 1000, 1000).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(made, []int{1000, 100_000}) {
		t.Errorf("made %v", made)
	}
	want := []string{"pairs-1000.json", "pairs-100000.json", "pairs-100000.svg", "pairs-results.md", "pairs-tan.svg", "pairs-tanp.svg"}
	if got := ls(t, dir); !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	// What is there is not made again, and the pages are of all sizes.
	made = nil
	if err := testSizes(dir, &made, 1000, 100_000, 1_000_000).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(made, []int{1_000_000}) {
		t.Errorf("made %v, want 1000000 alone", made)
	}
	page, err := os.ReadFile(filepath.Join(dir, "pairs-results.md"))
	if err != nil || !strings.Contains(string(page), "1 k, 100 k, 1 M sockets") {
		t.Errorf("page: %.200s, %v", page, err)
	}
	made = nil
	s := testSizes(dir, &made, 1000)
	s.Force = true
	if err := s.Run(t.Context()); err != nil || !slices.Equal(made, []int{1000}) {
		t.Errorf("forced: made %v, %v", made, err)
	}
}

func TestSizesErrors(t *testing.T) {
	dir := t.TempDir()
	var made []int
	s := testSizes(dir, &made, 1000)
	s.Compare = func(context.Context, int, string) error { return os.ErrPermission }
	if err := s.Run(t.Context()); !errors.Is(err, os.ErrPermission) || len(ls(t, dir)) != 0 {
		t.Errorf("%v, files %v", err, ls(t, dir))
	}
	if err := testSizes(dir, &made).Run(t.Context()); err == nil {
		t.Error("no sizes: no error")
	}
	// Results that are not those asked for are neither taken nor overwritten.
	for name, text := range map[string]string{
		"broken":     "{",
		"other size": written(t, testReport(2000).WriteJSON),
		"no answer":  `{"version": 1, "lab": {"sockets": 1000, "shape": "pairs"}}`,
	} {
		file := filepath.Join(dir, "pairs-1000.json")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		made = nil
		s := testSizes(dir, &made, 1000)
		s.Questions = []Question{{Name: "tan"}}
		if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "--force") || len(made) != 0 {
			t.Errorf("%s: %v, made %v", name, err, made)
		}
		if b, err := os.ReadFile(file); err != nil || string(b) != text {
			t.Errorf("%s: the file changed", name)
		}
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x")
	for _, text := range []string{"old", "new"} {
		if err := WriteFile(file, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
			t.Fatal(err)
		}
	}
	failed := errors.New("failed")
	if err := WriteFile(file, func(w io.Writer) error { io.WriteString(w, "half"); return failed }); err != failed {
		t.Errorf("%v", err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "new" || len(ls(t, dir)) != 1 {
		t.Errorf("%q, %v, files %v", b, err, ls(t, dir))
	}
}
