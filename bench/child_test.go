package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// envDo makes the test binary a child that takes CPU time or memory.
const envDo = "SOCKEYE_BENCH_TEST_DO"

var touched []byte

// touch makes n bytes resident.
func touch(n int) []byte {
	b := make([]byte, n)
	for i := 0; i < n; i += 4096 {
		b[i] = 1
	}
	return b
}

func childMain() {
	what, value, _ := strings.Cut(os.Getenv(envDo), " ")
	n, _ := strconv.Atoi(value)
	switch what {
	case "":
		return
	case "burn": // milliseconds of CPU time
		for {
			var ru unix.Rusage
			if unix.Getrusage(unix.RUSAGE_SELF, &ru); ru.Utime.Nano()+ru.Stime.Nano() >= int64(n)*1e6 {
				os.Exit(0)
			}
		}
	case "touch": // bytes
		touched = touch(n)
	}
	os.Exit(0)
}

func runShell(t *testing.T, weigh bool, limit time.Duration, script string) *Run {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skipf("needs a shell: %v", err)
	}
	r, err := runChild(t.Context(), []string{sh, "-c", script}, limit, weigh)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRunChild(t *testing.T) {
	for _, weigh := range []bool{false, true} {
		t.Run(fmt.Sprintf("weigh=%v", weigh), func(t *testing.T) {
			r := runShell(t, weigh, time.Minute, `printf 'a\nb\nc'; echo 'bad
	thing' >&2; exit 7`)
			if r.Exit != 7 || r.Signal != "" || r.Unfinished || r.Lines != 3 || r.Bytes != 5 || r.stdout != "a" || r.stderr != "bad" {
				t.Errorf("%+v", r)
			}
			if r.Wall <= 0 {
				t.Errorf("wall %v", r.Wall)
			}
			if r := runShell(t, weigh, time.Minute, `kill -USR1 $$; sleep 60`); r.Signal != "SIGUSR1" || r.Exit != 0 {
				t.Errorf("ended by a signal: %+v", r)
			}
			// A signal that the program catches arrives.
			if r := runShell(t, weigh, time.Minute, `trap 'exit 3' USR1; kill -USR1 $$; exit 4`); r.Exit != 3 {
				t.Errorf("caught a signal: %+v", r)
			}
			// exec again and again
			if r := runShell(t, weigh, time.Minute, `exec sh -c 'exec sh -c "echo x; exit 5"'`); r.Exit != 5 || r.Lines != 1 {
				t.Errorf("exec: %+v", r)
			}
		})
	}
	if _, err := runChild(t.Context(), []string{"/nonexistent/tool"}, time.Minute, true); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such program: %v", err)
	}
}

// alive tells whether the process of that number, written to file, is more than a zombie.
func alive(t *testing.T, file string) bool {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid := strings.TrimSpace(string(b))
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	for range 3000 { // SIGKILL was sent; it may not be delivered yet
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			return false
		}
		comm, rest, _ := bytes.Cut(stat, []byte(") "))
		ours := bytes.HasSuffix(comm, []byte("(sleep")) || bytes.HasSuffix(comm, []byte("(sh")) // else the number is another's by now
		if rest[0] == 'Z' || rest[0] == 'X' || !ours {
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
	unix.Kill(n, unix.SIGKILL)
	return true
}

func TestRunChildLimit(t *testing.T) {
	for _, weigh := range []bool{false, true} {
		t.Run(fmt.Sprintf("weigh=%v", weigh), func(t *testing.T) {
			pid := filepath.Join(t.TempDir(), "pid")
			t.Setenv("PIDFILE", pid)
			r := &Run{}
			for limit := 300 * time.Millisecond; r.Lines == 0 && limit < time.Minute; limit *= 4 { // until it comes so far
				r = runShell(t, weigh, limit, `sleep 600 & echo $! >$PIDFILE; echo x; wait`)
			}
			if !r.Unfinished || r.Signal != "" || r.failure() != "" || r.Lines != 1 {
				t.Errorf("%+v", r)
			}
			if alive(t, pid) {
				t.Error("a grandchild outlived the limit")
			}
		})
	}
}

// A program that prints too much is ended, whether it dies of the signal or is told of the limit.
func TestRunChildOutput(t *testing.T) {
	if n := mostOutput(); n < 1<<20 {
		t.Errorf("a program may print %d bytes", n)
	}
	was := mostOutput
	mostOutput = func() int64 { return 2_000_000 }
	defer func() { mostOutput = was }()
	for _, weigh := range []bool{false, true} {
		for _, script := range []string{`head -c 50000000 /dev/zero`, `trap "" XFSZ; head -c 50000000 /dev/zero; exit 1`, `yes | head -c 50000000; exit 0`} {
			r := runShell(t, weigh, time.Minute, script)
			if want := "printed more than 2.00 MB, a quarter of the memory that there is"; r.failure() != want || r.Bytes > 2_100_000 || r.Unfinished {
				t.Errorf("weigh=%v %s: %q, %d bytes", weigh, script, r.failure(), r.Bytes)
			}
		}
		if r := runShell(t, weigh, time.Minute, `yes | head -n 999999`); r.failure() != "" || r.Lines != 999_999 {
			t.Errorf("weigh=%v: %q, %d lines", weigh, r.failure(), r.Lines)
		}
	}
}

func TestRunChildEndsTheGroup(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	t.Setenv("PIDFILE", pid)
	r := runShell(t, false, time.Minute, `sleep 600 & echo $! >$PIDFILE`)
	if r.Unfinished || r.Exit != 0 {
		t.Errorf("%+v", r)
	}
	if alive(t, pid) {
		t.Error("a grandchild outlived the program")
	}
}

func TestRunChildCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	if r, err := runChild(ctx, []string{"/bin/sleep", "600"}, time.Hour, false); !errors.Is(err, context.Canceled) || r == nil || *r != (Run{User: r.User, System: r.System}) {
		t.Errorf("%+v, %v", r, err)
	}
}

