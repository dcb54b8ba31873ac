package peers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
)

// host runs commands where the test is.
type host struct{}

func (host) Run(cmd *exec.Cmd) error { return cmd.Run() }

// The peers are like themselves in a scene, with everything on that changes with time.
func TestCompareLive(t *testing.T) {
	s := scene.New(t)
	ss, netstat := SS(t), Netstat(t)
	for _, args := range [][]string{{"-tan"}, {"-tanoeim"}, {"-tanoeimO", "--tos", "--inet-sockopt"}, {"-uanemp"}, {"-Mani"}, {"-xae"}, {"-0ane"}, {"-wan"},
		{"-ta"}, {"-tlnp"}, {"-tan", "state", "time-wait"}, {"--no-such-option"}, {"-A", "nonsense"}} {
		Compare(t, s, append([]string{ss}, args...), append([]string{ss}, args...), Options{})
	}
	for _, args := range [][]string{{"-an"}, {"-aneop"}, {"-aeW"}, {"-lx"}, {"-rn"}, {"-i"}, {"-s"}, {"-gn"}, {"--no-such-option"}} {
		Compare(t, s, append([]string{netstat}, args...), append([]string{netstat}, args...), Options{})
	}
	Compare(t, s, []string{ss, "-tan"}, []string{ss, "-tan"}, Options{KeepBlanks: true, Env: []string{"COLUMNS=100"}})
	Compare(t, s, []string{ss, "-f", "netlink", "-an"}, []string{ss, "-f", "netlink", "-an"}, Options{DropOwn: true})
}

