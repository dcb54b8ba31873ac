package check

import (
	"os"
	"os/signal"
	"testing"
)

// Signals lets programs that the test starts begin with the signals as they are by default, also where this one began with them ignored:
// under nohup, or behind an & of a shell.
func Signals(t testing.TB, signals ...os.Signal) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, signals...) // what is caught here is not ignored after execve
	t.Cleanup(func() { signal.Stop(caught) })
}
