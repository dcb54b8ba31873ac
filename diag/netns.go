package diag

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// inNamespace reports whether the calling thread is known to be in the network namespace ns.
func inNamespace(ns *os.File, proc string) bool {
	var want, have unix.Stat_t
	if unix.Fstat(int(ns.Fd()), &want) != nil || unix.Stat(proc+"/thread-self/ns/net", &have) != nil {
		return false
	}
	return want.Dev == have.Dev && want.Ino == have.Ino
}

// openIn opens a file below proc as a thread in the network namespace ns sees it; with no ns, as any thread does. What is below
// thread-self/net goes on showing that namespace.
func openIn(ns *os.File, proc, path string) (*os.File, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if ns == nil || inNamespace(ns, proc) {
		return os.Open(proc + path)
	}
	type result struct {
		f   *os.File
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- result{nil, os.NewSyscallError("setns", err)}
			return
		}
		f, err := os.Open(proc + path)
		done <- result{f, err}
	}()
	r := <-done
	return r.f, r.err
}
