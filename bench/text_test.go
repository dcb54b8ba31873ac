package bench

import (
	"strings"
	"testing"
)

func TestWriteText(t *testing.T) {
	golden(t, "report.txt", written(t, testReport(1_000_000).WriteText))
}

// Absent is said to be absent.
func TestWriteTextWithoutMuch(t *testing.T) {
	r := &Report{Rounds: 1, Limit: 0.5, Machine: Machine{System: "Linux", Kernel: "5.4", Arch: "arm64", CPUs: 1},
		Comparisons: []Comparison{{Question: "q", Text: "what", Results: []Result{{Tool: "a", Unfinished: true}, {Tool: "b", Error: "SIGSEGV"}}}}}
	got := written(t, r.WriteText)
	for _, want := range []string{
		"Host: Linux 5.4 arm64, 1 CPU, not as root\n",
		"may take 0.5 s\n",
		"\nq: what\n",
		"  a     >0.5 s    -         -      -      -             -            -           -          -  unfinished after 0.5 s\n",
		"  b          -    -         -      -      -             -            -           -          -  failed: SIGSEGV\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "Sockets of") || strings.Contains(got, "Lab:") || strings.Contains(got, "memory") {
		t.Errorf("says what is not known:\n%s", got)
	}
}
