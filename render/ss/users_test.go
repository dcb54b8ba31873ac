package ss

import (
	"strconv"
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

// fakeThreads: process 7 has three threads, of which the second does not share descriptor 3. Nothing is known of the other process's.
type fakeThreads struct{ fakeOwners }

func (fakeThreads) Threads(dst []Thread, o owner.Owner, inode uint32) []Thread {
	if o.PID != 7 {
		return dst
	}
	dst = append(dst, Thread{7, o.FD, "server", 0})
	if o.FD != 3 {
		dst = append(dst, Thread{8, o.FD, "wor)ker", 1})
	}
	return append(dst, Thread{9, o.FD, "\x1b", 2})
}

// soleThread: the second thread of process 7 has a descriptor that the first one has not.
type soleThread struct{ fakeOwners }

func (soleThread) Threads(dst []Thread, o owner.Owner, inode uint32) []Thread {
	if o.FD != 12 {
		return dst
	}
	return append(dst, Thread{8, o.FD, "worker", 1})
}

// TestAppendContexts: as ss has them where SELinux is on.
func TestAppendContexts(t *testing.T) {
	process := func(pid int32) string { return "p" + strconv.Itoa(int(pid)) + "\x1b" }
	socket := func(pid, fd int32) string { return "s" + strconv.Itoa(int(pid)) + "." + strconv.Itoa(int(fd)) }
	for _, tt := range []struct {
		opt  Options
		want string
	}{
		{Options{ProcessContext: process}, ` users:(("?",pid=4242,proc_ctx=p4242\033,fd=3),("server",pid=7,proc_ctx=p7\033,fd=12),("server",pid=7,proc_ctx=p7\033,fd=3))`},
		{Options{ProcessContext: process, SocketContext: socket}, ` users:(("?",pid=4242,proc_ctx=p4242\033,fd=3,sock_ctx=s4242.3),` +
			`("server",pid=7,proc_ctx=p7\033,fd=12,sock_ctx=s7.12),("server",pid=7,proc_ctx=p7\033,fd=3,sock_ctx=s7.3))`},
		{Options{ProcessContext: process, Threads: true}, ` users:(("?",pid=4242,tid=4242,proc_ctx=p4242\033,fd=3),(".",pid=7,tid=9,proc_ctx=p9\033,fd=12),` +
			`(".",pid=7,tid=9,proc_ctx=p9\033,fd=3),("wor",pid=7,tid=8,proc_ctx=p8\033,fd=12),("server",pid=7,tid=7,proc_ctx=p7\033,fd=12),("server",pid=7,tid=7,proc_ctx=p7\033,fd=3))`},
	} {
		p := Writer{opt: tt.opt, owners: fakeThreads{newFakeOwners()}}
		if got := string(p.appendUsers(nil, 2)); got != tt.want {
			t.Errorf("%q\nwant %q", got, tt.want)
		}
	}
}

// TestAppendThreads: a thread's descriptors stand together, as in ss.
func TestAppendThreads(t *testing.T) {
	p := Writer{opt: Options{Threads: true}, owners: fakeThreads{newFakeOwners()}}
	const want = ` users:(("?",pid=4242,tid=4242,fd=3),(".",pid=7,tid=9,fd=12),(".",pid=7,tid=9,fd=3),("wor",pid=7,tid=8,fd=12),` +
		`("server",pid=7,tid=7,fd=12),("server",pid=7,tid=7,fd=3))`
	if got := string(p.appendUsers(nil, 2)); got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
	p.owners = soleThread{newFakeOwners()}
	const sole = ` users:(("?",pid=4242,tid=4242,fd=3),("worker",pid=7,tid=8,fd=12))`
	if got := string(p.appendUsers(nil, 2)); got != sole {
		t.Errorf("%q\nwant %q", got, sole)
	}
}
