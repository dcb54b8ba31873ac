package owner

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A proc mount without a process, such as an empty directory, hides some: the reader itself should be in it.
func TestEmptyProcIsDenied(t *testing.T) {
	table, err := Resolve(t.Context(), &Config{Backend: Proc, Proc: t.TempDir()}, nil)
	if err != nil || table.Denied() != 1 || table.Len() != 0 {
		t.Errorf("%+v, %v", table, err)
	}
}

// A root that was asked for and is not there is an error, by whatever backend.
func TestMissingProcIsAnError(t *testing.T) {
	for _, b := range []Backend{Auto, BPF, Proc} {
		if _, err := Resolve(t.Context(), &Config{Backend: b, Proc: filepath.Join(t.TempDir(), "none")}, nil); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v: %v", b, err)
		}
	}
}
