package netstat

import "testing"

func TestAppendUnix(t *testing.T) {
	table := New(Options{Which: All})
	for _, c := range []struct {
		s    UnixSocket
		want string
	}{
		{UnixSocket{RefCount: 2, Flags: unixAcceptCon, Type: 1, State: unixUnconnected, Inode: 12345, Path: []byte("/run/x")}, "unix  2      [ ACC ]     STREAM     LISTENING     12345    /run/x\n"},
		{UnixSocket{RefCount: 3, Type: 5, State: unixConnected, Inode: 123456789}, "unix  3      [ ]         SEQPACKET  CONNECTED     123456789 \n"},
		{UnixSocket{RefCount: 3, Type: 1, State: unixConnecting, Path: []byte("@x")}, "unix  3      [ ]         STREAM     CONNECTING    0        @x\n"},
		{UnixSocket{Protocol: 1, RefCount: 1234567, Flags: 0x70000, Type: 9, State: 9, Inode: 1}, "??    1234567 [ ACC W N ] UNKNOWN    UNKNOWN       1        \n"},
		{UnixSocket{RefCount: 2, Type: 2, State: unixUnconnected, Inode: 7, Path: []byte("\x1b\xff")}, `unix  2      [ ]         DGRAM                    7        \033\377` + "\n"},
	} {
		if got := string(table.AppendUnix(nil, &c.s)); got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}

func TestShowsUnix(t *testing.T) {
	listens := &UnixSocket{State: unixUnconnected, Flags: unixAcceptCon}
	idle := &UnixSocket{State: unixUnconnected}
	for _, c := range []struct {
		w             Which
		listens, idle bool
	}{{All, true, true}, {Servers, true, false}, {Connected, false, true}} {
		if got := c.w.ShowsUnix(listens); got != c.listens {
			t.Errorf("%v: a listener is shown: %v", c.w, got)
		}
		if got := c.w.ShowsUnix(idle); got != c.idle {
			t.Errorf("%v: an idle socket is shown: %v", c.w, got)
		}
	}
}

func TestAppendUnixAllocs(t *testing.T) {
	table := New(Options{Which: All, Programs: true, Program: func(uint32) (int32, string, bool) { return 1, "/sbin/init", true }})
	s := &UnixSocket{RefCount: 2, Flags: unixAcceptCon, Type: 1, State: unixUnconnected, Inode: 12345, Path: []byte("/run/x")}
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { buf = table.AppendUnix(buf[:0], s) }); n != 0 {
		t.Errorf("%v allocations a line", n)
	}
}
