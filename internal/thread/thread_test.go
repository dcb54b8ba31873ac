package thread

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// The main thread is idle while a test runs: without care many of the goroutines get it. (Package leak, which would keep it, is not used
// here.)
func TestNotTheMainThread(t *testing.T) {
	ids := make(chan int)
	for range 200 {
		Go(func() { ids <- unix.Gettid() })
		if id := <-ids; id == unix.Getpid() {
			t.Fatal("on the main thread")
		}
	}
}

// A function has its thread alone, and with the function the thread ends.
func TestThreadsEnd(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	seen := map[int]bool{unix.Gettid(): true}
	ids, end := make(chan int), make(chan struct{})
	for range 10 {
		Go(func() {
			ids <- unix.Gettid()
			<-end
		})
		id := <-ids
		if seen[id] {
			t.Errorf("thread %d has two functions", id)
		}
		seen[id] = true
	}
	delete(seen, unix.Gettid())
	close(end)
	for id := range seen {
		for unix.Tgkill(unix.Getpid(), id, 0) == nil { // the test's deadline bounds it
			runtime.Gosched()
		}
	}
}
