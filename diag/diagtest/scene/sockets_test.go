package scene

import (
	"errors"
	"net/netip"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSockaddr(t *testing.T) {
	for _, s := range []string{"127.0.0.1:22", "[::1]:80", "[::ffff:127.0.0.1]:80", "[fe80::1]:7"} {
		ap := netip.MustParseAddrPort(s)
		sa := sockaddr(familyOf(ap), ap, 3)
		if got := addrPort(sa); got != ap {
			t.Errorf("%v comes back as %v", ap, got)
		}
		if six, ok := sa.(*unix.SockaddrInet6); ok && (six.ZoneId == 3) != ap.Addr().IsLinkLocalUnicast() {
			t.Errorf("%v has zone %d", ap, six.ZoneId)
		}
	}
}

// A step that fails ends the building with its error, and everything made so far is closed.
func TestBuildError(t *testing.T) {
	b := &builder{Scene: new(Scene)}
	failed := func(f func()) (err error) {
		defer func() {
			if e, ok := recover().(buildError); ok {
				err = e.err
			}
		}()
		f()
		return nil
	}
	if err := failed(func() { b.add(Expect{Name: "x"}); b.add(Expect{Name: "x"}) }); !errors.Is(err, os.ErrExist) {
		t.Errorf("two sockets of a name: %v", err)
	}
	if err := failed(func() { b.miss("PERM", unix.EPERM) }); !errors.Is(err, unix.EPERM) {
		t.Errorf("EPERM is taken for a missing kind: %v", err)
	}
	if err := failed(func() { b.miss("SCTP", unix.EPROTONOSUPPORT) }); err != nil || !b.Lacks("SCTP") {
		t.Errorf("EPROTONOSUPPORT: %v, missing %q", err, b.Missing)
	}
	if err := failed(func() { b.amend("no such") }); err == nil {
		t.Error("amend of nothing")
	}
}
