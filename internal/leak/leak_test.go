package leak

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { os.Exit(Wrap(m).Run()) }

func TestRemaining(t *testing.T) {
	fds, routines := descriptors(), goroutines()
	if left := remaining(fds, routines, 0); len(left) > 0 {
		t.Errorf("%q was left by nobody", left)
	}
	f, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan bool)
	go lingering(stop)
	left := remaining(fds, routines, 0)
	if len(left) != 2 || !strings.Contains(left[0], "leak_test.go") || !strings.HasSuffix(left[1], ": /dev/null") {
		t.Errorf("left: %q", left)
	}
	f.Close()
	time.AfterFunc(50*time.Millisecond, func() { close(stop) })
	if left := remaining(fds, routines, time.Minute); len(left) > 0 {
		t.Errorf("%q was waited for in vain", left)
	}
}

func TestLeft(t *testing.T) {
	f, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan bool)
	left := Left(func() {
		f.Close() // less than before is nothing left
		go lingering(stop)
		time.AfterFunc(50*time.Millisecond, func() { close(stop) })
	})
	if len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

func lingering(stop chan bool) { <-stop }

// passing are tests of which some leave a descriptor.
type passing func() int

func (p passing) Run() int { return p() }

func TestWrap(t *testing.T) {
	if code := Wrap(passing(func() int { return 0 })).Run(); code != 0 {
		t.Errorf("status %d", code)
	}
	if code := Wrap(passing(func() int { return 7 })).Run(); code != 7 {
		t.Errorf("status %d", code)
	}
	var left []*os.File
	leaking := func(code int) passing {
		return func() int {
			f, err := os.Open("/dev/null")
			if err != nil {
				t.Fatal(err)
			}
			left = append(left, f)
			return code
		}
	}
	if code := (wrapped{leaking(0), 0}).Run(); code != 1 {
		t.Errorf("status %d of tests that leave a descriptor", code)
	}
	if code := (wrapped{leaking(7), 0}).Run(); code != 7 {
		t.Errorf("status %d of tests that failed", code)
	}
	for _, f := range left {
		f.Close()
	}
}
