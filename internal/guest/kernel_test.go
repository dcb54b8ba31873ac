package guest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestOpen(t *testing.T) {
	module := t.TempDir()
	if _, err := Kernels(module); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
	for suite, release := range map[string]string{"trixie": "6.12.107+deb13-amd64", "bookworm": "6.1.0-50-amd64"} {
		dir := filepath.Join(module, ".guests", suite)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "release"), []byte(release+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kernels, err := Kernels(module)
	if err != nil || len(kernels) != 2 || kernels[0].Suite != "bookworm" || kernels[1].Suite != "trixie" {
		t.Errorf("kernels %v, %v", kernels, err)
	}
	for name, want := range map[string]string{
		"6.1": "bookworm", "6.12": "trixie", "6": "bookworm", "bookworm": "bookworm", "6.12.107+deb13-amd64": "trixie", "7": "", "6.2": "", "": "", "sid": "",
	} {
		k, err := Open(module, name)
		switch {
		case want == "" && !errors.Is(err, os.ErrNotExist):
			t.Errorf("%q: %v, %v", name, k, err)
		case want != "" && (err != nil || k.Suite != want):
			t.Errorf("%q: %v, %v, want %s", name, k, err, want)
		}
	}
}
