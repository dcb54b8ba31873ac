package netstat

import (
	"net/netip"
	"testing"
)

func TestAppendGroup(t *testing.T) {
	names := func(netip.Addr) (string, bool) { return "all-systems", true }
	for _, c := range []struct {
		table *Table
		g     Group
		want  string
	}{
		{New(Options{}), Group{"lo", 1, netip.MustParseAddr("224.0.0.1")}, "lo              1      224.0.0.1\n"},
		{New(Options{Host: names}), Group{"lo", 1, netip.MustParseAddr("224.0.0.1")}, "lo              1      all-systems\n"},
		{New(Options{}), Group{"averylongname01", 4000000000, netip.MustParseAddr("ff02::1")}, "averylongname01 -294967296 ff02::1\n"},
	} {
		if got := string(c.table.AppendGroup(nil, &c.g)); got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}
