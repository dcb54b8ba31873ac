// Command fuzz runs every fuzz target of the packages that it is given, one after the other, each for a time or a number of executions,
// and prints a line for each. What a target finds goes to its testdata/fuzz, and fails the run.
//
//	go run ./internal/fuzz -fuzztime 10s ./...
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sockeye-tools/sockeye/internal/counts"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r := runner{out: os.Stdout}
	flag.StringVar(&r.fuzztime, "fuzztime", "10s", "how long each target runs, or how often: 2000x")
	flag.StringVar(&r.parallel, "parallel", "", "how many inputs are tried at a time; processors, if not set")
	flag.StringVar(&r.match, "run", "", "only targets that this regular expression matches, as package.Target")
	flag.Parse()
	patterns := flag.Args()
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	if err := r.run(ctx, patterns); err != nil {
		fmt.Fprintf(os.Stderr, "fuzz: %v\n", err)
		os.Exit(1)
	}
}

type runner struct {
	fuzztime, parallel, match string

	out    io.Writer
	bin    string // a directory for test binaries
	corpus string // where go test keeps what it has learnt
}

// pkg is a package with fuzz targets.
type pkg struct{ path, dir string }

func (r *runner) run(ctx context.Context, patterns []string) error {
	match, err := regexp.Compile(r.match)
	if err != nil {
		return err
	}
	pkgs, err := packages(ctx, patterns)
	if err != nil {
		return err
	}
	cache, err := output(ctx, "", "go", "env", "GOCACHE")
	if err != nil {
		return err
	}
	r.corpus = filepath.Join(strings.TrimSpace(cache), "fuzz")
	if r.bin, err = os.MkdirTemp("", "fuzz"); err != nil {
		return err
	}
	defer os.RemoveAll(r.bin)
	begin := time.Now()
	all, err := r.build(ctx, pkgs)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.out, "%d packages built in %.0f s\n", len(pkgs), time.Since(begin).Seconds())
	targets, failed, executions := 0, 0, 0
	for i, p := range pkgs {
		for _, target := range all[i] {
			if !match.MatchString(p.path + "." + target) {
				continue
			}
			started := time.Now()
			found, err := r.fuzz(ctx, p, target)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			targets++
			executions += found.executions
			verdict := "ok  "
			if err != nil {
				verdict = "FAIL"
				failed++
			}
			fmt.Fprintf(r.out, "%s %-64s %10d executions, %4d new, %5.1f s\n", verdict, short(p.path)+"."+target, found.executions, found.interesting,
				time.Since(started).Seconds())
			if err != nil {
				fmt.Fprintf(r.out, "%s%v\n", cut(found.text), err)
			}
		}
	}
	fmt.Fprintf(r.out, "%d targets, %d executions, %d failed, %.0f s\n", targets, executions, failed, time.Since(begin).Seconds())
	switch {
	case targets == 0:
		return fmt.Errorf("no target in %s", strings.Join(patterns, " "))
	case failed > 0:
		return fmt.Errorf("%d of %d targets failed", failed, targets)
	}
	if err := counts.Append("fuzz targets", targets, "fuzz"); err != nil {
		return err
	}
	return counts.Append("fuzz executions", executions, "fuzz")
}

// declared is where a fuzz target begins.
var declared = regexp.MustCompile(`(?m)^func Fuzz\w*\(\w+ \*testing\.F\)`)

// packages returns those whose tests have fuzz targets.
func packages(ctx context.Context, patterns []string) (list []pkg, _ error) {
	args := append([]string{"list", "-f", "{{.ImportPath}}\t{{.Dir}}\t{{join .TestGoFiles \" \"}} {{join .XTestGoFiles \" \"}}"}, patterns...)
	out, err := output(ctx, "", "go", args...)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(out) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 3 {
			return nil, fmt.Errorf("go list said %q", line)
		}
		for name := range strings.FieldsSeq(f[2]) {
			b, err := os.ReadFile(filepath.Join(f[1], name))
			if err != nil {
				return nil, err
			}
			if declared.Match(b) {
				list = append(list, pkg{f[0], f[1]})
				break
			}
		}
	}
	return list, nil
}

// build builds the tests of the packages, some at a time, and returns their targets.
func (r *runner) build(ctx context.Context, pkgs []pkg) ([][]string, error) {
	all, errs := make([][]string, len(pkgs)), make([]error, len(pkgs))
	turn := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i, p := range pkgs {
		wg.Go(func() {
			turn <- struct{}{}
			all[i], errs[i] = r.targets(ctx, p)
			<-turn
		})
	}
	wg.Wait()
	return all, errors.Join(errs...)
}

func (r *runner) binary(p pkg) string {
	return filepath.Join(r.bin, strings.ReplaceAll(p.path, "/", "_")+".test")
}

// targets builds the package's test, with the fuzzer's instruments, and returns the names of its targets.
func (r *runner) targets(ctx context.Context, p pkg) (list []string, _ error) {
	if _, err := output(ctx, "", "go", "test", "-c", "-fuzz=.", "-o", r.binary(p), p.path); err != nil {
		return nil, err
	}
	out, err := output(ctx, p.dir, r.binary(p), "-test.list=^Fuzz")
	if err != nil {
		return nil, err
	}
	return strings.Fields(out), nil
}

// result is what a target did.
type result struct {
	executions, interesting int
	text                    string // all that it said
}

// fuzz runs one target.
func (r *runner) fuzz(ctx context.Context, p pkg, target string) (result, error) {
	args := []string{
		"-test.run=^$", "-test.fuzz=^" + target + "$", "-test.fuzztime=" + r.fuzztime,
		"-test.fuzzcachedir=" + filepath.Join(r.corpus, filepath.FromSlash(p.path)), "-test.fuzzminimizetime=5s",
	}
	if r.parallel != "" {
		args = append(args, "-test.parallel="+r.parallel)
	}
	cmd := exec.CommandContext(ctx, r.binary(p), args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it ends its workers then
	cmd.WaitDelay = 10 * time.Second
	cmd.Dir = p.dir
	out, err := cmd.CombinedOutput()
	if err != nil && ctx.Err() == nil && ranOut(string(out)) {
		err = nil
	}
	return resultOf(string(out)), err
}

// ranOut reports whether the fuzzer failed for no other reason than that the time was up while an input was being tried, which now and then
// it calls a failure.
func ranOut(text string) bool {
	_, why, failed := strings.Cut(text, "\n--- FAIL: ")
	_, why, _ = strings.Cut(why, "\n")
	why = strings.TrimSuffix(strings.TrimSuffix(why, "exit status 1\n"), "FAIL\n")
	return failed && strings.TrimSpace(why) == context.DeadlineExceeded.Error()
}

// progress is a line of the fuzzer's.
var progress = regexp.MustCompile(`execs: (\d+) .*new interesting: (\d+)`)

func resultOf(text string) result {
	found := result{text: text}
	for _, m := range progress.FindAllStringSubmatch(text, -1) { // the last counts
		found.executions, _ = strconv.Atoi(m[1])
		found.interesting, _ = strconv.Atoi(m[2])
	}
	return found
}

// cut is text without the ends of long lines: inputs are in files.
func cut(text string) string {
	const most = 600
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); len(line) > most {
			line = line[:most] + " ..."
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// short is a path without that of the module.
func short(path string) string { return strings.TrimPrefix(path, "github.com/sockeye-tools/sockeye/") }

// output runs a command, whose stderr is the program's.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return string(out), nil
}
