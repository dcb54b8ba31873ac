package bench

import (
	"os"
	"path/filepath"
	"slices"
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
	var impacts []Impact
	few := func(im Impact) bool {
		return im.Tool != "" && im.Runs == 0 || im.Request.Count < 2 || im.Connect.Count < 2
	}
	for ; impacts == nil || slices.ContainsFunc(impacts, few) && cfg.Time < 10*time.Second; cfg.Time *= 4 { // a busy machine takes longer
		var err error
		if impacts, err = MeasureImpact(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
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
	err = nil
	for cfg.Time = 200 * time.Millisecond; err == nil && cfg.Time < 10*time.Second; cfg.Time *= 4 {
		_, err = MeasureImpact(t.Context(), cfg)
	}
	if err == nil || !strings.Contains(err.Error(), "exit 3: no") {
		t.Errorf("error %v", err)
	}
}

// A tool that never comes to its end has no runs, and loads the host none the less.
func TestMeasureImpactOfKilled(t *testing.T) {
	cfg := ImpactConfig{Time: 200 * time.Millisecond, Rounds: 1, Requests: 10, Connects: 10, Tools: []Peer{
		{"loop", []string{"/bin/sh", "-c", "while :; do :; done"}},
	}}
	var im Impact
	for ; im.CPU < 0.01 && cfg.Time < 10*time.Second; cfg.Time *= 4 { // a busy machine takes longer
		impacts, err := MeasureImpact(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if len(impacts) != 2 || impacts[0].CPU != 0 {
			t.Fatalf("%+v", impacts)
		}
		im = impacts[1]
	}
	if im.Runs != 0 || im.CPU < 0.01 || im.CPU > 2 {
		t.Errorf("%d runs, CPU %.3f s/s; want none, and up to 1", im.Runs, im.CPU)
	}
}
