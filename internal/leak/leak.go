// Package leak looks for what the tests of a package, or a function, leave behind: goroutines and file descriptors.
//
//	func TestMain(m *testing.M) { os.Exit(leak.Wrap(m).Run()) }
package leak

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// grace is how long goroutines may take to end when their tests have: name servers that do not answer are given up after half a minute.
const grace = time.Minute

// Tests are what TestMain runs: a *testing.M, or what wraps one.
type Tests interface{ Run() int }

// The main thread stays with the main goroutine: a test that locks its thread, moves it into a namespace and lets it end with the test
// could otherwise have that one, which Go does not end and which /proc/self stands for.
func init() { runtime.LockOSThread() }

// Wrap returns the tests with a look behind them. Run reports what is left on stderr, and returns 1 then. Tests that failed may leave
// what they like.
func Wrap(m Tests) Tests { return wrapped{m, grace} }

type wrapped struct {
	Tests
	grace time.Duration
}

func (w wrapped) Run() int {
	fds, routines := descriptors(), goroutines()
	code := w.Tests.Run()
	if f := flag.Lookup("test.fuzz"); code != 0 || f != nil && f.Value.String() != "" {
		return code
	}
	left := remaining(fds, routines, w.grace)
	for _, what := range left {
		fmt.Fprintf(os.Stderr, "leaked: %s\n", what)
	}
	if len(left) > 0 {
		return 1
	}
	return code
}

// Left runs a function and lists what is there then and was not before, as soon as it has had some seconds to go.
func Left(run func()) []string {
	fds, routines := descriptors(), goroutines()
	run()
	return remaining(fds, routines, grace)
}

// remaining lists what was not there before, once it has waited for it to go.
func remaining(fds map[int]string, routines map[string]string, wait time.Duration) (left []string) {
	for end := time.Now().Add(wait); ; time.Sleep(10 * time.Millisecond) {
		left = left[:0]
		now := goroutines()
		for _, id := range slices.Sorted(maps.Keys(now)) {
			if _, before := routines[id]; !before {
				left = append(left, now[id])
			}
		}
		open := descriptors()
		for _, fd := range slices.Sorted(maps.Keys(open)) {
			if fds[fd] != open[fd] {
				left = append(left, fmt.Sprintf("descriptor %d: %s", fd, open[fd]))
			}
		}
		if len(left) == 0 || time.Now().After(end) {
			return left
		}
	}
}

// descriptors returns what the process has open, but for what the runtime opens once and keeps.
func descriptors() map[int]string {
	open := map[int]string{}
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return open // no /proc, no look
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		target, lerr := os.Readlink("/proc/self/fd/" + name)
		switch {
		case err != nil || lerr != nil || fd == int(dir.Fd()):
		case target == "anon_inode:[eventpoll]" || target == "anon_inode:[eventfd]": // the poller
		default:
			open[fd] = target
		}
	}
	return open
}

// goroutines returns the stacks of all goroutines, by their numbers, but for the caller's and those that packages start once and keep.
func goroutines() map[string]string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	all := map[string]string{}
	for i, stack := range bytes.Split(buf, []byte("\n\n")) {
		text := string(stack)
		if i == 0 || strings.Contains(text, "\nos/signal.loop") || strings.Contains(text, "\nos/signal.signal_recv") {
			continue
		}
		id, _, _ := strings.Cut(strings.TrimPrefix(text, "goroutine "), " ")
		all[id] = text
	}
	return all
}
