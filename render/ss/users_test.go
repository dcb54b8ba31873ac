package ss

import (
	"testing"

	"github.com/sockeye-tools/sockeye/diag/owner"
)

func TestAppendUsers(t *testing.T) {
	p := Writer{}
	if got := p.appendUsers(nil, 2); got != nil {
		t.Errorf("without owners: %q", got)
	}
	p.owners = newFakeOwners()
	for inode, want := range map[uint32]string{
		0: "", // has none
		1: "", // has one that is not known
		2: ` users:(("?",pid=4242,fd=3),("server",pid=7,fd=12),("server",pid=7,fd=3))`,
	} {
		if got := string(p.appendUsers(nil, inode)); got != want {
			t.Errorf("inode %d: %q, want %q", inode, got, want)
		}
	}
	if p.Unowned() != 1 {
		t.Errorf("%d sockets without known owner, want 1", p.Unowned())
	}
}

// TestAppendComm: each of these was seen from ss.
func TestAppendComm(t *testing.T) {
	for comm, want := range map[string]string{
		"nginx": "nginx", "sp ace": "sp ace", " lead": " lead", "(sd-pam)": "(sd-pam", "a)b": "a", ")x": "", "((a)b)": "((a",
		"a\nb": "a.b", "tab\tx": "tab.x", "\xff\x7f\x1b[1m": "?..[1m", "größe": "gr????e", `a"b\c`: `a"b\c`, "": "",
	} {
		if got := string(appendComm(nil, comm)); got != want {
			t.Errorf("%q: %q, want %q", comm, got, want)
		}
	}
}

// fakeThreads: process 7 has two more threads, of which one does not share descriptor 3.
type fakeThreads struct{ fakeOwners }

func (fakeThreads) Threads(dst []Thread, o owner.Owner, inode uint32) []Thread {
	if o.PID != 7 {
		return dst
	}
	if o.FD != 3 {
		dst = append(dst, Thread{8, o.FD, "wor)ker"})
	}
	return append(dst, Thread{9, o.FD, "\x1b"})
}

// TestAppendThreads: a thread's descriptors stand together, as in ss.
func TestAppendThreads(t *testing.T) {
	p := Writer{opt: Options{Threads: true}, owners: fakeThreads{newFakeOwners()}}
	const want = ` users:(("?",pid=4242,tid=4242,fd=3),(".",pid=7,tid=9,fd=12),(".",pid=7,tid=9,fd=3),("wor",pid=7,tid=8,fd=12),` +
		`("server",pid=7,tid=7,fd=12),("server",pid=7,tid=7,fd=3))`
	if got := string(p.appendUsers(nil, 2)); got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
}
