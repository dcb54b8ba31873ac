package names

import "testing"

func TestUsers(t *testing.T) {
	u := Users{File: file(t, "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\nold:x:4294967294:1::/:\nbad:x:-2:1::/:\n:x:7:7::/:\nshort:x:9\n")}
	for _, tt := range []struct {
		uid  uint32
		want string
	}{{0, "root"}, {4294967294, "old"}, {7, ""}, {9, ""}, {12345, ""}} {
		if got, ok := u.Lookup(tt.uid); got != tt.want || ok != (tt.want != "") {
			t.Errorf("Lookup(%d) = %q, %v, want %q", tt.uid, got, ok, tt.want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { u.Lookup(0); u.Lookup(12345) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
