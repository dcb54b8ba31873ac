package filter

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
)

// otherSockets are sockets of each family; what the filters in TestMatchOther pick of them is what ss 7.3 picked of the same ones, when
// its netlink socket was answered with them.
var otherSockets = map[diag.Family][]Other{
	famUnix: {
		{Name: []byte("/run/x y"), Port: 100},
		{Name: []byte("@ab@c"), Port: 103, PeerPort: 104},
		{Name: []byte("@"), Port: 105},
		{Name: []byte("a\x1b[31mb\xff\n\tc"), Port: 106},
		{Name: []byte{}, Port: 4000000000},
		{Port: 108},
		{Name: []byte("@0a1f9"), Port: 109},
	},
	famLink: {
		{Addr: 3, Port: 1, Interface: 1},
		{Addr: 0x800},
		{Addr: 0x806},
		{Addr: 0x1234, Port: 99, Interface: 99},
		{},
		{Addr: 0x8100},
	},
	famNetlink: {
		{PeerPort: -1},
		{Addr: 15, Port: 1, PeerPort: -1},
		{Addr: 16, Port: -2147483647, PeerPort: -1},
		{Addr: 4, Port: -1, PeerPort: -1},
		{Addr: 21, Port: 999999, PeerPort: -1},
		{Addr: 200, PeerPort: -1},
	},
	famVSock: {
		{Port: 1024, PeerPort: 1025},
		{Port: 22, PeerPort: 1<<32 - 1},
		{Port: 99, PeerPort: 1<<32 - 1},
		{Port: 7, PeerPort: 8},
	},
	unix.AF_XDP: {
		{Port: 7, Interface: 1},
		{},
		{},
		{Port: 3, Interface: 999},
	},
}

// Operands of no family are compared with sockets of all, as in ss.
func TestMatchOtherByPlainOperands(t *testing.T) {
	for words, want := range map[string]string{
		"sport = 103": "1", "sport != 103": "023456", "dport = 104": "1", "sport ge 108": "456", "src 0.0.0.0/0": "0123456", "src [::/0]": "0123456",
		"dst 0.0.0.0/0:104": "1", "src 1.2.3.4": "", "not src 1.2.3.4": "0123456", "src *:105": "2",
	} {
		f, err := ParseSS([]string{words}, Env{})
		if err != nil {
			t.Errorf("%s: %v", words, err)
			continue
		}
		var got []byte
		for i, s := range otherSockets[famUnix] {
			if s.Family = famUnix; f.MatchOther(&s) {
				got = append(got, '0'+byte(i))
			}
		}
		if string(got) != want {
			t.Errorf("%s: %s, want %s", words, got, want)
		}
	}
}

