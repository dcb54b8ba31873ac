package ss

import (
	"net/netip"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/render/names"
)

func TestAppendAddr(t *testing.T) {
	host := func(a netip.Addr) (string, bool) {
		switch a.String() {
		case "192.0.2.1", "2001:db8::1":
			return "host.example", true
		case "::":
			t.Error("asked for the host of ::, which is shown as *")
		}
		return "", false
	}
	p := Writer{opt: Options{Interfaces: &names.Interfaces{ByIndex: func(i uint32) (string, error) { return "eth0", nil }}}}
	for _, tt := range []struct {
		name    string
		addr    string
		ifindex uint32
		v6only  bool
		hosts   bool
		want    string
	}{
		{"dotted", "192.0.2.1", 0, false, false, "192.0.2.1:"},
		{"0.0.0.0", "0.0.0.0", 0, false, false, "0.0.0.0:"},
		{"255.10.9.100", "255.10.9.100", 0, false, false, "255.10.9.100:"},
		{"IPv6 in brackets", "2001:db8::1", 0, false, false, "[2001:db8::1]:"},
		{":: is *", "::", 0, false, false, "*:"},
		{":: of a socket for IPv6 only", "::", 0, true, false, "[::]:"},
		{"device behind the bracket", "fe80::1", 3, false, false, "[fe80::1]%eth0:"},
		{"device of *", "::", 3, false, false, "*%eth0:"},
		{"device of IPv4", "192.0.2.1", 3, false, false, "192.0.2.1%eth0:"},
		{"mapped", "::ffff:127.0.0.1", 0, false, false, "[::ffff:127.0.0.1]:"},
		{"-r", "192.0.2.1", 0, false, true, "host.example:"},
		{"-r, IPv6: a name is not bracketed", "2001:db8::1", 2, false, true, "host.example%eth0:"},
		{"-r, no name", "192.0.2.2", 0, false, true, "192.0.2.2:"},
		{"-r, no name, IPv6", "2001:db8::2", 0, false, true, "[2001:db8::2]:"},
		{"-r, ::", "::", 0, false, true, "*:"},
	} {
		p.opt.Host = nil
		if tt.hosts {
			p.opt.Host = host
		}
		if got := string(p.appendAddr(nil, netip.MustParseAddr(tt.addr), tt.ifindex, tt.v6only)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestAppendIPv6: what inet_ntop(3) of glibc prints.
func TestAppendIPv6(t *testing.T) {
	for in, want := range map[string]string{
		"::":                   "::",
		"::1":                  "::1",
		"::2:1":                "::0.2.0.1",
		"::10.1.2.3":           "::10.1.2.3",
		"::ffff:10.1.2.3":      "::ffff:10.1.2.3",
		"::ffff:0:0":           "::ffff:0.0.0.0",
		"::fffe:a01:203":       "::fffe:a01:203",
		"::ffff:0:a01:203":     "::ffff:0:a01:203",
		"1::":                  "1::",
		"1:0:0:2::1":           "1:0:0:2::1",
		"1:0:0:2:2:0:0:1":      "1::2:2:0:0:1",
		"1:2:3:0:5:6:7:8":      "1:2:3:0:5:6:7:8",
		"2001:db8:0:0:1:0:0:0": "2001:db8:0:0:1::",
		"0:1:2:3:4:5:6:7":      "0:1:2:3:4:5:6:7",
		"fe80::abcd:0:0:1":     "fe80::abcd:0:0:1",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	} {
		if got := string(appendIPv6(nil, netip.MustParseAddr(in).As16())); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestAppendPort(t *testing.T) {
	for _, tt := range []struct {
		name    string
		proto   diag.Protocol
		port    uint16
		numeric bool
		follows string // Options.Proto
		want    string
	}{
		{"0 is *", diag.TCP, 0, false, "", "*"},
		{"0 is *, -n", diag.TCP, 0, true, "", "*"},
		{"service", diag.TCP, 22, false, "", "ssh"},
		{"service of UDP", diag.UDP, 514, false, "", "syslog"},
		{"service of TCP", diag.TCP, 514, false, "", "shell"},
		{"-n", diag.TCP, 22, true, "", "22"},
		{"no service", diag.TCP, 23, false, "", "23"},
		{"port that the kernel hands out", diag.TCP, 40000, false, "", "40000"},
		{"first of those", diag.TCP, 32768, false, "", "32768"},
		{"one less", diag.TCP, 32767, false, "", "before"},
		{"MPTCP behind TCP", diag.MPTCP, 514, false, "tcp", "shell"},
		{"MPTCP behind UDP", diag.MPTCP, 514, false, "udp", "syslog"},
		{"MPTCP alone", diag.MPTCP, 514, false, "", "syslog"},
		{"raw: a protocol", diag.Raw, 1, false, "", "icmp"},
		{"raw: a protocol without name", diag.Raw, 255, false, "", "ipproto-255"},
		{"raw: no protocol", diag.Raw, 40000, false, "", "ipproto-40000"},
		{"raw: -n", diag.Raw, 1, true, "", "1"},
		{"raw: 0", diag.Raw, 0, false, "", "*"},
	} {
		p := Writer{opt: Options{
			Numeric: tt.numeric, Proto: tt.follows, EphemeralMin: 32768, EphemeralMax: 60999,
			Services:  &names.Services{File: "testdata/services"},
			Protocols: &names.Protocols{File: "testdata/protocols"},
		}}
		if got := string(p.appendPort(nil, tt.proto, tt.port)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
