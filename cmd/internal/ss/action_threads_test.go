package ss

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Every thread that shares a descriptor is shown, as in ss: the test process itself has several, and two descriptors of one socket.
func TestThreads(t *testing.T) {
	p := peer(t)
	v := newVictims(t)
	fd, err := unix.FcntlInt(uintptr(v.fds["udp4"]), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for _, line := range []string{"-tanpT", "-uanpT", "-tuanpT --no-header", "-tanT", "-uanp"} {
		var want, got result
		for range 8 { // the runtime starts threads when it likes
			want = inNS(t, v.NetNS, nil, append([]string{p}, split(line)...)...)
			if got = inNS(t, v.NetNS, nil, "", line); got == want {
				break
			}
		}
		if got != want {
			t.Errorf("%s: %q\n%s", line, got.stderr, firstDiff(got.stdout, want.stdout))
		}
		if n := strings.Count(got.stdout, ",tid="); strings.Contains(line, "pT") != (n > 8) {
			t.Errorf("%s: %d threads\n%s", line, n, got.stdout)
		}
	}
}
