package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Run is what one run of a program took.
type Run struct {
	// Wall is the time from before fork to the exit, in seconds.
	Wall float64 `json:"wall_seconds"`
	// User and System are CPU time in seconds, of the program and of those of its descendants that were waited for.
	User   float64 `json:"user_seconds"`
	System float64 `json:"system_seconds"`
	// PeakRSS is the largest resident set of the program, in bytes (VmHWM in proc_pid_status(5)); 0: not known. It is that of a
	// descendant, if that is larger and more than twice what the benchmark itself needs.
	PeakRSS int64 `json:"peak_rss_bytes,omitempty"`
	// Lines and Bytes are what it printed to its standard output.
	Lines int64 `json:"lines"`
	Bytes int64 `json:"bytes"`
	// Counted is the number of sockets that a program printed which only counts them; nil where a program prints the sockets.
	Counted *int64 `json:"counted,omitempty"`
	Exit    int    `json:"exit,omitempty"`
	// Signal is the name of the signal that ended the program, unless it was unfinished.
	Signal string `json:"signal,omitempty"`
	// Unfinished means that the program was ended at the time limit.
	Unfinished bool `json:"unfinished,omitempty"`

	stdout, stderr string // the first lines
	most           int64  // bytes that it could write to a file; 0: any
}

// CPU is User plus System.
func (r *Run) CPU() float64 { return r.User + r.System }

// failure tells why a run has no answer; "" means it has one. lsof's status is 1 also when there is nothing to show.
func (r *Run) failure() string {
	switch {
	case r.Unfinished:
		return ""
	case r.most > 0 && r.Bytes >= r.most:
		return "printed more than " + formatBytes(r.most) + ", a quarter of the memory that there is"
	case r.Signal != "":
		return r.Signal
	case r.Exit != 0 && r.Bytes == 0 && r.stderr != "":
		return fmt.Sprintf("exit %d: %s", r.Exit, r.stderr)
	}
	return ""
}

// runChild runs argv[0], a path, and ends it with all of its process group after limit, or when ctx is done: then the error is
// ctx's, and the run has the CPU time alone. With weigh the run is slower by a few stops, and PeakRSS is exact.
func runChild(ctx context.Context, argv []string, limit time.Duration, weigh bool) (*Run, error) {
	r, err := start(ctx, argv, limit, weigh)
	if weigh && (errors.Is(err, os.ErrPermission) || errors.Is(err, unix.ENOSYS)) { // no ptrace here
		r, err = start(ctx, argv, limit, false)
	}
	if err != nil {
		err = fmt.Errorf("run %s: %w", argv[0], err)
	}
	return r, err
}

func start(ctx context.Context, argv []string, limit time.Duration, weigh bool) (*Run, error) {
	// The thread that starts the child is its tracer, and the one whose end kills it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	stdout, err := memfile("sockeye-bench-stdout")
	if err != nil {
		return nil, err
	}
	defer stdout.Close()
	stderr, err := memfile("sockeye-bench-stderr")
	if err != nil {
		return nil, err
	}
	defer stderr.Close()

	c := &child{weigh: weigh}
	most := mostOutput()
	unlimit := limitFiles(most)
	begin := time.Now()
	c.pid, err = syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{null.Fd(), stdout.Fd(), stderr.Fd()},
		Sys:   &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Ptrace: weigh},
	})
	unlimit()
	if err != nil {
		return nil, err
	}
	timer := time.AfterFunc(limit, func() { c.kill(true) })
	defer timer.Stop()
	stop := context.AfterFunc(ctx, func() { c.kill(false) })
	defer stop()
	err = c.wait()
	wall := time.Since(begin)
	err = errors.Join(err, c.reap())
	if ctx.Err() != nil {
		ended := c.result()
		return &Run{User: ended.User, System: ended.System}, context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	r := c.result()
	r.Wall = wall.Seconds()
	if r.Lines, r.Bytes, err = stdout.count(); err != nil {
		return nil, err
	}
	r.stdout, r.stderr, r.most = stdout.firstLine(), printable(stderr.firstLine()), most
	return r, nil
}

// child is a running program, which leads a process group.
type child struct {
	pid   int
	weigh bool
	begun bool // the stop at its first exec is over

	mu         sync.Mutex
	peak       int64 // the program's, as its tracer saw it
	reaped     bool  // from now on the pid may be that of another process
	unfinished bool

	status unix.WaitStatus
	usage  unix.Rusage
}

