package netstat

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestBSDNetwork(t *testing.T) {
	for in, want := range map[string]string{ // as macOS abbreviates them
		"127.0.0.0/8": "127", "169.254.0.0/16": "169.254", "192.168.1.0/24": "192.168.1", "224.0.0.0/4": "224.0.0/4", "10.1.0.0/16": "10.1/16",
		"10.0.0.0/24": "10/24", "172.16.0.0/12": "172.16/12", "192.168.1.128/25": "192.168.1.128/25", "10.0.0.0/8": "10", "0.0.0.0/1": "0/1",
		"10.0.5.0/24": "10.0.5/24",
	} {
		p := netip.MustParsePrefix(in)
		if got := string(appendBSDNetwork(nil, p.Addr(), p.Bits())); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

var bsdRoutes = []BSDRoute{
	{Dst: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("192.168.1.1"), Index: 2, Device: "en0", Type: unix.RTN_UNICAST, Protocol: unix.RTPROT_STATIC},
	{Dst: netip.MustParsePrefix("192.168.1.0/24"), Index: 2, Device: "en0", Type: unix.RTN_UNICAST, Protocol: unix.RTPROT_KERNEL},
	{Dst: netip.MustParsePrefix("192.0.2.7/32"), Gateway: netip.MustParseAddr("192.168.1.9"), Index: 2, Device: "en0", Type: unix.RTN_UNICAST, Protocol: unix.RTPROT_REDIRECT},
	{Dst: netip.MustParsePrefix("100.1.0.0/16"), Type: unix.RTN_BLACKHOLE, Protocol: unix.RTPROT_BOOT},
	{Dst: netip.MustParsePrefix("100.2.0.0/16"), Type: unix.RTN_UNREACHABLE, Protocol: unix.RTPROT_BOOT},
	{Dst: netip.MustParsePrefix("192.168.1.255/32"), Index: 2, Device: "en0", Type: unix.RTN_BROADCAST, Protocol: unix.RTPROT_KERNEL},
}

func TestBSDRoutes(t *testing.T) {
	table := BSDRouteTable{Numeric: true}
	b := table.AppendFamily(table.AppendTitle(nil), false)
	for i := range bsdRoutes {
		b = table.Append(b, &bsdRoutes[i])
	}
	six := []BSDRoute{
		{Dst: netip.MustParsePrefix("::/0"), Gateway: netip.MustParseAddr("fe80::1"), Index: 2, Device: "en0", Type: unix.RTN_UNICAST, Protocol: unix.RTPROT_RA,
			Expiring: true, Expires: 1799*time.Second + 990*time.Millisecond},
		{Dst: netip.MustParsePrefix("fe80::/64"), Index: 2, Device: "en0", Type: unix.RTN_UNICAST, Protocol: unix.RTPROT_KERNEL},
		{Dst: netip.MustParsePrefix("2001:db8:1234:5678:9abc:def0:1234:5678/128"), Index: 1, Device: "lo", Type: unix.RTN_LOCAL},
	}
	b = table.AppendFamily(b, true)
	for i := range six {
		b = table.Append(b, &six[i])
	}
	sameText(t, bsdLines(string(b)), `Routing tables

Internet:
Destination        Gateway            Flags               Netif Expire
default            192.168.1.1        UGS                   en0
192.168.1          link#2             U                     en0
192.0.2.7          192.168.1.9        UGHD                  en0
100.1/16           -                  USB                     -
100.2/16           -                  URS                     -
192.168.1.255      link#2             UHb                   en0

Internet6:
Destination                             Gateway                                 Flags               Netif Expire
default                                 fe80::1%en0                             UG                    en0   1799
fe80::%en0/64                           link#2                                  U                     en0
2001:db8:1234:5678:9abc:def0:1234:5678  link#1                                  UH                     lo
`)
	named := BSDRouteTable{
		Host: func(a netip.Addr) (string, bool) {
			return "a-gateway-with-a-name.example.com", a == netip.MustParseAddr("192.168.1.1")
		},
		Network: func(a netip.Addr) (string, bool) { return "office", a == netip.MustParseAddr("192.168.1.0") },
	}
	b = nil
	for i := range bsdRoutes[:2] {
		b = named.Append(b, &bsdRoutes[i])
	}
	b = named.Append(named.AppendFamily(b, true), &six[2])
	sameText(t, bsdLines(string(b)), `default            a-gateway-with-a-n UGS                   en0
office             link#2             U                     en0

Internet6:
Destination        Gateway            Flags               Netif Expire
2001:db8:1234:5678 link#1             UH                     lo
`)
}
