package netstat

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"testing"
)

func TestAppendEndpoint(t *testing.T) {
	numeric := Options{}
	ports := Options{Service: services}
	named := Options{Host: hosts, Service: services}
	wide := Options{Wide: true, Host: hosts, Service: services}
	for _, c := range []struct {
		o       Options
		addr    string
		service string
		want    string
	}{
		{numeric, "0.0.0.0:0", "tcp", "0.0.0.0:*              "},
		{numeric, "127.0.0.1:22", "tcp", "127.0.0.1:22           "},
		{numeric, "255.255.255.255:65535", "tcp", "255.255.255.255:65535  "},
		{numeric, "[::]:0", "tcp", ":::*                   "},
		{numeric, "[::]:22", "tcp", ":::22                  "},
		{numeric, "[::1]:22", "tcp", "::1:22                 "},
		{numeric, "[::ffff:127.0.0.1]:80", "tcp", "127.0.0.1:80           "},
		{numeric, "[::ffff:0.0.0.0]:80", "tcp", "0.0.0.0:80             "},
		{numeric, "[::1.2.3.4]:80", "tcp", "::1.2.3.4:80           "},
		{numeric, "[fe80::1]:546", "udp", "fe80::1:546            "},
		// 22 characters of address and port, and 23
		{numeric, "[2001:db8:1234:567::1]:1", "tcp", "2001:db8:1234:567::1:1 "},
		{numeric, "[2001:db8:1234:567::1]:12", "tcp", "2001:db8:1234:567::1:12"},
		{numeric, "[2001:db8:1234:567::1]:123", "tcp", "2001:db8:1234:567:::123"},
		{numeric, "[2001:db8:1234:567:89ab::1]:34056", "tcp", "2001:db8:1234:567:34056"},
		{wide, "[2001:db8:1234:567:89ab::1]:34056", "tcp", "2001:db8:1234:567:89ab::1:34056"},
		{ports, "127.0.0.1:22", "tcp", "127.0.0.1:ssh          "},
		{ports, "127.0.0.1:22", "udp", "127.0.0.1:22           "},
		{ports, "127.0.0.1:53", "udp", "127.0.0.1:domain       "},
		{ports, "0.0.0.0:1", "raw", "0.0.0.0:icmp           "},
		{ports, "[::]:58", "raw", ":::ipv6-icmp           "},
		{ports, "0.0.0.0:255", "raw", "0.0.0.0:255            "},
		{ports, "192.168.100.200:7000", "tcp", "192.168:afs3-fileserver"},
		{ports, "192.168.100.200:17500", "tcp", "192.:eighteen-bytes-abc"},
		{ports, "192.168.100.200:7001", "tcp", "192.:a-service-with-a-v"},
		{wide, "192.168.100.200:7001", "tcp", "192.168.100.200:a-service-with-a-very-long-name"},
		{named, "127.0.0.1:22", "tcp", "localhost:ssh          "},
		{named, "[::ffff:127.0.0.1]:22", "tcp", "127.0.0.1:ssh          "}, // Host knows it by another name
		{named, "[::ffff:192.0.2.7]:22", "tcp", "mapped.example.com:ssh "},
		{named, "[::1]:22", "tcp", "ip6-localhost:ssh      "},
		{named, "0.0.0.0:22", "tcp", "0.0.0.0:ssh            "},
		{named, "[::]:22", "tcp", "[::]:ssh               "},
		{named, "[::]:0", "tcp", "[::]:*                 "},
		{named, "192.0.2.9:22", "tcp", "192.0.2.9:ssh          "},
		{named, "192.0.2.7:1", "tcp", "a-host-with-a-long-na:1"},
		{named, "192.0.2.7:7001", "tcp", "a-ho:a-service-with-a-v"},
		{named, "192.0.2.8:7001", "tcp", "h:a-service-with-a-v   "},
	} {
		got := string(New(c.o).appendEndpoint(nil, netip.MustParseAddrPort(c.addr), c.service))
		if got != c.want {
			t.Errorf("%s %s:\n got %q\nwant %q", c.addr, c.service, got, c.want)
		}
	}
}

// ntop is inet_ntop(3) for AF_INET6: ISC's rules, from its manual page and RFC 4291 2.2.
func ntop(b [16]byte) string {
	var w [8]int
	for i := range w {
		w[i] = int(b[2*i])<<8 | int(b[2*i+1])
	}
	best, n := -1, 1 // the first of the longest runs of at least two zeros
	for i := range 8 {
		j := i
		for j < 8 && w[j] == 0 {
			j++
		}
		if j-i > n {
			best, n = i, j-i
		}
	}
	var out []byte
	for i := 0; i < 8; i++ {
		switch {
		case i == best:
			out = append(out, ':')
			i += n - 1
			if i == 7 {
				out = append(out, ':')
			}
			continue
		case i > 0:
			out = append(out, ':')
		}
		if i == 6 && best == 0 && (n == 6 || n == 5 && w[5] == 0xffff) {
			out = append(out, netip.AddrFrom4([4]byte(b[12:])).String()...)
			break
		}
		const hex = "0123456789abcdef"
		digits := []byte{hex[w[i]>>12], hex[w[i]>>8&15], hex[w[i]>>4&15], hex[w[i]&15]}
		digits = bytes.TrimLeft(digits, "0")
		if len(digits) == 0 {
			digits = []byte{'0'}
		}
		out = append(out, digits...)
	}
	return string(out)
}

func TestAppendIPv6(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for mask := range 256 { // which of the eight words are zero
		for range 8 {
			var b [16]byte
			for i := range 8 {
				if mask&(1<<i) == 0 {
					v := 1 + r.IntN(1<<(4*(1+r.IntN(4)))-1)
					b[2*i], b[2*i+1] = byte(v>>8), byte(v)
				}
			}
			a := netip.AddrFrom16(b)
			if got, want := string(appendIPv6(nil, a)), ntop(b); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
}
