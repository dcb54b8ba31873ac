package netstat

import (
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

func TestSynRecvUser(t *testing.T) {
	table := New(Options{Which: Connected, Extend: true})
	for _, l := range []sock{
		{local: "0.0.0.0:80", remote: "0.0.0.0:0", uid: 1},
		{local: "10.0.0.1:80", remote: "0.0.0.0:0", uid: 2},
		{local: "10.0.0.1:80", remote: "0.0.0.0:0", uid: 3, dev: 7},
		{local: "[::]:80", remote: "[::]:0", uid: 4},
		{local: "[::1]:80", remote: "[::]:0", uid: 5},
		{local: "0.0.0.0:81", remote: "0.0.0.0:0", uid: 6, dev: 7},
	} {
		l.proto, l.state = diag.TCP, diag.Listen
		if got := table.Append(nil, l.build(t)); len(got) > 0 {
			t.Errorf("a listener is shown: %q", got)
		}
	}
	for _, c := range []struct {
		what string
		sock sock
		uid  uint32
		ok   bool
	}{
		{"the address's listener goes before the wildcard's", sock{local: "10.0.0.1:80"}, 2, true},
		{"and that of the device before both", sock{local: "10.0.0.1:80", dev: 7}, 3, true},
		{"the address goes before the device", sock{local: "10.0.0.1:80", dev: 8}, 2, true},
		{"wildcard", sock{local: "10.0.0.2:80"}, 1, true},
		{"wildcard, device that nobody is bound to", sock{local: "10.0.0.2:80", dev: 9}, 1, true},
		{"wildcard of a device", sock{local: "10.0.0.2:81", dev: 7}, 6, true},
		{"bound to another device", sock{local: "10.0.0.2:81", dev: 8}, 0, false},
		{"IPv6", sock{local: "[::1]:80"}, 5, true},
		{"IPv6 wildcard", sock{local: "[2001:db8::1]:80"}, 4, true},
		{"IPv4 to an IPv6 listener", sock{local: "[::ffff:10.0.0.1]:80"}, 4, true},
		{"another port", sock{local: "10.0.0.1:82"}, 0, false},
		{"IPv6, another port", sock{local: "[::1]:81"}, 0, false},
		{"established: its own", sock{local: "10.0.0.1:80", state: diag.Established, uid: 9}, 9, true},
		{"from /proc: its own", sock{local: "10.0.0.1:80", fromProc: true, uid: 9}, 9, true},
	} {
		c.sock.proto, c.sock.remote = diag.TCP, "10.0.0.9:5000"
		if c.sock.fam() == diag.IPv6 {
			c.sock.remote = "[2001:db8::9]:5000"
		}
		if c.sock.state == 0 {
			c.sock.state = diag.SynRecv
		}
		if uid, ok := table.uid(c.sock.build(t)); uid != c.uid || ok != c.ok {
			t.Errorf("%s: got %d, %v; want %d, %v", c.what, uid, ok, c.uid, c.ok)
		}
	}
	s := sock{proto: diag.TCP, state: diag.SynRecv, local: "10.0.0.1:82", remote: "10.0.0.9:5000"}.build(t)
	if got := string(table.appendUser(nil, s)); got != "-" {
		t.Errorf("unknown listener: the user is %q, want -", got)
	}
}