// What the commands say is told apart where it differs in a single thing.
func TestCompareDoctored(t *testing.T) {
	s := scene.New(t)
	ss, netstat := SS(t), Netstat(t)
	for _, c := range []struct {
		peer   string
		args   string
		doctor string // shell pipeline behind ours
		want   string // in the diff; empty: equal
	}{
		{ss, "-tanoi", "cat", ""},
		{ss, "-tanoi", "sed 's/CLOSING/CLOSED/'", "- CLOSING"},
		{ss, "-tanoi", "sed '/:31014/d'", ":31014"},
		{ss, "-tanoi", "sed 's/timer:(timewait,[^,]*/timer:(timewait,9sec/'", ""},
		{ss, "-tanoi", "sed 's/timer:(timewait,[^,]*/timer:(timewait,9s/'", "timer:(timewait,9s,"},
		{ss, "-tanoi", "sed 's/ timer:(timewait,[^)]*)//'", "timer:(timewait,TIME,0)"},
		{ss, "-tanoi", "sed 's/timer:(keepalive/timer:(on/'", "timer:(keepalive,TIME,0)"},
		{ss, "-tanoi", "sed 's/ lastrcv:[0-9]*//'", "lastrcv:TIME"},
		{ss, "-tanoi", "sed 's/rto:20/rto:21/'", "rto:21"},
		{ss, "-tanoi", "sed 's/  */  /g'", ""},
		{ss, "-tanoi", "sed 's/ lastack/lastack/'", "lastack"},
		{ss, "-tanoi", "head -c -1", "(no newline)"},
		{ss, "-tanoi", "{ cat; echo oops >&2; }", "+ standard error: oops"},
		{ss, "-tanoi", "{ cat; exit 3; }", "+ exit status 3"},
		{ss, "-tan", "tac", "State"},
		{netstat, "-ano", "cat", ""},
		{netstat, "-ano", "sed 's/  */ /g'", "Proto"},
		{netstat, "-ano", "sed '3s/$/ /'", "/0/0) $"},
		{netstat, "-ano", "sed 's/timewait ([0-9.]*/timewait (9.99/'", ""},
		{netstat, "-ano", "sed 's/timewait ([0-9.]*/timewait (9.9/'", "timewait (9.9/0/0)"},
		{netstat, "-ano", "sed 's/off (0.00/off (0.01/'", "off (0.01/0/0)"},
	} {
		ours := filepath.Join(t.TempDir(), "ours")
		script := fmt.Sprintf("#!/bin/bash\nset -o pipefail\n%s %s | %s\n", c.peer, c.args, c.doctor)
		if err := os.WriteFile(ours, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		diff, err := compare(t.Context(), s, []string{c.peer, c.args}, []string{ours}, &Options{})
		switch {
		case err != nil:
			t.Errorf("%s: %v", c.doctor, err)
		case c.want == "" && diff != "":
			t.Errorf("%s: equal, but:\n%s", c.doctor, diff)
		case c.want != "" && !strings.Contains(diff, c.want):
			t.Errorf("%s: %q is not in the diff:\n%s", c.doctor, c.want, diff)
		}
	}
}

// script writes a shell script of that name.
func script(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte("#!/bin/bash\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCompareOptions(t *testing.T) {
	print := func(text string) []string { return []string{script(t, "ss", "printf '%b' "+strconv.Quote(text))} }
	for _, c := range []struct {
		name       string
		peer, ours []string
		opts       Options
		equal      bool
	}{
		{"blanks are folded", print("a  b  "), print("a b"), Options{}, true},
		{"blanks are kept", print("a  b"), print("a b"), Options{KeepBlanks: true}, false},
		{"mask", print("n=1"), print("n=2"), Options{Masks: []Mask{{regexp.MustCompile(`n=\d+`), "n=N"}}}, true},
		{"mask without its figure", print("n=1"), print(""), Options{Masks: []Mask{{regexp.MustCompile(`n=\d+`), "n=N"}}}, false},
		{"deviation", print("a.c"), print("abc"), Options{Peer: func(s string) string { return strings.ReplaceAll(s, ".", "b") }}, true},
		{"deviation is the peer's alone", print("abc"), print("a.c"), Options{Peer: func(s string) string { return strings.ReplaceAll(s, ".", "b") }}, false},
		{"environment", []string{script(t, "ss", "echo $X")}, print("y\n"), Options{Env: []string{"X=y"}}, true},
		{"standard input", []string{script(t, "ss", "cat")}, print("y\n"), Options{Stdin: "y\n"}, true},
		{"own socket", []string{script(t, "ss", "echo rtnl:ss/$$; echo 0:$$; echo a")}, print("a\n"), Options{DropOwn: true}, true},
		{"own number elsewhere", []string{script(t, "ss", "echo pid=$$")}, print(""), Options{DropOwn: true, Masks: []Mask{{regexp.MustCompile(`\d+`), "N"}}}, false},
	} {
		diff, err := compare(t.Context(), host{}, c.peer, c.ours, &c.opts)
		if err != nil || (diff == "") != c.equal {
			t.Errorf("%s: %v\n%s", c.name, err, diff)
		}
	}
}

// A peer that differs from itself is asked again, and is no judge if it does so always.
func TestCompareRestless(t *testing.T) {
	count := filepath.Join(t.TempDir(), "count")
	next := fmt.Sprintf("n=$(cat %s 2>/dev/null || echo 0); echo $((n+1)) >%[1]s\n", count)
	run := func(peer, ours string, opts Options) (diff string, err error) {
		if err := os.RemoveAll(count); err != nil {
			t.Fatal(err)
		}
		return compare(t.Context(), host{}, []string{script(t, "ss", next+peer)}, []string{script(t, "ours", ours)}, &opts)
	}
	for name, peer := range map[string]string{
		"settles late":     "echo $((n < 17 ? n : 25))", // in the ninth comparison
		"comes and goes":   "echo $((n < 2 ? 0 : 25))",  // is as it was, and ours has seen something else
		"as it was before": "echo $((n + 25))",
		"as it was after":  "echo $((n + 24))",
	} {
		if diff, err := run(peer, "echo 25", Options{}); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	impatient := Options{patience: 100 * time.Millisecond}
	if _, err := run("echo $n", "echo other", impatient); !errors.Is(err, errRestless) {
		t.Errorf("error %v, want %v", err, errRestless)
	}
	// Only what did not change is a judge.
	if diff, err := run("echo $((n % 4 < 2 ? n : 9))", "echo other", impatient); err != nil || !strings.Contains(diff, "- 9$\n+ other$\n") {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestCompareReports(t *testing.T) {
	same := script(t, "ss", "echo a")
	for want, ours := range map[string]string{
		"":                   same,
		"- a$\n+ b$":         script(t, "ours", "echo b"),
		"no such file":       "/nonexistent/sockeye",
		"signal: terminated": script(t, "ours", "kill $$"),
	} {
		r := &record{TB: t}
		r.run(func(tb testing.TB) { Compare(tb, host{}, []string{same}, []string{ours}, Options{}) })
		if r.failed != (want != "") || !strings.Contains(r.text, want) {
			t.Errorf("want %q: failed %v: %s", want, r.failed, r.text)
		}
	}
	if _, err := compare(t.Context(), host{}, []string{"/bin/echo"}, []string{same}, &Options{}); err == nil {
		t.Error("echo is taken for a peer")
	}
}