func TestMatchOther(t *testing.T) {
	env := Env{Device: func(name string) (uint32, bool) { return 1, name == "lo" }}
	for _, tt := range []struct {
		family diag.Family
		words  string
		want   string // which sockets
	}{
		{famUnix, "src *", "0123456"},
		{famUnix, "src *x*", "0"},
		{famUnix, "src @*", "126"},
		{famUnix, "src @AB*", "1"},
		{famUnix, `src /run/x\ y`, "0"},
		{famUnix, "src ?", "2"},
		{famUnix, "src [@/]*", "0126"},
		{famUnix, "src unix:", "45"},
		{famUnix, "not src @*", "0345"},
		{famUnix, "dst *", "0123456"},
		{famUnix, "dst x", ""},
		{famUnix, "not dst x", "0123456"},
		{famUnix, "sport = 103", ""},
		{famUnix, "sport >= 103", "0123456"},
		{famUnix, "sport <= 103", ""},
		{famUnix, "sport < 103", ""},
		{famUnix, "dport ge 3", "0123456"},
		{famUnix, "autobound", "56"},
		{famUnix, "not autobound", "01234"},
		{famUnix, "dev lo", ""},
		{famUnix, "dev 0", "0123456"},
		{famUnix, "dev != lo", "0123456"},
		{famUnix, "fwmark = 0", "0123456"},
		{famUnix, "fwmark = 1", ""},
		{famUnix, "src @* or src /*", "0126"},
		{famUnix, "src @* and src *c", "1"},
		{famUnix, "src inet:1.2.3.4 or src unix:@", "2"},
		{famLink, "src ip", "1"},
		{famLink, "src 0x800", "1"},
		{famLink, "src ip:*", "1"},
		{famLink, "src all", "0"},
		{famLink, "src *", "012345"},
		{famLink, "src *:lo", "0"},
		{famLink, "src :1", "0"},
		{famLink, "sport = lo", "0"},
		{famLink, "sport >= 1", "03"},
		{famLink, "sport <= 0", "1245"},
		{famLink, "dport = lo", ""},
		{famLink, "dport = 0", "012345"},
		{famLink, "dst ip", ""},
		{famLink, "dst *", "012345"},
		{famLink, "dst *:lo", ""},
		{famLink, "autobound", "4"},
		{famLink, "dev lo", "0"},
		{famLink, "dev != lo", "12345"},
		{famLink, "not src ip", "02345"},
		{famLink, "src 802.1q", "5"},
		{famNetlink, "src genl", "2"},
		{famNetlink, "src genl:*", "2"},
		{famNetlink, "src :kernel", "05"},
		{famNetlink, "src rtnl:kernel", "0"},
		{famNetlink, "sport = 1", "1"},
		{famNetlink, "sport > 1", "4"},
		{famNetlink, "sport < 0", "23"},
		{famNetlink, "sport = 2147483649", ""},
		{famNetlink, "src *:-2147483647", "2"},
		{famNetlink, "dport = 0", ""},
		{famNetlink, "dport <= 5", "012345"},
		{famNetlink, "dst genl", ""},
		{famNetlink, "dst rtnl", "012345"},
		{famNetlink, "autobound", "23"},
		{famNetlink, "not autobound", "0145"},
		{famNetlink, "dev 0", "012345"},
		{famVSock, "src 3", "0123"}, // ss does not look at context ids
		{famVSock, "src 3:1024", "0"},
		{famVSock, "src :22", "1"},
		{famVSock, "dst *:1025", "0"},
		{famVSock, "dport = 8", "3"},
		{famVSock, "dport = 4294967295", "12"},
		{famVSock, "dport <= 5", ""},
		{famVSock, "dport >= 5", "0123"},
		{famVSock, "sport >= 4294967295", ""},
		{famVSock, "sport gt 99", "0"},
		{famVSock, "autobound", "0"},
		{unix.AF_XDP, "dev lo", "0"},
		{unix.AF_XDP, "dev != lo", "123"},
		{unix.AF_XDP, "sport = 7", "0"},
		{unix.AF_XDP, "sport < 7", "123"},
		{unix.AF_XDP, "dport = 7", ""},
		{unix.AF_XDP, "src 1.2.3.4", ""},
		{unix.AF_XDP, "not src 1.2.3.4", "0123"},
		{unix.AF_XDP, "src *", "0123"},
		{unix.AF_XDP, "autobound", ""},
	} {
		env.Preferred = tt.family
		f, err := ParseSS(strings.Split(tt.words, "\t"), env)
		if err != nil {
			t.Errorf("%s: %v", tt.words, err)
			continue
		}
		var got strings.Builder
		for i, s := range otherSockets[tt.family] {
			s.Family = tt.family
			if f.MatchOther(&s) {
				fmt.Fprint(&got, i)
			}
		}
		if got.String() != tt.want {
			t.Errorf("family %d, %s: %q, want %q", tt.family, tt.words, got.String(), tt.want)
		}
	}
	s := Other{Family: famUnix}
	if !New(nil, 0).MatchOther(&s) {
		t.Error("no filter does not pick")
	}
}

func TestMatchOtherDoesNotAllocate(t *testing.T) {
	for family, sockets := range otherSockets {
		f, err := ParseSS([]string{"( src * or not src vsock:3:5 ) and not ( autobound or dev 7 ) or src unix:*[a-z]x*"}, Env{Preferred: family})
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range slices.Clone(sockets) {
			s.Family = family
			if n := testing.AllocsPerRun(100, func() { f.MatchOther(&s) }); n != 0 {
				t.Errorf("family %d, socket %d: %v allocations", family, i, n)
			}
		}
	}
}
