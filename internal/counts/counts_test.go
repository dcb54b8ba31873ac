package counts

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestAdd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "counts")
	t.Setenv(File, file)
	Add(t, "sockets lost", 0)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { Add(t, "faults injected", 3) })
	}
	wg.Wait()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(b); !strings.HasPrefix(text, "sockets lost\t0\tTestAdd\n") || strings.Count(text, "faults injected\t3\tTestAdd\n") != 50 {
		t.Errorf("%q", text)
	}
	t.Setenv(File, "")
	Add(t, "sockets lost", 1) // nowhere
	t.Setenv(File, filepath.Join(t.TempDir(), "no", "such"))
	if err := Append("kernels", 1, "x\ty"); err == nil || !strings.HasPrefix(err.Error(), "counts: open ") {
		t.Errorf("%v", err)
	}
}
