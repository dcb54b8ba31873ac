package netstat

import (
	"strings"
	"testing"
)

func TestBSDInterfaces(t *testing.T) {
	inNamespace(t, func() {
		setUp(t, bsdNetwork+"link set net1 down\nlink set net0 address 02:00:00:00:00:07\nlink add name a\x1b[31m type bridge\n")
		rows := bsdRows(t, "-in")
		for _, want := range []string{
			"Name Mtu Network Address Ipkts Ierrs Opkts Oerrs Coll", "lo 65536 <Link#1> 00:00:00:00:00:00 0 0 0 0 0", "lo 65536 127 127.0.0.1 0 - 0 - -",
			"net0 1500 <Link#", "net0 1500 10.1/24 10.1.0.1 ", "net0 1500 2001:db8::/ 2001:db8::1 ", "net1* 1500 <Link#", `a\033[31m* 1500 <Link#`,
		} {
			if len(only(rows, want)) == 0 {
				t.Errorf("no %q in\n%s", want, strings.Join(rows, "\n"))
			}
		}
		one := bsdRows(t, "-n", "-I", "net0")
		if len(only(one, "net0 ")) != len(one)-1 || len(only(one, "net0 1500 <Link#")) != 1 || !strings.Contains(strings.Join(one, "\n"), " 02:00:00:00:00:07 ") {
			t.Errorf("-I net0: %q", one)
		}
	})
}