// CPU time of grandchildren counts.
func TestRunChildCPU(t *testing.T) {
	t.Setenv("SELF", os.Args[0])
	t.Setenv(envDo, "burn 100")
	r := runShell(t, false, time.Minute, `"$SELF"; "$SELF"; exit 0`)
	if r.CPU() < 0.2 || r.CPU() > 5 {
		t.Errorf("CPU %.3f s, want 0.2 s and a bit", r.CPU())
	}
}

// The memory is the program's, however large the process is that started it.
func TestRunChildMemory(t *testing.T) {
	if touched == nil {
		touched = touch(96 << 20)
	}
	r := runShell(t, true, time.Minute, "exit 0")
	if r.PeakRSS == 0 {
		t.Skip("needs ptrace(2) of own children")
	}
	if r.PeakRSS < 100<<10 || r.PeakRSS > 32<<20 {
		t.Errorf("peak of a shell: %d bytes; ours is %d", r.PeakRSS, residentPeak("self"))
	}
	if r := runShell(t, false, time.Minute, "exit 0"); r.PeakRSS != 0 {
		t.Errorf("peak of a small program, not weighed: %d bytes, want none", r.PeakRSS)
	}
	const small = 16 << 20
	large := 2*residentPeak("self") + 32<<20
	t.Setenv(envDo, fmt.Sprint("touch ", small))
	if r, err := runChild(t.Context(), []string{os.Args[0]}, time.Minute, true); err != nil || r.PeakRSS < small || r.PeakRSS > 64<<20 {
		t.Errorf("peak of a program with several threads: %+v, %v", r, err)
	}
	t.Setenv(envDo, fmt.Sprint("touch ", large))
	t.Setenv("SELF", os.Args[0])
	if r := runShell(t, false, time.Minute, `"$SELF"; exit 0`); r.PeakRSS < large || r.PeakRSS > 4*large {
		t.Errorf("peak of a grandchild: %d bytes, want %d and a bit", r.PeakRSS, large)
	}
}

func TestParseResidentPeak(t *testing.T) {
	for in, want := range map[string]int64{
		"Name:\tx\nVmPeak:\t  20 kB\nVmHWM:\t    1234 kB\nVmRSS:\t 1 kB\n": 1234 << 10,
		"Name:\tx\n": 0,
		"Name:\tx\nVmHWM:\t  99999999999999999999 kB\n": 0,
	} {
		if got := parseResidentPeak([]byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestFailure(t *testing.T) {
	for _, tt := range []struct {
		run  Run
		want string
	}{
		{Run{}, ""},
		{Run{Exit: 1}, ""}, // nothing to show
		{Run{Exit: 1, Bytes: 10, stderr: "warning"}, ""}, // an answer, with a warning
		{Run{Exit: 1, stderr: "no permission"}, "exit 1: no permission"},
		{Run{Signal: "SIGSEGV", Bytes: 10}, "SIGSEGV"},
		{Run{Unfinished: true}, ""},
	} {
		if got := tt.run.failure(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.run, got, tt.want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "\x1b[31mred": `\x1b[31mred`, `say "no"`: `say "no"`, `a\b`: `a\b`, "µ×": "µ×",
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
}
