package ss

import "testing"

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
