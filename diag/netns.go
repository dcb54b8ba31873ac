package diag

import (
	"errors"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/thread"
)

// duplicate returns a descriptor of its own of a network namespace.
func duplicate(fd uintptr) (*os.File, error) {
	n, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, &Error{Op: "open network namespace", Err: err}
	}
	return os.NewFile(uintptr(n), "netns"), nil
}

// inNamespace reports whether the calling thread is known to be in the network namespace ns.
func inNamespace(ns *os.File, proc string) bool {
	var want, have unix.Stat_t
	if unix.Fstat(int(ns.Fd()), &want) != nil || unix.Stat(proc+"/thread-self/ns/net", &have) != nil {
		return false
	}
	return want.Dev == have.Dev && want.Ino == have.Ino
}

// inNetNS calls f on a thread that is in the network namespace ns; with no ns, on any.
func inNetNS(ns *os.File, proc string, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if ns == nil || inNamespace(ns, proc) {
		return f()
	}
	done := make(chan error)
	thread.Go(func() {
		defer close(done)
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- os.NewSyscallError("setns", err)
			return
		}
		done <- f()
	})
	err, ok := <-done
	if !ok { // by f: runtime.Goexit
		return errors.New("the goroutine was ended")
	}
	return err
}

// openIn opens a file below proc as a thread in the network namespace ns sees it. What is below thread-self/net goes on showing that
// namespace.
func openIn(ns *os.File, proc, path string) (f *os.File, err error) {
	err = inNetNS(ns, proc, func() error {
		f, err = os.Open(proc + path)
		return err
	})
	return f, err
}
