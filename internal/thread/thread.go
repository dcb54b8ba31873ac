// Package thread gives functions a thread of their own, for what Linux keeps by thread: namespaces, death signals of children.
package thread

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Go calls f on another goroutine, locked to a thread that ends with f, unless f puts the thread back as it was and unlocks it. That
// thread is never the main one: Go does not end that, and what others find below /proc/self, and so /proc/net, is its.
func Go(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			f()
			return
		}
		// The main thread is held until the other goroutine has locked another one.
		locked := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(locked)
			f()
		}()
		<-locked
		runtime.UnlockOSThread()
	}()
}
