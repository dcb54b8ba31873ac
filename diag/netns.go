package diag

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// inNamespace reports whether the calling thread is in the network namespace ns. Where that cannot be told, it is taken to be.
func inNamespace(ns *os.File) bool {
	var want, have unix.Stat_t
	if unix.Fstat(int(ns.Fd()), &want) != nil || unix.Stat("/proc/thread-self/ns/net", &have) != nil {
		return true
	}
	return want.Dev == have.Dev && want.Ino == have.Ino
}

// openIn opens a file as a thread in the network namespace ns sees it. What is below /proc/thread-self/net goes on showing that
// namespace.
func openIn(ns *os.File, path string) (*os.File, error) {
	if ns == nil || inNamespace(ns) {
		return os.Open(path)
	}
	type result struct {
		f   *os.File
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- result{nil, &os.PathError{Op: "setns", Path: path, Err: err}}
			return
		}
		f, err := os.Open(path)
		done <- result{f, err}
	}()
	r := <-done
	return r.f, r.err
}
