package netstat

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestBSDStatistics: tables of a host that has counted something, by option.
func TestBSDStatistics(t *testing.T) {
	proc := procWith(t, map[string]string{
		"snmp": "Ip: Forwarding DefaultTTL InReceives InDelivers\nIp: 1 64 9 8\nIcmp: InMsgs InCsumErrors\nIcmp: 1 0\n" +
			"IcmpMsg: InType3\nIcmpMsg: 1\nTcp: MaxConn OutSegs RetransSegs\nTcp: -1 5 1\nUdp: InDatagrams\nUdp: 0\n",
		"netstat": "TcpExt: ListenOverflows\nTcpExt: 2\n",
		"snmp6":   "Ip6InReceives 3\nIcmp6InCsumErrors 0\nIcmp6InType135 4\nUdp6InDatagrams 0\n",
	})
	const (
		tcp   = "tcp:\n\t6 packets sent\n\t\t1 data packet retransmitted\n\t2 listen queue overflows\n"
		udp   = "udp:\n\t0 datagram received\n\t\t0 delivered\n"
		ip    = "ip:\n\t9 total packets received\n\t\t8 packets for this host\n"
		icmp  = "icmp:\n\t0 bad checksum\n\tInput histogram:\n\t\tdestination unreachable: 1\n"
		ip6   = "ip6:\n\t3 total packets received\n"
		icmp6 = "icmp6:\n\t0 bad checksum\n\tInput histogram:\n\t\tneighbor solicitation: 4\n"
	)
	for args, want := range map[string]string{
		"-s":          tcp + udp + ip + icmp + ip6 + icmp6,
		"-s -f inet":  tcp + udp + ip + icmp,
		"-s -f inet6": tcp + udp + ip6 + icmp6,
		"-s -p tcp":   tcp,
		"-sp icmp6":   icmp6,
		"-s -s":       tcp + "udp:\n" + ip + strings.Replace(icmp, "\t0 bad checksum\n", "", 1) + ip6 + strings.Replace(icmp6, "\t0 bad checksum\n", "", 1),
	} {
		got := oursWith(t, proc, append([]string{"--bsd"}, strings.Fields(args)...)...)
		compare(t, []string{args}, got, result{stdout: want})
	}
	// Without IPv6 there is no snmp6, and that is no error. Without snmp there is nothing to say.
	proc = procWith(t, map[string]string{"snmp": "Ip: InReceives\nIp: 9\n", "netstat": "TcpExt: ListenOverflows\nTcpExt: 2\n"})
	compare(t, nil, oursWith(t, proc, "--bsd", "-s"), result{stdout: "tcp:\n\t2 listen queue overflows\nip:\n\t9 total packets received\n"})
	proc = procWith(t, map[string]string{"snmp": "Ip: InReceives\nTcp: 9\n"})
	if r := oursWith(t, proc, "--bsd", "-s"); r.status != exitFailed || r.stdout != "" || !strings.Contains(r.stderr, "snmp") {
		t.Errorf("a table that is not the kernel's: %+v", r)
	}
}

// TestBSDKernelCounts: what happens in a namespace is counted there.
func TestBSDKernelCounts(t *testing.T) {
	inNamespace(t, func() {
		h := newHost(t)
		l := h.listen(any4(80), 0, 5, nil)
		for range 3 {
			h.pair(l, v4(80))
		}
		fd := h.datagram(nil, v4(9), unix.SOCK_DGRAM, 0, 0)
		if _, err := unix.Write(fd, []byte("x")); err != nil {
			t.Fatal(err)
		}
		var out, missing string
		wait(func() bool { // a datagram can be on its way
			out, missing = ours(t.Context(), "--bsd", "-s").stdout, ""
			for _, line := range []string{"\t3 connection requests\n", "\t3 connection accepts\n", "\t1 datagram received\n\t\t0 with bad checksum\n\t\t1 dropped due to no socket\n", "\t1 datagram output\n"} {
				if !strings.Contains(out, line) {
					missing += line
				}
			}
			return missing == ""
		})
		if missing != "" {
			t.Errorf("no %q in\n%s", missing, out)
		}
	})
}
