package json

import (
	"bytes"
	"errors"
	"testing"

	"github.com/sockeye-tools/sockeye/diag/field"
)

func TestWriter(t *testing.T) {
	for _, tt := range []struct {
		lines bool
		n     int
		want  string
	}{
		{false, 0, "[]\n"}, {false, 1, "[\n{}\n]\n"}, {false, 2, "[\n{},\n{}\n]\n"},
		{true, 0, ""}, {true, 2, "{}\n{}\n"},
	} {
		var out bytes.Buffer
		w := Writer{W: &out, Lines: tt.lines}
		for round := range 2 { // it can be used again
			out.Reset()
			for range tt.n {
				if err := w.Object([]byte("{}")); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil || out.String() != tt.want {
				t.Errorf("%+v, round %d: %q, %v", tt, round, out.String(), err)
			}
		}
	}
}

type fails struct{ error }

func (f fails) Write([]byte) (int, error) { return 0, f.error }

func TestWriterErrors(t *testing.T) {
	full := errors.New("full")
	for _, lines := range []bool{false, true} {
		w := Writer{W: fails{full}, Lines: lines}
		if err := w.Object([]byte("{}")); err != full {
			t.Errorf("Object: %v", err)
		}
		if err := w.Close(); !lines && err != full {
			t.Errorf("Close: %v", err)
		}
	}
}

// Standard are fields for programs that need nothing to be asked for.
func TestStandard(t *testing.T) {
	for _, f := range Fields(Standard...) {
		if f.Shown || f.Ext != 0 || f.Group != field.Base && f.Group != field.Owner {
			t.Errorf("%s", f.Name)
		}
	}
}
