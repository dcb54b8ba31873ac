package owner

import "testing"

// A proc mount without a process, such as an empty directory, hides some: the reader itself should be in it.
func TestEmptyProcIsDenied(t *testing.T) {
	table, err := Resolve(t.Context(), &Config{Backend: Proc, Proc: t.TempDir()}, nil)
	if err != nil || table.Denied() != 1 || table.Len() != 0 {
		t.Errorf("%+v, %v", table, err)
	}
}
