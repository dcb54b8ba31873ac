package guest

import (
	"os"
	"slices"
	"testing"
)

func TestTestProgram(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, f, err := testProgram(self)
	if err != nil || p.Name != "internal/guest" || p.Dir != "/src/internal/guest" || p.Path != f.Guest || f.Host != self {
		t.Errorf("%+v, %+v, %v", p, f, err)
	}
	if _, _, err := testProgram("/dev/null"); err == nil {
		t.Error("/dev/null is a program")
	}
}

func TestSourceFiles(t *testing.T) {
	module, err := Module()
	if err != nil {
		t.Fatal(err)
	}
	files, err := sourceFiles(module)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"/src/go.mod", "/src/testdata", "/src/render/ss/testdata", "/src/diag/owner/taskfile_bpfel.o", "/src/.peers/netstat"} {
		if !slices.ContainsFunc(files, func(f File) bool { return f.Guest == want }) {
			t.Errorf("%s is not among %d files", want, len(files))
		}
	}
}
