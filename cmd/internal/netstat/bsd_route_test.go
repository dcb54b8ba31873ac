package netstat

import (
	"strconv"
	"strings"
	"testing"
)

// bsdNetwork has a route of every kind.
const bsdNetwork = `link add net0 type veth peer name peer0
link add net1 type veth peer name peer1
link set net0 up
link set net1 up
link set peer0 up
link set peer1 up
addr add 10.1.0.1/24 dev net0
addr add 10.2.0.1/24 dev net1
addr add 2001:db8::1/64 dev net0 nodad
route add default via 10.1.0.254
route add 192.168.7.0/24 via 10.1.0.2
route add 192.0.2.7 via 10.1.0.3 proto redirect
route add 100.64.0.0/10 nexthop via 10.1.0.4 dev net0 nexthop via 10.2.0.4 dev net1
route add blackhole 100.1.0.0/16
route add unreachable 100.2.0.0/16
route add prohibit 100.3.3.3
route add 100.7.0.0/16 via inet6 fe80::9 dev net0
route add 1.2.3.0/24 dev net0 table 55
route add default via fe80::1 dev net0
route add 2001:db8:1::/48 via 2001:db8::2 expires 5000
route add unreachable 2001:db8:2::/48
route add 2001:db8:4::/48 nexthop via 2001:db8::3 nexthop via 2001:db8::4
`

func TestBSDRoutes(t *testing.T) {
	inNamespace(t, func() {
		setUp(t, bsdNetwork)
		rows := bsdRows(t, "-rn")
		for _, want := range []string{
			"Routing tables", "Internet:", "Destination Gateway Flags Netif Expire",
			"default 10.1.0.254 UGS net0", "192.168.7 10.1.0.2 UGS net0", "192.0.2.7 10.1.0.3 UGHD net0",
			"100.64/10 10.1.0.4 UGS net0", "100.64/10 10.2.0.4 UGS net1",
			"100.1/16 - USB -", "100.2/16 - URS -", "100.3.3.3 - UHRS -", "100.7/16 fe80::9%net0 UGS net0",
			"Internet6:", "default fe80::1%net0 UGS net0", "2001:db8:2::/48 link#1 URS lo",
			"2001:db8:4::/48 2001:db8::3 UGS net0", "2001:db8:4::/48 2001:db8::4 UGS net0",
		} {
			if len(only(rows, want)) == 0 {
				t.Errorf("no %q in\n%s", want, strings.Join(rows, "\n"))
			}
		}
		expiring := only(rows, "2001:db8:1::/48 2001:db8::2 UGS net0 ")
		if len(expiring) != 1 {
			t.Fatalf("no route that expires in\n%s", strings.Join(rows, "\n"))
		}
		if left, err := strconv.Atoi(strings.Fields(expiring[0])[4]); err != nil || left <= 4000 || left > 5000 {
			t.Errorf("%q, want nearly 5000 seconds", expiring)
		}
		for _, none := range []string{"1.2.3", "127.0.0.1", "::1"} {
			if got := only(rows, none); len(got) > 0 {
				t.Errorf("of another table: %q", got)
			}
		}
		local := bsdRows(t, "-rna")
		for _, want := range []string{"127.0.0.1 link#1 UH lo", "10.1.0.1 link#", "10.1.0.255 link#", "::1 link#1 UH lo"} {
			if len(only(local, want)) != 1 {
				t.Errorf("-a: no %q in\n%s", want, strings.Join(local, "\n"))
			}
		}
		for family, title := range map[string]string{"inet": "Internet6:", "inet6": "Internet:"} {
			if got := only(bsdRows(t, "-rn", "-f", family), title); len(got) > 0 {
				t.Errorf("-f %s: %q", family, got)
			}
		}
	})
}
