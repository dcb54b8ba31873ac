package release

import (
	"os"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for s, want := range map[string]int{
		"6.18.0": Of(6, 18), "5.8.0-rc1": Of(5, 8), "7.0-rc2+": Of(7, 0), "4.15.0-213-generic": Of(4, 15), "3.10.0-1160.el7": Of(3, 10),
		"4.14.336": Of(4, 14), "unknown": 0, "": 0, "6": 0,
	} {
		if got := parse(s); got != want {
			t.Errorf("%q: %#x, want %#x", s, got, want)
		}
	}
}

func TestOf(t *testing.T) {
	for _, ordered := range [][2]int{{Of(5, 19), Of(6, 0)}, {Of(6, 9), Of(6, 18)}, {Of(4, 300), Of(5, 0)}, {0, Of(2, 6)}} {
		if ordered[0] >= ordered[1] {
			t.Errorf("%#x is not before %#x", ordered[0], ordered[1])
		}
	}
}

// The kernel tells the same in a file.
func TestRunning(t *testing.T) {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Skip("needs /proc:", err)
	}
	if got, want := Running(), parse(strings.TrimSpace(string(b))); got != want || got < Of(3, 0) {
		t.Errorf("%#x, want %#x", got, want)
	}
}
