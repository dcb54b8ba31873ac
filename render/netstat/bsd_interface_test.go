package netstat

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

var bsdDevices = []BSDInterface{
	{Interface: Interface{Name: "lo", MTU: 65536, Flags: unix.IFF_UP, Hardware: make([]byte, 6), Counters: &InterfaceCounters{RxPackets: 1210, TxPackets: 1211, RxBytes: 7, TxBytes: 8}},
		Index: 1, Addrs: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("::1/128")}},
	{Interface: Interface{Name: "enp0s31f6", MTU: 1500, Hardware: []byte{2, 0xfc, 0, 0, 0, 1},
		Counters: &InterfaceCounters{RxPackets: 123456789, RxErrors: 1, TxPackets: 2, TxErrors: 3, Collisions: 4, TxDropped: 5}},
		Index: 12, Addrs: []netip.Prefix{netip.MustParsePrefix("192.168.1.7/24"), netip.MustParsePrefix("fe80::fc:ff:fe00:1/64")}},
	{Interface: Interface{Name: "tun0", MTU: 1500, Flags: unix.IFF_UP}, Index: 3, Addrs: []netip.Prefix{netip.MustParsePrefix("10.9.0.1/32")}},
}

func TestBSDInterfaces(t *testing.T) {
	print := func(table BSDInterfaceTable) string {
		b := table.AppendHeader(nil)
		for i := range bsdDevices {
			b = table.Append(b, &bsdDevices[i])
		}
		return string(b)
	}
	sameText(t, print(BSDInterfaceTable{}), `Name       Mtu   Network       Address            Ipkts Ierrs    Opkts Oerrs  Coll
lo         65536 <Link#1>    00:00:00:00:00:00     1210     0     1211     0     0
lo         65536 127           127.0.0.1           1210     -     1211     -     -
lo         65536 ::1/128     ::1                   1210     -     1211     -     -
enp0s31f6* 1500  <Link#12>   02:fc:00:00:00:01 123456789     1        2     3     4
enp0s31f6* 1500  192.168.1     192.168.1.7     123456789     -        2     -     -
enp0s31f6* 1500  fe80::/64   fe80::fc:ff:fe00: 123456789     -        2     -     -
tun0       1500  <Link#3>                             -     -        -     -     -
tun0       1500  10.9.0.1/32   10.9.0.1               -     -        -     -     -
`)
	sameText(t, print(BSDInterfaceTable{Bytes: true, Drops: true, Wide: true}), `Name       Mtu   Network       Address            Ipkts Ierrs     Ibytes    Opkts Oerrs     Obytes  Coll Drop
lo         65536 <Link#1>    00:00:00:00:00:00     1210     0          7     1211     0          8     0    0
lo         65536 127           127.0.0.1           1210     -          7     1211     -          8     -    -
lo         65536 ::1/128     ::1                   1210     -          7     1211     -          8     -    -
enp0s31f6* 1500  <Link#12>   02:fc:00:00:00:01 123456789     1          0        2     3          0     4    5
enp0s31f6* 1500  192.168.1     192.168.1.7     123456789     -          0        2     -          0     -    -
enp0s31f6* 1500  fe80::/64   fe80::fc:ff:fe00:1 123456789     -          0        2     -          0     -    -
tun0       1500  <Link#3>                             -     -          -        -     -          -     -    -
tun0       1500  10.9.0.1/32   10.9.0.1               -     -          -        -     -          -     -    -
`)
	long := BSDInterfaceTable{Long: true, Host: func(a netip.Addr) (string, bool) { return "localhost", a.IsLoopback() && a.Is4() }}
	sameText(t, string(long.Append(nil, &bsdDevices[0])), `lo             65536 <Link#1>                                00:00:00:00:00:00                           1210     0     1211     0     0
lo             65536 127                                     localhost                                   1210     -     1211     -     -
lo             65536 ::1/128                                 ::1                                         1210     -     1211     -     -
`)
}
