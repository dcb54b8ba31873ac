package diag

import "testing"

func TestTimerNames(t *testing.T) {
	for i, want := range []string{"off", "on", "keepalive", "timewait", "persist", "delack", "timer-6"} {
		if got := Timer(i).String(); got != want {
			t.Errorf("Timer(%d) is %q, want %q", i, got, want)
		}
	}
}
