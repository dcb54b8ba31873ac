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
	"syscall"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/bench/lab"
	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/leak"
)

// The test binary is sockeye, as far as a benchmark knows it.
func TestMain(m *testing.M) {
	lab.ChildMain()
	args := os.Args[1:]
	if len(args) > 0 && strings.HasPrefix(args[0], "--owners=") {
		args = args[1:]
	}
	if len(args) > 0 {
		switch args[0] {
		case "bench":
			os.Exit(Main(&cli.Env{Ctx: context.Background(), Args: args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}))
		case "ss", "netstat":
			fmt.Println(os.Args[1:])
			os.Exit(0)
		case "version":
			fmt.Println("sockeye test")
			os.Exit(0)
		}
	}
	os.Exit(leak.Wrap(m).Run())
}

func self(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

// call runs a command line in this process. Of the environment it has PATH.
func call(t *testing.T, path string, backend owner.Backend, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	env := &cli.Env{
		Ctx: t.Context(), Args: append([]string{"bench"}, args...), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Getenv: func(name string) string {
			if name == "PATH" {
				return path
			}
			return ""
		},
		Owners: owner.Config{Backend: backend},
	}
	return Main(env), out.String(), errs.String()
}

func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		args   string
		stderr string
	}{
		{"--nope", "sockeye: bench: unrecognized option '--nope'\n"},
		{"-x", "sockeye: bench: invalid option -- 'x'\n"},
		{"word", "sockeye: bench: there is no verb \"word\": the verbs are impact, lab, run\n"},
		{"--question nope", "sockeye: bench: --question: there is no question \"nope\": want one of tan, "},
		{"--runs 0", "sockeye: bench: --runs: \"0\" is not a number from 1 to 1000\n"},
		{"--runs x", "sockeye: bench: --runs: \"x\" is not a number from 1 to 1000\n"},
		{"--limit 5", "sockeye: bench: --limit: time: missing unit in duration \"5\"\n"},
		{"--limit -5s", "sockeye: bench: --limit: -5s is no time to run\n"},
		{"--format pdf", "sockeye: bench: --format: \"pdf\": want table, json or svg\n"},
		{"--peer x", "sockeye: bench: --peer: x: want NAME=COMMAND\n"},
		{"--peer mine=/bin/true", "sockeye: bench: --peer mine is one command line, which answers one question: say with --question which one\n"},
		{"--peer a=/bin/sh --peer b=/bin/sh --peer a=/bin/cat", "sockeye: bench: --peer: there are two of the name \"a\"\n"},
		{"--go-peers /nonexistent", "sockeye: bench: --go-peers: exec: \"/nonexistent\": stat /nonexistent: no such file or directory\n"},
		{"run --sizes 10,x", "sockeye: bench: --sizes: \"x\" is not a number from 1 to 8000000\n"},
		{"run --sizes 0", "sockeye: bench: --sizes: \"0\" is not a number from 1 to 8000000\n"},
		{"run --shape round", "sockeye: bench: --shape: shape \"round\": want one of pairs, "},
		{"run now", "sockeye: bench: run takes no operand, but got \"now\"\n"},
		{"lab", "sockeye: bench: lab: no command to run\n"},
		{"lab --sockets 0 -- true", "sockeye: bench: --sockets: \"0\" is not a number from 1 to 8000000\n"},
		{"lab --ipv6 101 -- true", "sockeye: bench: --ipv6: \"101\" is not a number from 0 to 100\n"},
		{"floor --ext 0x100", "sockeye: bench: --ext: \"0x100\" is not a number from 0 to 255\n"},
		{"floor --sport 0", "sockeye: bench: --sport: \"0\" is not a number from 1 to 65535\n"},
		{"floor x", "sockeye: bench: floor takes no operand, but got \"x\"\n"},
	} {
		status, stdout, stderr := call(t, "", owner.Auto, strings.Fields(tt.args)...)
		if status != cli.ExitUsage || stdout != "" || !strings.HasPrefix(stderr, tt.stderr) {
			t.Errorf("bench %s: status %d, output %q, errors %q; want %q", tt.args, status, stdout, stderr, tt.stderr)
		}
	}
}

func TestHelp(t *testing.T) {
	for args, want := range map[string]string{
		"--help": compareHelp(), "-h": compareHelp(), "--runs 3 --help": compareHelp(),
		"lab --help": labHelp(), "run -h": runHelp(), "floor --help": floorHelp,
	} {
		status, stdout, stderr := call(t, "", owner.Auto, strings.Fields(args)...)
		if status != cli.ExitOK || stdout != want || stderr != "" {
			t.Errorf("bench %s: status %d, output %q, errors %q", args, status, stdout, stderr)
		}
	}
}

// A signal ends what is running, however it was started, and then the benchmark.
func TestSignal(t *testing.T) {
	dir := t.TempDir()
	pidfile := filepath.Join(dir, "pid")
	slow := filepath.Join(dir, "slow")
	if err := os.WriteFile(slow, []byte("#!/bin/sh\nsleep 600 & echo $! >"+pidfile+".new; mv "+pidfile+".new "+pidfile+"\nwait\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	cmd := exec.Command(self(t), "bench", "--question", "startup", "--peer", "slow="+slow, "--out", out)
	cmd.Env = append(os.Environ(), "PATH="+dir+":/bin:/usr/bin")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	pid := 0
	for range 3000 {
		if b, err := os.ReadFile(pidfile); err == nil {
			if pid, err = strconv.Atoi(strings.TrimSpace(string(b))); err != nil {
				t.Fatal(err)
			}
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if pid == 0 {
		t.Fatalf("the peer was not run: %s", stderr.String())
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 130 {
		t.Errorf("ended with %v, want status 130; %s", err, stderr.String())
	}
	gone := false
	for range 3000 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		ours := bytes.Contains(stat, []byte("(sleep)")) || bytes.Contains(stat, []byte("(slow)")) // else the number is another's by now
		if gone = err != nil || !ours || bytes.Contains(stat, []byte(") Z ")); gone {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !gone {
		syscall.Kill(pid, syscall.SIGKILL)
		t.Error("a process of the peer is still there")
	}
	if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a result: %v", err)
	}
}
