package ss

import (
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/peers"
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
	v.do(t, func() error { return v.open("sole", unix.SOCK_DGRAM, 0, "127.0.0.1:7007", "") })
	sole := ",tid=" + strconv.Itoa(int(alone(t, func() {}))) + "," // keeps it
	unix.Close(v.fds["sole"])
	delete(v.fds, "sole")
	for _, line := range []string{"-tanpT", "-uanpT", "-tuanpT --no-header", "-tanT", "-uanp sport != 7007"} { // which ss finds by -T alone
		got, want := peers.Agree( // the runtime starts threads when it likes
			func() result { return inNS(t, v.NetNS, nil, "", line) },
			func() result { return inNS(t, v.NetNS, nil, append([]string{p}, split(line)...)...) })
		if got != want {
			t.Errorf("%s: %q\n%s", line, got.stderr, firstDiff(got.stdout, want.stdout))
		}
		if n := strings.Count(got.stdout, ",tid="); strings.Contains(line, "pT") != (n > 8) {
			t.Errorf("%s: %d threads\n%s", line, n, got.stdout)
		}
		if _, row, _ := strings.Cut(got.stdout, ":7007 "); line == "-uanpT" {
			row, _, _ = strings.Cut(row, "\n")
			if strings.Count(row, ",tid=") != 1 || !strings.Contains(row, sole) {
				t.Errorf("want %q alone: %s", sole, row)
			}
		}
	}
}

// Threads that share the first one's descriptors are known by that, and only the others are looked into for each socket.
func TestThreadsShare(t *testing.T) {
	pid := int32(os.Getpid())
	if !sameFiles(pid, pid) {
		t.Skip("needs kcmp(2)")
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		t.Fatal(err)
	}
	// One thread keeps its descriptors, and another closes the socket's and opens one that no other thread has.
	var sole int
	var soleStat unix.Stat_t
	holds := alone(t, func() {})
	without := alone(t, func() {
		unix.Close(fd)
		if sole, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err == nil {
			err = unix.Fstat(sole, &soleStat)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	ts := newThreads(nil, "")
	has := map[int32]bool{}
	for _, th := range ts.Threads(nil, owner.Owner{PID: pid, FD: int32(fd)}, uint32(stat.Ino)) {
		has[th.TID] = th.FD == int32(fd)
	}
	shared := slices.ContainsFunc(ts.of[pid], func(th thread) bool { return th.shares && th.TID != pid && has[th.TID] })
	if !shared || !has[pid] || !has[holds] || has[without] {
		t.Errorf("%v; %d has it and %d has not", ts.of[pid], holds, without)
	}
	for _, th := range ts.of[pid] {
		if th.shares && (th.TID == holds || th.TID == without) {
			t.Errorf("%d has descriptors of its own", th.TID)
		}
	}
	if none := ts.Threads(nil, owner.Owner{PID: pid, FD: int32(fd)}, 0); len(none) > 0 {
		t.Errorf("another socket's: %v", none)
	}
	if list := ts.Threads(nil, owner.Owner{PID: pid, FD: int32(sole)}, uint32(soleStat.Ino)); len(list) != 1 || list[0].TID != without {
		t.Errorf("%v, but %d alone has it", list, without)
	}
}

// alone starts a thread with a descriptor table of its own, which lives as long as the test, and returns its id once it has run f.
func alone(t *testing.T, f func()) int32 {
	t.Helper()
	ids, done := make(chan int), make(chan struct{})
	t.Cleanup(func() { close(done) })
	pid := os.Getpid()
	go func() {
		runtime.LockOSThread() // not unlocked: the thread ends with the goroutine
		switch id := unix.Gettid(); {
		case id == pid: // which all of the process is seen by
			ids <- id
			<-done
			runtime.UnlockOSThread()
			return
		case unix.Unshare(unix.CLONE_FILES) != nil:
			ids <- 0
			return
		}
		f()
		ids <- unix.Gettid()
		<-done
	}()
	switch id := <-ids; id {
	case 0:
		t.Skip("needs unshare(CLONE_FILES)")
		return 0
	case pid: // is taken now
		return alone(t, f)
	default:
		return int32(id)
	}
}
