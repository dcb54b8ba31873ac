package diag

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestProtocolNames(t *testing.T) {
	for p, want := range map[Protocol]struct {
		number int
		name   string
	}{
		ICMP: {unix.IPPROTO_ICMP, "icmp"}, TCP: {unix.IPPROTO_TCP, "tcp"}, UDP: {unix.IPPROTO_UDP, "udp"},
		DCCP: {unix.IPPROTO_DCCP, "dccp"}, ICMPv6: {unix.IPPROTO_ICMPV6, "icmp6"}, SCTP: {unix.IPPROTO_SCTP, "sctp"},
		UDPLite: {unix.IPPROTO_UDPLITE, "udplite"}, Raw: {unix.IPPROTO_RAW, "raw"}, MPTCP: {unix.IPPROTO_MPTCP, "mptcp"},
		99: {99, "ipproto-99"}, 300: {300, "ipproto-300"},
	} {
		if int(p) != want.number || p.String() != want.name {
			t.Errorf("%d is %q, want %d and %q", int(p), p, want.number, want.name)
		}
	}
}

func TestFamilyNames(t *testing.T) {
	for f, want := range map[Family]struct {
		number int
		name   string
	}{
		Unspec: {unix.AF_UNSPEC, "unspec"}, IPv4: {unix.AF_INET, "inet"}, IPv6: {unix.AF_INET6, "inet6"}, 77: {77, "family-77"},
	} {
		if int(f) != want.number || f.String() != want.name {
			t.Errorf("%d is %q, want %d and %q", int(f), f, want.number, want.name)
		}
	}
}