// kill ends the process group.
func (c *child) kill(unfinished bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reaped {
		return
	}
	c.unfinished = c.unfinished || unfinished
	if c.weigh {
		c.look() // a killed process need not stop at its exit
	}
	unix.Kill(-c.pid, unix.SIGKILL)
}

// look reads how much memory the program has needed until now.
func (c *child) look() { c.peak = max(c.peak, residentPeak(strconv.Itoa(c.pid))) }

// wait returns when the child is a zombie, or was one.
func (c *child) wait() error {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, c.pid, &info, unix.WEXITED|unix.WNOWAIT, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return os.NewSyscallError("waitid", err)
		}
		const cldTrapped, cldStopped = 4, 5 // CLD_TRAPPED and CLD_STOPPED of asm-generic/siginfo.h
		if info.Code != cldTrapped && info.Code != cldStopped {
			return nil
		}
		if ended, err := c.stopped(); ended || err != nil {
			return err
		}
	}
}

// stopped lets a traced child go on from a stop, unless it ended there. The stop that matters is that at the exit: the memory is
// still there.
func (c *child) stopped() (ended bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ws unix.WaitStatus
	pid, err := unix.Wait4(c.pid, &ws, unix.WNOHANG, &c.usage)
	if pid == 0 || err != nil {
		return false, os.NewSyscallError("wait4", err)
	}
	if !ws.Stopped() { // killed in the meantime
		c.status, c.reaped = ws, true
		return true, nil
	}
	pass := 0
	switch sig := ws.StopSignal(); {
	case sig != unix.SIGTRAP:
		pass = int(sig)
	case ws.TrapCause() == unix.PTRACE_EVENT_EXIT:
		c.look()
	case ws.TrapCause() == 0 && c.begun:
		pass = int(sig)
	case ws.TrapCause() == 0:
		c.begun = true
		const options = unix.PTRACE_O_EXITKILL | unix.PTRACE_O_TRACEEXIT | unix.PTRACE_O_TRACEEXEC
		if err := unix.PtraceSetOptions(c.pid, options); err != nil && err != unix.ESRCH {
			return false, os.NewSyscallError("ptrace", err)
		}
	}
	if err := unix.PtraceCont(c.pid, pass); err != nil && err != unix.ESRCH { // ESRCH: killed in the meantime
		return false, os.NewSyscallError("ptrace", err)
	}
	return false, nil
}

// reap ends what the program left running, and takes its status.
func (c *child) reap() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reaped {
		return nil
	}
	unix.Kill(-c.pid, unix.SIGKILL) // the zombie keeps the number of the group from being used anew
	for {
		_, err := unix.Wait4(c.pid, &c.status, 0, &c.usage)
		if err == unix.EINTR {
			continue
		}
		if err == nil && c.status.Stopped() { // wait failed half-way
			unix.PtraceCont(c.pid, 0)
			continue
		}
		c.reaped = err == nil
		return os.NewSyscallError("wait4", err)
	}
}

func (c *child) result() *Run {
	r := &Run{
		User: seconds(c.usage.Utime), System: seconds(c.usage.Stime),
		Unfinished: c.unfinished,
	}
	// A child begins with the memory of its parent, and ru_maxrss does not forget that at exec: it is about the program only where
	// it is clearly more. Both are sums of counters of each CPU, and not exact.
	r.PeakRSS = c.peak
	if rss, ours := int64(c.usage.Maxrss)<<10, residentPeak("self"); ours > 0 && rss > 2*ours {
		r.PeakRSS = max(rss, c.peak)
	}
	switch {
	case c.status.Exited():
		r.Exit = c.status.ExitStatus()
	case c.status.Signaled() && !c.unfinished:
		r.Signal = unix.SignalName(c.status.Signal())
	}
	return r
}

func seconds(tv unix.Timeval) float64 { return float64(tv.Nano()) / 1e9 }

// residentPeak is VmHWM of a process, in bytes, or 0.
func residentPeak(pid string) int64 {
	b, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	return parseResidentPeak(b)
}

func parseResidentPeak(status []byte) int64 {
	_, b, _ := bytes.Cut(status, []byte("\nVmHWM:"))
	b, _, _ = bytes.Cut(b, []byte(" kB\n"))
	n, err := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64)
	if err != nil || n > math.MaxInt64>>10 {
		return 0
	}
	return n << 10
}

// printable escapes what a terminal would take for a command.
func printable(s string) string {
	q := strconv.QuoteToGraphic(s)
	return strings.ReplaceAll(strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`), `\\`, `\`)
}
