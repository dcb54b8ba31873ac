package lab

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/leak"
)

func readAll(t *testing.T, names ...string) string {
	t.Helper()
	var b strings.Builder
	for _, n := range names {
		v, err := os.ReadFile("/proc/sys/net/" + n)
		if err != nil {
			t.Error(err)
		}
		fmt.Fprintf(&b, "%s=%s", n, v)
	}
	return b.String()
}

func TestNamespace(t *testing.T) {
	needRoot(t)
	settings := []string{"ipv4/ip_local_port_range", "ipv4/tcp_max_tw_buckets", "ipv4/tcp_syncookies", "ipv4/tcp_child_ehash_entries", "core/somaxconn"}
	host := readAll(t, settings...)
	self, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	ns, err := newNamespace(16384)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("net:[%d]", ns.inode)
	var tid int
	if err := ns.do(func() error {
		tid = unix.Gettid()
		if tid == unix.Getpid() {
			t.Error("the namespace took the main thread")
		}
		if got, err := os.Readlink("/proc/thread-self/ns/net"); got != want || err != nil {
			t.Errorf("the thread is in %s, %v, want %s", got, err, want)
		}
		if err := furnish(5000, true); err != nil {
			return err
		}
		if got := readAll(t, "ipv4/tcp_max_tw_buckets"); got != "ipv4/tcp_max_tw_buckets=6024\n" {
			t.Errorf("setting %q", got)
		}
		// A hash of its own is reported as a positive number, a shared one as a negative one.
		if got := readAll(t, "ipv4/tcp_ehash_entries"); strings.Contains(got, "-") {
			t.Errorf("the namespace has the host's hash: %q", got)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if got, err := os.Readlink("/proc/self/ns/net"); got != self || err != nil || got == want {
		t.Errorf("the main thread is in %s, %v, want %s", got, err, self)
	}
	if got, err := os.Readlink(ns.path()); got != want || err != nil {
		t.Errorf("%s is %s, %v, want %s", ns.path(), got, err, want)
	}
	ns.close()
	if got, err := os.Readlink(fmt.Sprintf("/proc/self/task/%d/ns/net", tid)); err == nil && got != self {
		t.Errorf("the thread is left in %s", got)
	}
	if got := readAll(t, settings...); got != host {
		t.Errorf("the host's settings changed from\n%sto\n%s", host, got)
	}
}

func TestNamespacesDoNotPileUp(t *testing.T) {
	needRoot(t)
	left := leak.Left(func() {
		for range 5 {
			ns, err := newNamespace(0)
			if err != nil {
				t.Fatal(err)
			}
			ns.close()
		}
	})
	if len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
