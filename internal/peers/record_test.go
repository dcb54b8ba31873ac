package peers

import (
	"fmt"
	"runtime"
	"testing"
)

// A record is a test that only notes how it ended.
type record struct {
	testing.TB
	skipped bool
	failed  bool
	text    string
}

// run runs f as a test.
func (r *record) run(f func(testing.TB)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
}

func (r *record) Helper() {}

func (r *record) Error(args ...any)                 { r.fail(fmt.Sprintln(args...)) }
func (r *record) Errorf(format string, args ...any) { r.fail(fmt.Sprintf(format, args...)) }

func (r *record) Fatal(args ...any) {
	r.fail(fmt.Sprintln(args...))
	runtime.Goexit()
}

func (r *record) Fatalf(format string, args ...any) {
	r.fail(fmt.Sprintf(format, args...))
	runtime.Goexit()
}

func (r *record) Skipf(format string, args ...any) {
	r.skipped = true
	r.text += fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *record) fail(text string) {
	r.failed = true
	r.text += text
}
