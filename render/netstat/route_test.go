package netstat

import (
	"net/netip"
	"testing"
)

func TestLayoutOf(t *testing.T) {
	want := []Layout{
		MSSLayout, MetricLayout, BothLayout, NoLayout, MetricLayout, MSSLayout, BothLayout, NoLayout, MetricLayout, MSSLayout, BothLayout, NoLayout,
	}
	for n, layout := range want {
		if got := LayoutOf(n); got != layout {
			t.Errorf("%d: got %d, want %d", n, got, layout)
		}
	}
}

func TestAppendRoute4(t *testing.T) {
	a := netip.MustParseAddr
	table := RouteTable{
		Host:    func(netip.Addr) (string, bool) { return "a-host-with-a-long-name", true },
		Network: func(netip.Addr) (string, bool) { return "net", true },
	}
	zero := netip.IPv4Unspecified()
	for want, r := range map[string]Route{
		"default         a-host-with-a-l 0.0.0.0         UG        0 0          0 eth0\n": {Dst: zero, Mask: zero, Gateway: a("10.0.0.1"), Flags: 3, Device: "eth0"},
		"net             0.0.0.0         255.0.0.0       U         0 0          0 eth0\n": {Dst: a("10.0.0.0"), Mask: a("255.0.0.0"), Gateway: zero, Flags: 1, Device: "eth0"},
		"a-host-with-a-l -               255.255.255.255 !H        - -          - -\n":    {Dst: a("10.0.0.1"), Mask: a("255.255.255.255"), Gateway: zero, Flags: 0x205},
		"a-host-with-a-l 0.0.0.0         255.0.0.0       U      1340 32000     37 eth0\n": {Dst: a("10.0.0.1"), Mask: a("255.0.0.0"), Gateway: zero, Flags: 1, MTU: 1340, Window: 32000, IRTT: 37, Device: "eth0"},
		"": {Dst: zero, Mask: zero, Gateway: zero, Flags: 2},
	} {
		if got := string(table.Append4(nil, &r)); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

func TestAppendRoute6(t *testing.T) {
	a := netip.MustParseAddr
	r := Route{Dst: a("2001:db8::"), Bits: 32, Gateway: netip.IPv6Unspecified(), Flags: 0x200201, Metric: 1<<32 - 1, RefCount: 2, Use: 3, Device: "lo"}
	for _, c := range []struct {
		table RouteTable
		want  string
	}{
		{RouteTable{Numeric: true}, "2001:db8::/32                  ::                         U!n  -1  2      3 lo\n"},
		{RouteTable{}, "2001:db8::/32                  [::]                       U!n  -1  2      3 lo\n"},
	} {
		if got := string(c.table.Append6(nil, &r)); got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}
