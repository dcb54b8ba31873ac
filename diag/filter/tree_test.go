package filter

import (
	"math"
	"net/netip"
	"testing"
)

// Trees that the language of ss does not make, or not this way.
func TestTreeString(t *testing.T) {
	for _, tt := range []struct {
		tree Node
		want string
	}{
		{And{}, "src *"},
		{Or{}, "not src *"},
		{Not{Or{}}, "not ( not src * )"},
		{And{Or{Port{Port: 1}}}, "sport = 1"},
		{And{Host{Prefixes: []netip.Prefix{netip.MustParsePrefix("1.2.3.4/32"), netip.MustParsePrefix("::/8")}}, Autobound{}},
			"( src 1.2.3.4 or src [::/8] ) and autobound"},
		{Device{Index: 7}, "dev 7"},
		{Mark{Mark: 1, Mask: math.MaxUint32}, "fwmark 0x1"},
		{Cgroup{Path: "/a b\\c\x1b[31m\u009b"}, `cgroup /a\ b\\c?[31m?`},
		{Foreign{Family: famNetlink, Cmp: LE, Addr: -1, Port: -1}, "sport <= netlink:*"},
		{Foreign{Family: famUnix, Cmp: GE, Name: "x", Addr: -1, Port: -1}, "sport >= unix:x"},
	} {
		if got := New(tt.tree, AllOps).String(); got != tt.want {
			t.Errorf("%#v: %s, want %s", tt.tree, got, tt.want)
		}
	}
}

func TestHas(t *testing.T) {
	tree := Or{Port{}, Not{And{Host{}, Not{Mark{}}}}}
	if !Has[Mark](tree) || !Has[Port](tree) || !Has[Not](tree) || Has[Cgroup](tree) || Has[Device](nil) {
		t.Error("Has is wrong")
	}
}
