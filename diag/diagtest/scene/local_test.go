package scene

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// rowsOf reads the rows of a table in /proc/net within the namespace, cut at blanks.
func rowsOf(t *testing.T, s *Scene, file string) (rows [][]string) {
	t.Helper()
	var text []byte
	var err error
	if e := s.Do(func() { text, err = os.ReadFile("/proc/thread-self/net/" + file) }); e != nil || err != nil {
		t.Fatal(e, err)
	}
	_, body, _ := strings.Cut(string(text), "\n")
	for line := range strings.Lines(body) {
		rows = append(rows, strings.Fields(line))
	}
	return rows
}

// The kernel's tables say the same of the unix, packet and netlink sockets, and have no others of the scene's processes.
func TestLocal(t *testing.T) {
	s := New(t)
	count := make(map[Table]int)
	want := make(map[string]string)
	for i := range s.Sockets {
		e := &s.Sockets[i]
		count[e.Table]++
		switch e.Table {
		case Unix:
			flags, state := "00000000", "03" // SS_CONNECTED
			switch e.State {
			case Listen:
				flags, state = "00010000", "01" // __SO_ACCEPTCON, SS_UNCONNECTED
			case Close:
				state = "01"
			}
			path := strings.ReplaceAll(e.Path, "\x00", "@")
			path, _, _ = strings.Cut(path, " ") // the rest is another field
			want[fmt.Sprint("unix ", e.Inode)] = fmt.Sprintf("%s %04X %s %s", flags, e.Type, state, path)
		case Packet:
			want[fmt.Sprint("packet ", e.Inode)] = fmt.Sprintf("%d %04x", e.Type, e.Protocol)
		case Netlink:
			want[fmt.Sprint("netlink ", e.Inode)] = fmt.Sprintf("%d %d %08x", e.Protocol, e.PortID, e.Groups)
		}
	}
	got := make(map[string]string)
	for _, f := range rowsOf(t, s, "unix") {
		if f[6] == "0" {
			continue // waits to be accepted
		}
		got["unix "+f[6]] = strings.Join([]string{f[3], f[4], f[5], strings.Join(f[7:min(8, len(f))], "")}, " ")
	}
	for _, f := range rowsOf(t, s, "packet") {
		got["packet "+f[8]] = f[2] + " " + f[3]
	}
	for _, f := range rowsOf(t, s, "netlink") {
		if f[2] != "0" { // the kernel's own
			got["netlink "+f[9]] = f[1] + " " + f[2] + " " + f[3]
		}
	}
	for key, w := range want {
		if got[key] != w {
			t.Errorf("%s is %q, want %q", key, got[key], w)
		}
	}
	for key, g := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("%s %q is not noted", key, g)
		}
	}
	for _, table := range []Table{Unix, Packet, Netlink} {
		if count[table] == 0 {
			t.Errorf("no %v sockets", table)
		}
	}
	if e := s.Find(t, "unix waiting"); e.RecvQ != 1 || e.Backlog != 5 {
		t.Errorf("unix waiting: %+v", e)
	}
	a, b := s.Find(t, "unix socketpair 0"), s.Find(t, "unix socketpair 1")
	if a.Peer != b.Inode || b.Peer != a.Inode || a.Type != unix.SOCK_STREAM {
		t.Errorf("socketpair: %+v %+v", a, b)
	}
}
