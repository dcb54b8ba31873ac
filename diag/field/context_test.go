package field

import (
	"encoding/binary"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/owner"
)

func socketOf(t *testing.T, st diag.State, timer diag.Timer, inode uint32) *diag.InetSocket {
	t.Helper()
	m := make([]byte, 72)
	m[0], m[1], m[2] = byte(diag.IPv4), byte(st), byte(timer)
	binary.NativeEndian.PutUint32(m[68:], inode)
	s, err := diag.ParseInet(m, diag.TCP)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fake has one owner, of inode 7.
type fake struct{ denied int }

func (fake) Owners(dst []owner.Owner, inode uint32) []owner.Owner {
	if inode == 7 {
		dst = append(dst, owner.Owner{PID: 1, FD: 3}, owner.Owner{PID: 1, FD: 4}, owner.Owner{PID: 2, FD: 3})
	}
	return dst
}
func (fake) Process(pid int32) *owner.Process {
	return &owner.Process{PID: pid, Known: true, Comm: "x"}
}
func (f fake) Denied() int { return f.denied }

func TestWhyNone(t *testing.T) {
	for _, tt := range []struct {
		st     diag.State
		timer  diag.Timer
		inode  uint32
		denied int
		want   string
	}{
		{diag.TimeWait, diag.TimerTimeWait, 0, 0, "time-wait"}, {diag.SynRecv, diag.TimerOn, 0, 0, "syn-recv"}, {diag.FinWait2, diag.TimerTimeWait, 0, 0, "time-wait"},
		{diag.FinWait2, diag.TimerKeepalive, 0, 0, "orphan"}, {diag.LastAck, diag.TimerOn, 0, 0, "orphan"}, {diag.Established, 0, 0, 0, "unaccepted"},
		{diag.CloseWait, 0, 0, 0, "unaccepted"}, {diag.Listen, 0, 8, 0, "unseen"}, {diag.Listen, 0, 8, 1, "unknown"}, {diag.Listen, 0, 7, 1, ""},
	} {
		c := &Context{Owners: fake{tt.denied}}
		if got := c.WhyNone(socketOf(t, tt.st, tt.timer, tt.inode)); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
		if said := strings.Fields(byName["no_owner"].Values); tt.want != "" && !slices.Contains(said, tt.want) {
			t.Errorf("%q is none of what no_owner is said to be: %q", tt.want, said)
		}
	}
	if got := (&Context{}).WhyNone(socketOf(t, diag.Listen, 0, 8)); got != "" {
		t.Errorf("owners were not looked up: %q", got)
	}
	if hs := (&Context{Owners: fake{}}).Holders(socketOf(t, diag.Listen, 0, 7)); len(hs) != 2 || hs[0].PID != 1 || hs[1].PID != 2 {
		t.Errorf("%v", hs)
	}
}

// The details of a real process, and none of one that does not hold the socket.
func TestHolder(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	link, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(int(f.Fd())))
	if err != nil {
		t.Skip("needs /proc:", err)
	}
	inode := uint32(0)
	for _, c := range strings.Trim(link, "socket:[]") {
		inode = inode*10 + uint32(c-'0')
	}
	c := &Context{}
	h := &Holder{PID: int32(os.Getpid()), FD: int32(f.Fd()), Known: true, inode: inode}
	get := func(h *Holder, name string) (string, bool) {
		f, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		return f.HolderText(c, h)
	}
	if v, ok := get(h, "cmdline"); !ok || v != strings.Join(os.Args, " ") {
		t.Errorf("command line %q, want %q", v, os.Args)
	}
	if v, ok := get(h, "process_user"); !ok || v != strconv.Itoa(os.Geteuid()) {
		t.Errorf("user %q", v)
	}
	other := &Holder{PID: int32(os.Getpid()), FD: int32(f.Fd()), Known: true, inode: inode + 1}
	for _, name := range []string{"cmdline", "process_user", "process_cgroup", "unit"} {
		if v, ok := get(other, name); ok {
			t.Errorf("%s of a process that does not hold the socket: %q", name, v)
		}
	}
}

func TestCgroupOf(t *testing.T) {
	for file, want := range map[string]string{
		"0::/system.slice/a.service\n":                                "/system.slice/a.service",
		"12:cpu,cpuacct:/x\n1:name=systemd:/system.slice/b.service\n": "/system.slice/b.service",
		"1:name=systemd:/old\n0::/new\n":                              "/new",
		"":                                                            "",
	} {
		if got := cgroupOf([]byte(file)); got != want {
			t.Errorf("%q: %q, want %q", file, got, want)
		}
	}
}

// Another table is of another time: a process's number may be another process's by then.
func TestHoldersOfAnotherTable(t *testing.T) {
	c, s := &Context{}, socketOf(t, diag.Listen, 0, 7)
	for _, comm := range []string{"before", "after"} {
		c.Owners = &named{comm}
		if hs := c.Holders(s); len(hs) != 1 || hs[0].Comm != comm {
			t.Errorf("%+v, want %s", hs, comm)
		}
	}
}

// named is a table whose one process has a name.
type named struct{ comm string }

func (n *named) Owners(dst []owner.Owner, _ uint32) []owner.Owner {
	return append(dst, owner.Owner{PID: 1, FD: 3})
}
func (n *named) Process(pid int32) *owner.Process {
	return &owner.Process{PID: pid, Known: true, Comm: n.comm}
}
func (*named) Denied() int { return 0 }

// A user is named once; one without a name is its number.
func TestUsersAreNamedOnce(t *testing.T) {
	asked := map[uint32]int{}
	c := &Context{User: func(uid uint32) (string, bool) {
		asked[uid]++
		return "root", uid == 0
	}}
	for range 3 {
		for uid, want := range map[uint32]string{0: "root", 7: "7", ^uint32(0): ""} {
			if got := c.userName(uid); got != want {
				t.Errorf("%d: %q, want %q", uid, got, want)
			}
		}
	}
	if asked[0] != 1 || asked[7] != 1 {
		t.Errorf("asked %v times", asked)
	}
}
