package bench

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCompare runs programs that write down each of their runs.
func TestCompare(t *testing.T) {
	dir := t.TempDir()
	order := filepath.Join(dir, "order")
	t.Setenv("ORDER", order)
	note := func(name string) string { return "echo " + name + " >>$ORDER\n" }
	cfg := Config{
		Programs: Programs{
			Sockeye: []string{script(t, dir, "sockeye", `case $1 in
version) echo sockeye v1 ;;
bench) echo "floor $4 $6" >>$ORDER; echo 3 ;;
*) echo sockeye-$1 >>$ORDER; printf 'head\na\nb\nc\n' ;;
esac`)},
			SS:      []string{script(t, dir, "ss", `[ "$1" = -V ] && exit; `+note("ss")+`printf 'head\na\nb\nc'; exit 1`)},
			Netstat: []string{script(t, dir, "netstat", `[ "$1" = -V ] && exit; `+note("netstat")+`sleep 600`)},
			Lsof:    []string{script(t, dir, "lsof", `[ "$1" = -v ] && exit; `+note("lsof")+`printf 'not permitted\033[7m\nmore\n' >&2; exit 9`)},
			GoPeers: script(t, dir, "peers", `[ "$1" = version ] && exit; `+note("peers")+`echo 3 sockets`),
			Others:  []Peer{{"gone", []string{"/nonexistent/tool"}}},
		},
		Questions: []Question{{
			Name: "q", Text: "a question", SS: []string{"-s"}, Netstat: []string{"-n"}, Lsof: []string{"-l"},
			Floor: []string{"--ext", "0x0", "--states", "0x1"}, GoPeers: []string{"p"},
		}},
		Rounds: 3, Limit: 2 * time.Second,
		Now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600)) },
		Lab: filepath.Join(dir, "no lab"),
	}
	var progress bytes.Buffer
	cfg.Progress = &progress
	r, err := Compare(t.Context(), cfg)
	for ; err == nil && strings.Count(progress.String(), "unfinished") > 1 && cfg.Limit < 30*time.Second; r, err = Compare(t.Context(), cfg) {
		cfg.Limit *= 4 // a busy machine takes longer
		progress.Reset()
		if err := os.Remove(order); err != nil {
			t.Fatal(err)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	limit := cfg.Limit.Seconds()
	b, err := os.ReadFile(order)
	if err != nil {
		t.Fatal(err)
	}
	round := "floor 0x0 0x1,sockeye-ss,sockeye-netstat,ss,"
	want := round + "netstat,lsof,peers," + strings.Repeat(round, 3)
	if got := strings.ReplaceAll(string(b), "\n", ","); got != want {
		t.Errorf("order of runs:\n%s\nwant\n%s", got, want)
	}
	if got := r.Date.Format(time.RFC3339Nano); got != "2026-01-02T02:04:05Z" {
		t.Errorf("date %s", got)
	}
	if r.Version != formatVersion || r.Rounds != 3 || r.Limit != limit || r.Lab != nil || len(r.Comparisons) != 1 || r.Programs[0].Version != "sockeye v1" {
		t.Errorf("%+v", r)
	}
	c := &r.Comparisons[0]
	for _, tt := range []struct {
		tool         string
		lines, bytes int64
		exit         int
		against      string
	}{
		{toolFloor, 1, 2, 0, toolSS}, {toolSS, 4, 11, 0, toolSS}, {toolNetstat, 4, 11, 0, toolNetstat}, {"ss", 4, 10, 1, toolSS},
	} {
		res := c.result(tt.tool)
		if res == nil || res.Figures == nil {
			t.Errorf("%s: %+v", tt.tool, res)
			continue
		}
		if res.Lines != tt.lines || res.Bytes != tt.bytes || res.Exit != tt.exit || len(res.Runs) != 3 || res.Wall <= 0 || res.Unfinished || res.Error != "" {
			t.Errorf("%s: %+v %+v", tt.tool, res, res.Figures)
		}
		of := c.result(tt.against).Figures
		if m := res.Sockeye; m == nil || m.Of != tt.against || m.Wall == nil || *m.Wall != res.Wall/of.Wall {
			t.Errorf("%s against %s: %+v", tt.tool, tt.against, m)
		}
		if m := res.Floor; tt.tool == toolFloor && m != nil || tt.tool != toolFloor && (m == nil || *m.Wall != res.Wall/c.result(toolFloor).Wall) {
			t.Errorf("%s against the floor: %+v", tt.tool, m)
		}
		var walls []float64
		for i := range res.Runs {
			walls = append(walls, res.Runs[i].Wall)
		}
		if res.Wall != median(walls) {
			t.Errorf("%s: %v is not the median of %v", tt.tool, res.Wall, walls)
		}
	}
	if n := c.result(toolFloor).Counted; n == nil || *n != 3 {
		t.Errorf("the floor counted %v", n)
	}
	if n := c.result(toolSS).Counted; n != nil {
		t.Errorf("sockeye counted %d, but it prints sockets", *n)
	}
	if res := c.result("netstat"); !res.Unfinished || res.Figures != nil || res.Error != "" || res.AtLeast == nil || *res.AtLeast.Wall != limit/c.result(toolNetstat).Wall {
		t.Errorf("unfinished: %+v", res)
	}
	for tool, want := range map[string]string{
		"lsof": `exit 9: not permitted\x1b[7m`,
		"p":    `printed "3 sockets", which is not a number of sockets`,
		"gone": "run /nonexistent/tool: no such file or directory",
	} {
		if res := c.result(tool); res.Error != want || res.Figures != nil || res.Unfinished {
			t.Errorf("%s: %+v, want the error %q", tool, res, want)
		}
	}
	for _, want := range []string{"q: warm-up: ss -s\n", "q: round 3 of 3\n", "netstat: unfinished after " + formatLimit(limit) + "\n", `lsof: exit 9: not permitted\x1b[7m`} {
		if !strings.Contains(progress.String(), want) {
			t.Errorf("progress has no %q:\n%s", want, progress.String())
		}
	}
}

// A tool that is unfinished in a later round has no figures, and is not run again either.
func TestCompareUnfinishedLater(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("RUNS", filepath.Join(dir, "runs"))
	slow := script(t, dir, "slow", `echo x >>$RUNS; [ "$(wc -l <$RUNS)" -ge 3 ] && sleep 600; echo x`)
	var res *Result
	for limit := 2 * time.Second; ; limit *= 4 { // a busy machine takes longer
		r, err := Compare(t.Context(), Config{
			Programs:  Programs{Sockeye: []string{"/bin/true"}, Others: []Peer{{"slow", []string{slow}}}},
			Questions: []Question{{Name: "q", SS: []string{}}}, Rounds: 4, Limit: limit,
		})
		if err != nil {
			t.Fatal(err)
		}
		res = r.Comparisons[0].result("slow")
		b, err := os.ReadFile(filepath.Join(dir, "runs"))
		if err == nil && string(b) == "x\nx\nx\n" {
			break
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) || len(b) > 6 || limit > 30*time.Second {
			t.Fatalf("runs %q, %v", b, err)
		}
		os.Remove(filepath.Join(dir, "runs"))
	}
	if !res.Unfinished || res.Figures != nil || len(res.Runs) != 2 || !res.Runs[1].Unfinished {
		t.Errorf("%+v", res)
	}
}

func TestCompareCancel(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(300*time.Millisecond, func() { cancel(errors.New("enough")) })
	_, err := Compare(ctx, Config{
		Programs:  Programs{Sockeye: []string{"/bin/true"}, Others: []Peer{{"sleep", []string{"/bin/sleep", "600"}}}},
		Questions: []Question{{Name: "q", SS: []string{}}}, Rounds: 1, Limit: time.Hour,
	})
	if err == nil || err.Error() != "compare: enough" {
		t.Errorf("%v", err)
	}
	for _, cfg := range []Config{{Rounds: 0, Limit: time.Second}, {Rounds: 1}} {
		if _, err := Compare(t.Context(), cfg); err == nil {
			t.Errorf("%d rounds of %v: no error", cfg.Rounds, cfg.Limit)
		}
	}
}

func TestCommandLine(t *testing.T) {
	for want, argv := range map[string][]string{
		"ss -tan":              {"ss", "-tan"},
		"ss -tnp 'sport = :1'": {"ss", "-tnp", "sport = :1"},
		`a '' 'it'\''s' '$x'`:  {"a", "", "it's", "$x"},
		`a '\x1b[0m'`:          {"a", "\x1b[0m"},
	} {
		if got := commandLine(argv); got != want {
			t.Errorf("commandLine(%q) = %s, want %s", argv, got, want)
		}
	}
}
