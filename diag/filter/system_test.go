package filter

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/release"
)

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpsOf(t *testing.T) {
	for _, tt := range []struct {
		kernel int
		admin  bool
		want   Ops
	}{
		{release.Of(6, 18), true, AllOps},
		{release.Of(6, 18), false, AllOps &^ OpMark},
		{release.Of(5, 8), true, AllOps},
		{release.Of(5, 7), true, AllOps &^ OpCgroup},
		{release.Of(4, 16), false, OpDevice | OpEqual},
		{release.Of(4, 15), true, OpDevice | OpMark},
		{release.Of(4, 8), true, OpDevice},
		{release.Of(3, 10), true, 0},
		{0, true, 0},
	} {
		if got := opsOf(tt.kernel, tt.admin); got != tt.want {
			t.Errorf("%#x, %v: %04b", tt.kernel, tt.admin, got)
		}
	}
}

func TestSystemService(t *testing.T) {
	find := systemService(writeFile(t, `
# comment
http		80/tcp		www	# WorldWideWeb
http		80/udp
domain 53/udp
wrong 99999/tcp
short
twice 1/tcp
twice 2/tcp
`))
	for _, tt := range []struct {
		name, proto string
		port        uint16
		ok          bool
	}{
		{"http", "tcp", 80, true}, {"www", "tcp", 80, true}, {"www", "udp", 0, false}, {"domain", "tcp", 0, false},
		{"domain", "udp", 53, true}, {"twice", "tcp", 1, true}, {"80/tcp", "tcp", 0, false}, {"HTTP", "tcp", 0, false},
		{"wrong", "tcp", 0, false}, {"#", "tcp", 0, false}, {"WorldWideWeb", "tcp", 0, false},
	} {
		if port, ok := find(tt.name, tt.proto); ok != tt.ok || ok && port != tt.port {
			t.Errorf("%s/%s: %d, %v", tt.name, tt.proto, port, ok)
		}
	}
	if _, ok := systemService("/nonexistent")("http", "tcp"); ok {
		t.Error("found in no file")
	}
}

func TestInetAton(t *testing.T) {
	for s, want := range map[string]string{
		"2130706433": "127.0.0.1", "1.65535": "1.0.255.255", "1.2.3": "1.2.0.3", "0x7f.1": "127.0.0.1", "010.1.2.3": "8.1.2.3",
		"4294967295": "255.255.255.255",
		"4294967296": "", "256.1": "", "1.2.3.4.5": "", "1.2.3.256": "", "": "", "a": "", "1.": "", "-1": "", " 1": "", "1 ": "",
	} {
		a, ok := inetAton(s)
		if ok != (want != "") || ok && a != netip.MustParseAddr(want) {
			t.Errorf("%q: %v, %v", s, a, ok)
		}
	}
}

func TestSystemHosts(t *testing.T) {
	for _, name := range []string{"::1", "fe80::1%lo", "a/b", "127.0.0.1/33"} {
		if a, err := systemHosts(name, diag.Unspec); len(a) > 0 || err != nil {
			t.Errorf("%s: %v, %v", name, a, err)
		}
	}
	if a, err := systemHosts("127.1", diag.IPv6); len(a) > 0 {
		t.Errorf("127.1 as IPv6: %v, %v", a, err)
	}
	// The system's own names.
	a, err := systemHosts("localhost", diag.IPv4)
	if err != nil {
		t.Skip("no localhost here:", err)
	}
	for _, a := range a {
		if !a.Is4() || !a.IsLoopback() {
			t.Errorf("localhost is %v", a)
		}
	}
}

func TestReadPortRange(t *testing.T) {
	for text, want := range map[string][2]uint16{
		"32768\t60999\n": {32768, 60999}, "1 2": {1, 2}, "": {1024, 4999}, "5": {1024, 4999}, "1 70000": {1024, 4999},
	} {
		if lo, hi := ReadPortRange(writeFile(t, text)); lo != want[0] || hi != want[1] {
			t.Errorf("%q: %d, %d", text, lo, hi)
		}
	}
	if lo, hi := ReadPortRange("/nonexistent"); lo != 1024 || hi != 4999 {
		t.Errorf("no file: %d, %d", lo, hi)
	}
}

func TestSystemDevice(t *testing.T) {
	ns := scene.NewNetNS(t)
	const long = "a-name-that-is-longer-than-fifteen"
	var linkErr error
	got := map[string]uint32{}
	index := uint32(0)
	err := ns.Do(func() {
		if linkErr = netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "one"}, PeerName: "other"}); linkErr == nil {
			link, err := netlink.LinkByName("one")
			if err != nil {
				linkErr = err
				return
			}
			index = uint32(link.Attrs().Index)
			linkErr = netlink.LinkAddAltName(link, long)
			netlink.LinkAddAltName(link, "alt")
		}
		for _, name := range []string{"lo", "one", "alt", long, "if7", "if9x", "if", "if0", "ifx", "if4294967296", "", "none", "lo ",
			"lo:1", "lo:", "lo:twelve-long", "lo:too-long-a-label", ":1", "none:1", "if7:1", "one:1"} {
			if i, ok := systemDevice(name); ok {
				got[name] = i
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]uint32{"lo": 1, "if7": 7, "if9x": 9, "lo:1": 1, "lo:": 1, "lo:twelve-long": 1, "if7:1": 7}
	if linkErr == nil {
		want["one"], want["one:1"], want["alt"], want[long] = index, index, index, index
	} else {
		t.Log("no device with an alternative name:", linkErr)
		delete(got, "one")
		delete(got, "one:1")
		delete(got, "alt")
	}
	if len(got) != len(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for name, i := range want {
		if got[name] != i {
			t.Errorf("%s: %d, want %d", name, got[name], i)
		}
	}
}

func TestCgroupReason(t *testing.T) {
	for _, path := range []string{writeFile(t, "proc /proc proc rw 0 0\n"), "/nonexistent"} {
		_, err := systemCgroup(path)("/nothing")
		if cgroupReason(err) != "Failed to find cgroup2 mount" {
			t.Error(err)
		}
	}
	// A path that is on the machine, but no cgroup.
	_, err := systemCgroup(writeFile(t, "x "+t.TempDir()+" cgroup2 rw 0 0\n"))("/none")
	if cgroupReason(err) != "Failed to get cgroup2 ID: No such file or directory" {
		t.Error(err)
	}
}

// The machine's own environment serves: the other tests inject theirs.
func TestSystemEnv(t *testing.T) {
	env := SystemEnv()
	if lo, hi := env.PortRange(); lo == 0 || hi < lo {
		t.Errorf("port range %d to %d", lo, hi)
	}
	f, err := ParseSS([]string{"src 127.0.0.1 and ( dev lo or autobound )"}, env)
	if err != nil || !Has[Device](f.Tree()) {
		t.Errorf("%v, %v", f, err)
	}
}
