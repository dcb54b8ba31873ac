package lab

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Environment of the processes that the builder starts.
const (
	envChild = "SOCKEYE_LAB_CHILD" // what the child is: worker, share, exec, churn or fleeting
	envNetNS = "SOCKEYE_LAB_NETNS" // exec: the namespace to enter
	envExec  = "SOCKEYE_LAB_EXEC"  // exec: the program to become
	envComm  = "SOCKEYE_LAB_COMM"  // share: its name
	envTruth = "SOCKEYE_LAB"       // the command: the file with the truth
)

// exitLab is the exit status for a failure of the lab itself, as env(1) has it.
const exitLab = 125

// ChildMain must be called first in main, or in TestMain. In a process that a
// lab started it does that process's work and does not return; in any other it
// returns at once.
func ChildMain() {
	var err error
	switch os.Getenv(envChild) {
	case "":
		return
	case "worker":
		err = workerMain()
	case "share":
		err = shareMain()
	case "exec":
		err = execMain()
	case "churn":
		err = churnMain()
	case "fleeting":
		err = fleetingMain()
	}
	fmt.Fprintf(os.Stderr, "lab: %v\n", err)
	os.Exit(exitLab)
}

// message is what a worker writes to its standard output, one JSON value each.
type message struct {
	Made   int    `json:"made,omitempty"`
	Report *tally `json:"report,omitempty"`
	Err    string `json:"err,omitempty"`
}

// outlive ends the process, after a last act, when the builder is gone or wants
// it to be: the builder holds the other end of the pipe.
func outlive(act func()) {
	io.Copy(io.Discard, os.Stdin)
	act()
	os.Exit(0)
}

func setComm(name string) error { return os.WriteFile("/proc/self/comm", []byte(name), 0) }

func workerMain() error {
	var s spec
	if err := json.NewDecoder(os.Stdin).Decode(&s); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	if err := setComm(s.Comm); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	for _, l := range s.Accept {
		if l.Listener >= 0 {
			unix.CloseOnExec(l.Listener)
		}
	}
	var mu sync.Mutex
	enc := json.NewEncoder(os.Stdout)
	send := func(m message) {
		mu.Lock()
		defer mu.Unlock()
		enc.Encode(m) // fails when the builder is gone, and then outlive ends this process
	}
	pending := 0
	w := &worker{spec: &s, tally: newTally(), made: func(n int) {
		mu.Lock()
		pending += n
		n = pending
		if n >= 1024 {
			pending = 0
		}
		mu.Unlock()
		if n >= 1024 {
			send(message{Made: n})
		}
	}}
	var built atomic.Bool
	go outlive(func() {
		if built.Load() {
			w.abandon()
		}
	})
	err := w.build()
	if err == nil && len(w.share) > 0 {
		w.tally.Sharer, err = w.startSharer()
	}
	if err != nil {
		send(message{Err: err.Error()})
		select {} // the builder ends all workers; this one's exit would only make its partners complain too
	}
	built.Store(true)
	w.tally.pack()
	send(message{Made: pending, Report: w.tally})
	for w.keep != nil && len(w.keep.chunks) > 0 {
		time.Sleep(time.Second)
		if err := w.keep.refresh(time.Now()); err != nil {
			return err
		}
	}
	select {}
}

// startSharer starts a child that holds w.share too, as a forked server would.
func (w *worker) startSharer() (*Process, error) {
	r, ready, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("share: %w", err)
	}
	defer r.Close()
	files := []uintptr{0, ready.Fd(), 2}
	for _, fd := range w.share {
		files = append(files, uintptr(fd))
	}
	p := &Process{Comm: "lab-share", Held: map[string]int{"tcp": len(w.share)}}
	p.PID, err = syscall.ForkExec("/proc/self/exe", []string{p.Comm}, &syscall.ProcAttr{
		Files: files,
		Env:   childEnv("share", envComm+"="+p.Comm),
		// A child of the builder, which will wait for it: a worker that is killed leaves no zombies.
		Sys: &syscall.SysProcAttr{Cloneflags: unix.CLONE_PARENT},
	})
	ready.Close()
	if err != nil {
		return nil, fmt.Errorf("share: %w", err)
	}
	// The child closes its end once it has its name.
	_, err = io.Copy(io.Discard, r)
	return p, err
}

func shareMain() error {
	if err := setComm(os.Getenv(envComm)); err != nil {
		return fmt.Errorf("share: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("share: prctl: %w", err)
	}
	os.Stdout.Close()
	outlive(func() {}) // also when the builder died before prctl
	return nil
}

// childEnv keeps a child small: there can be hundreds.
func childEnv(role string, more ...string) []string {
	return append([]string{envChild + "=" + role, "GOMAXPROCS=2", "GOGC=off", "GODEBUG=asyncpreemptoff=1"}, more...)
}

// execMain enters the namespace and becomes the command.
func execMain() error {
	runtime.LockOSThread() // setns is for a thread, and exec takes that of the thread that calls it
	fd, err := unix.Open(os.Getenv(envNetNS), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open network namespace: %w", err)
	}
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("setns: %w", err)
	}
	path := os.Getenv(envExec)
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return name == envChild || name == envNetNS || name == envExec
	})
	err = syscall.Exec(path, os.Args, env)
	fmt.Fprintf(os.Stderr, "lab: exec %q: %v\n", path, err)
	os.Exit(126) // as env(1): found, but cannot be run
	return nil
}
