package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLatencyOf(t *testing.T) {
	var v []time.Duration
	for i := range 2000 {
		v = append(v, time.Duration(2000-i)*time.Second)
	}
	if got, want := latencyOf(v), (Latency{2000, 1001, 1981, 1999, 2000}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := latencyOf(nil); got != (Latency{}) {
		t.Errorf("%+v of nothing", got)
	}
}

// Each tool runs, beside a server that goes on answering; one that fails is an error.
func TestMeasureImpact(t *testing.T) {
	ran := filepath.Join(t.TempDir(), "ran")
	cfg := ImpactConfig{Time: 200 * time.Millisecond, Rounds: 2, Requests: 500, Connects: 50, Tools: []Peer{
		{"touch", []string{"/bin/sh", "-c", "echo >> " + ran}},
	}}
	impacts, err := MeasureImpact(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := os.ReadFile(ran)
	if err != nil {
		t.Fatal(err)
	}
	if len(impacts) != 2 || impacts[0].Tool != "" || impacts[0].Runs != 0 || impacts[1].Runs == 0 || impacts[1].Runs > len(lines) {
		t.Errorf("%+v, and the tool ran %d times", impacts, len(lines))
	}
	for _, im := range impacts {
		for _, l := range []Latency{im.Request, im.Connect} {
			if l.Count < 2 || l.P50 <= 0 || l.P99 < l.P50 || l.Max < l.P999 {
				t.Errorf("%s: %+v", im.name(), l)
			}
		}
	}
	if table := ImpactTable(impacts); strings.Count(table, "\n") != 4 || !strings.Contains(table, "| nothing") || !strings.Contains(table, "| touch") {
		t.Error(table)
	}
	cfg.Tools[0].Command = []string{"/bin/sh", "-c", "echo no >&2; exit 3"}
	if _, err := MeasureImpact(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "exit 3: no") {
		t.Errorf("error %v", err)
	}
}
