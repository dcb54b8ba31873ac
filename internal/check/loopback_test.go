package check

import (
	"errors"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLoopbackUp(t *testing.T) {
	runtime.LockOSThread() // never unlocked: the thread ends with the test, and the namespace with it
	if err := unix.Unshare(unix.CLONE_NEWNET); errors.Is(err, os.ErrPermission) {
		t.Skipf("needs CAP_SYS_ADMIN for a network namespace: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	reach := func() error { return unix.Connect(fd, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}}) }
	if err := reach(); !errors.Is(err, unix.ENETUNREACH) {
		t.Errorf("127.0.0.1 in a new namespace: %v", err)
	}
	if err := LoopbackUp(); err != nil {
		t.Fatal(err)
	}
	if err := reach(); err != nil {
		t.Errorf("127.0.0.1: %v", err)
	}
}
