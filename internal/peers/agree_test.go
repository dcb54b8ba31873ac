package peers

import (
	"testing"
	"time"
)

func TestEnough(t *testing.T) {
	for _, tt := range []struct {
		strikes int
		since   time.Duration
		want    bool
	}{{0, 4 * time.Minute, false}, {3, time.Second, false}, {4, time.Second, true}, {1, 2 * time.Minute, true}, {0, 6 * time.Minute, true}} {
		if got := Enough(tt.strikes, tt.since); got != tt.want {
			t.Errorf("%d times in %v: %v", tt.strikes, tt.since, got)
		}
	}
}
