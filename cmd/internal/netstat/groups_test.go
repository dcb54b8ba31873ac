package netstat

import (
	"context"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestGroupsAgainstNetstat(t *testing.T) {
	inOwnMounts(t, func() {
		setUp(t, network)
		h := newHost(t)
		for range 3 {
			fd := h.socket(unix.AF_INET, unix.SOCK_DGRAM, 0, 0)
			h.must(unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &unix.IPMreqn{Multiaddr: [4]byte{239, 1, 2, 3}, Ifindex: 1}))
			fd = h.socket(unix.AF_INET6, unix.SOCK_DGRAM, 0, 0)
			h.must(unix.SetsockoptIPv6Mreq(fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, &unix.IPv6Mreq{Multiaddr: [16]byte{0xff, 5, 15: 7}, Interface: 1}))
		}
		settle(t, "-gn")
		out := theirs(t, "-gn").stdout
		for _, want := range []string{"lo              3      239.1.2.3\n", "lo              3      ff05::7\n"} {
			if !strings.Contains(out, want) {
				t.Fatalf("there is no %q in\n%s", want, out)
			}
		}
		overlay(t, t.TempDir(), "/etc/hosts", "127.0.0.1 localhost\n224.0.0.1 all-systems\nff02::1 all-nodes.example.org\n239.1.2.3 a\n")
		for _, args := range []string{
			"-g", "-gn", "-gN", "-gW", "-gv", "-ga", "-gl", "-ge", "-gp", "-gnp", "-g4n", "-g6n", "-g46n", "-gA inet -n", "-g --numeric-hosts",
			"-g --numeric-ports", "-gtn", "-gtuwan", "-gxn", "--groups --numeric", "-g --ipx", "-g x",
		} {
			sameAlone(t, strings.Fields(args)...)
		}
	})
}

func TestGroupTables(t *testing.T) {
	v4 := "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n" +
		"1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n" +
		"2\tverylongname012:     2      V3\n\t\t\t\t010000E0     7 0:00000000\t\t0\n\t\t\t\tFFFFFFEF 123456789 1:00000000\t\t0\n"
	v6 := "1    lo              ff020000000000000000000000000001     1 0000000C 0\n" +
		"2    verylongname012 ff020000000000000000000000000001 4000000000 0000000C 0\n"
	for name, tables := range map[string]map[string]string{
		"both":  {"igmp": v4, "igmp6": v6},
		"bogus": {"igmp": v4 + "bogus\n\tbogus\n", "igmp6": v6 + "bogus\n"},
		"IPv4":  {"igmp": v4},
		"IPv6":  {"igmp6": v6},
	} {
		t.Run(name, func(t *testing.T) {
			proc := procWith(t, tables)
			for _, args := range []string{"-gn", "-g --numeric-hosts"} {
				sameTables(t, proc, strings.Fields(args)...)
			}
		})
	}
}

// TestRoundsOfOtherTables: -c repeats all of them; of -i the title comes once.
func TestRoundsOfOtherTables(t *testing.T) {
	inNamespace(t, func() {
		h := newHost(t)
		h.unixSocket(unix.SOCK_STREAM, "@x")
		settle(t, "-gn")
		for args, title := range map[string]string{"-rn": "", "-i": "Kernel Interface table\n", "-ie": "Kernel Interface table\n", "-gn": "", "-lx": ""} {
			once := ours(t.Context(), args).stdout
			ctx, stop := context.WithCancel(t.Context())
			out := &twice{stop: stop}
			env := newEnv(ctx, args+"c")
			env.Stdout = out
			if status := Main(env); status != exitOK {
				t.Errorf("%s: status %d", args, status)
			}
			if want := once + strings.TrimPrefix(once, title); out.String() != want {
				t.Errorf("%sc: got\n%s\nwant\n%s", args, out.String(), want)
			}
			stop()
		}
	})
}

// twice counts what is not empty, and calls stop at the second.
type twice struct {
	strings.Builder
	n    int
	stop context.CancelFunc
}

func (w *twice) Write(b []byte) (int, error) {
	if len(b) > 0 {
		if w.n++; w.n == 2 {
			w.stop()
		}
	}
	return w.Builder.Write(b)
}
