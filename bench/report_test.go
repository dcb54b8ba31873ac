package bench

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs from\n%s\ngot\n%s", file, want, got)
	}
}

// runsOf are runs whose times go up, so that the median is that of the second one.
func runsOf(wall, cpu float64, lines, size int64, counted *int64) []Run {
	var runs []Run
	for _, f := range []float64{1.5, 1, 0.5} {
		runs = append(runs, Run{Wall: wall * f, User: cpu * f / 4, System: cpu * f * 3 / 4, PeakRSS: 4 << 20, Lines: lines, Bytes: size, Counted: counted})
	}
	return runs
}

// testReport is what could have been found in a lab of that many sockets.
func testReport(sockets int) *Report {
	cfg := &Config{Limit: 120 * time.Second, Rounds: 3}
	n := int64(sockets)
	s := float64(sockets) / 1e6
	tool := func(name, against string, runs []Run, args ...string) *entry {
		e := &entry{tool: tool{name: name, against: against, argv: append([]string{"/usr/bin/" + strings.Fields(name)[0]}, args...)}, runs: runs, peak: 3_300_000}
		return e
	}
	questions, err := QuestionsByName([]string{"tan", "tanp"})
	if err != nil {
		panic(err)
	}
	tan := &contest{cfg: cfg, question: questions[0], entries: []*entry{
		tool(toolFloor, toolSS, runsOf(0.003+0.8*s, 0.003+0.85*s, 1, 8, &n)),
		tool(toolSS, toolSS, runsOf(0.004+1.0*s, 0.004+1.2*s, n+1, 80*n, nil), "ss", "-tan"),
		tool(toolNetstat, toolNetstat, runsOf(0.004+1.1*s, 0.004+1.3*s, n+2, 90*n, nil), "netstat", "-tan"),
		tool("ss", toolSS, runsOf(0.003+2.3*s, 0.003+2.3*s, n+1, 80*n, nil), "-tan"),
		tool("netstat", toolNetstat, runsOf(0.008+5.3*s, 0.008+5.2*s, n+2, 90*n, nil), "-tan"),
		tool("procfs", toolSS, runsOf(0.003+3.3*s, 0.003+3.4*s, 1, 8, &n)),
	}}
	tan.entries[0].argv = []string{"/usr/bin/sockeye", "bench", "floor"}
	slow := tool("ss", toolSS, nil, "-tanp")
	if sockets < 1_000_000 {
		slow.runs = runsOf(0.01+600*s*s, 0.01+600*s*s, n+1, 120*n, nil)
	} else {
		slow.unfinished, slow.peak = true, 165_000_000
	}
	failed := tool("lsof", toolSS, nil, "-nPiTCP")
	failed.failure, failed.peak = "exit 9: not permitted", 0
	odd := tool("mine", toolSS, runsOf(0.5, 0, 0, 0, nil), "-x", "a b|c")
	odd.exit = 1
	tanp := &contest{cfg: cfg, question: questions[1], entries: []*entry{
		tool(toolSS, toolSS, runsOf(0.008+1.7*s, 0.008+2*s, n+1, 120*n, nil), "ss", "-tanp"),
		slow, failed, odd,
	}}
	return &Report{
		Version: formatVersion, Date: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
		Machine: Machine{System: "Linux", Kernel: "6.18.0", Arch: "x86_64", CPU: "ACME", CPUs: 2, Memory: 24 << 30, Load: "0.52", Root: true},
		Sockets: &Sockets{TCP: sockets}, Lab: &Lab{sockets, "pairs", 1 + sockets/20_000},
		Rounds: 3, Limit: 120,
		Programs:    []Program{{"sockeye", "sockeye v1.2 linux/amd64"}, {"ss", "ss utility, iproute2-7.3.0"}, {"netstat", "net-tools 2.10"}, {"mine", ""}},
		Comparisons: []Comparison{tan.comparison(), tanp.comparison()},
	}
}

func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriteJSON(t *testing.T) {
	r := testReport(1_000_000)
	got := written(t, r.WriteJSON)
	golden(t, "report.json", got)
	file := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
		t.Fatal(err)
	}
	back, err := ReadReport(file)
	if err != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("what was written reads as %+v, %v", back, err)
	}
}

func TestReadReport(t *testing.T) {
	dir := tree(t, map[string]string{"broken": "{", "newer": `{"version": 2}`, "empty": ""})
	for _, name := range []string{"broken", "empty"} {
		if r, err := ReadReport(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if _, err := ReadReport(filepath.Join(dir, "newer")); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("newer: %v", err)
	}
	if _, err := ReadReport(filepath.Join(dir, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}
