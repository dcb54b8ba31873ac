package field

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/owner"
)

// holders are processes with the names given, which hold the socket with inode 7.
type holders map[int32]string

func (h holders) Owners(dst []owner.Owner, inode uint32) []owner.Owner {
	for pid := range int32(10) {
		if _, ok := h[pid]; ok && inode == 7 {
			dst = append(dst, owner.Owner{PID: pid, FD: 3})
		}
	}
	return dst
}
func (h holders) Process(pid int32) *owner.Process {
	return &owner.Process{PID: pid, Known: h[pid] != "", Comm: h[pid]}
}
func (holders) Denied() int { return 0 }

func TestSocketUnit(t *testing.T) {
	f, err := Lookup("socket_unit")
	if err != nil {
		t.Fatal(err)
	}
	const inCgroup = 77
	paths := map[uint64]string{inCgroup: `/system.slice/ssh\x2dalt.socket`, 2: "/init.scope", 3: "/system.slice/a.socket/b.service"}
	units := func(p diag.Protocol, local netip.AddrPort) (string, bool) {
		if p == diag.TCP && local == netip.MustParseAddrPort("127.0.0.1:22") {
			return "ssh.socket", true
		}
		return "", false
	}
	for name, tt := range map[string]struct {
		cgroup      uint64
		local, peer uint16
		owners      Owners
		want        string
	}{
		"made in the unit's control group":  {inCgroup, 22, 0, nil, "ssh-alt.socket"},
		"a connection of such a listener":   {inCgroup, 22, 5000, holders{9: "sshd"}, "ssh-alt.socket"},
		"held by systemd":                   {2, 22, 0, holders{1: "systemd", 9: "sshd"}, "ssh.socket"},
		"without control groups":            {0, 22, 0, holders{1: "systemd"}, "ssh.socket"},
		"of no unit":                        {2, 23, 0, holders{1: "systemd"}, ""},
		"a connection of systemd":           {2, 22, 5000, holders{1: "systemd"}, ""},
		"held by another":                   {2, 22, 0, holders{9: "sshd"}, ""},
		"another init":                      {2, 22, 0, holders{1: "init"}, ""},
		"a process that calls itself so":    {2, 22, 0, holders{9: "systemd"}, ""},
		"nobody":                            {2, 22, 0, nil, ""},
		"a control group below":             {3, 23, 0, nil, ""},
		"a control group that is not known": {99, 23, 0, nil, ""},
	} {
		m := make([]byte, 72)
		m[0], m[1] = byte(diag.IPv4), byte(diag.Listen)
		binary.BigEndian.PutUint16(m[4:], tt.local)
		binary.BigEndian.PutUint16(m[6:], tt.peer)
		copy(m[8:], []byte{127, 0, 0, 1})
		binary.NativeEndian.PutUint32(m[68:], 7)
		if tt.cgroup != 0 {
			const inetDiagCgroupID = 21
			m = binary.NativeEndian.AppendUint16(m, 12)
			m = binary.NativeEndian.AppendUint16(m, inetDiagCgroupID)
			m = binary.NativeEndian.AppendUint64(m, tt.cgroup)
		}
		s, err := diag.ParseInet(m, diag.TCP)
		if err != nil {
			t.Fatal(err)
		}
		c := &Context{SocketUnit: units, Cgroup: func(id uint64) (string, bool) { p, ok := paths[id]; return p, ok }}
		if tt.owners != nil {
			c.Owners = tt.owners
		}
		got, ok := f.AppendText(c, nil, s)
		if string(got) != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q, %v, want %q", name, got, ok, tt.want)
		}
		if _, ok := f.AppendText(&Context{Owners: c.Owners}, nil, s); ok {
			t.Errorf("%s: told by nobody", name)
		}
	}
}
