package bench

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/sockeye-tools/sockeye/internal/check"
)

// FuzzReport: a report that can be read can be shown, as text and as a chart, and is written as it was read.
func FuzzReport(f *testing.F) {
	b, err := os.ReadFile(filepath.Join("testdata", "report.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"version":1,"rounds":1,"comparisons":[{"question":"tan","results":[{"tool":"x","runs":[{}]}]}]}`))
	f.Add([]byte(`{"version":1,"comparisons":[{"question":"x\u001b","results":[{"tool":"sockeye","wall_seconds":1e308,"cpu_seconds":-1,"times_sockeye":{"of":""}},{"tool":"x"}]}],"sockets":{},"lab":{}}`))
	f.Add([]byte(`{"version":2}`))
	file := filepath.Join(f.TempDir(), "report")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := ReadReport(file)
		if err != nil {
			return
		}
		var text bytes.Buffer
		if err := r.WriteText(&text); err != nil {
			t.Errorf("text: %v", err)
		}
		if why := check.Terminal(text.Bytes()); why != "" {
			t.Errorf("text: %s", why)
		}
		r.WriteSVG(io.Discard) // which may find nothing to draw
		var one, two bytes.Buffer
		if err := r.WriteJSON(&one); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, one.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := ReadReport(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.WriteJSON(&two); err != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Errorf("%v: written\n%s\nand again\n%s", err, one.Bytes(), two.Bytes())
		}
	})
}
