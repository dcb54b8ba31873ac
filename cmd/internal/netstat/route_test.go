package netstat

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRoutesAgainstNetstat(t *testing.T) {
	inOwnMounts(t, func() {
		setUp(t, network)
		settle(t, "-rn6")
		if out := theirs(t, "-ren").stdout; !strings.Contains(out, "!H") || !strings.Contains(out, "-1 ") || strings.Count(out, "\n") < 25 {
			t.Fatalf("the routes are not there:\n%s", out)
		}
		dir := t.TempDir()
		overlay(t, dir, "/etc/hosts", "127.0.0.1 localhost\n10.1.0.254 gateway\n10.1.0.253 a.gateway.with.a.long.name\n100.6.7.8 host\n2001:db8::2 next\n")
		overlay(t, dir, "/etc/networks", "link-local 169.254.0.0\n# comment\nten.five 10.5\nlong-name-of-a-network 100.8.0.0 alias\nmany 100.64 # of them\n")
		families := []string{"", "6", "46", "64", " -A inet", " -A inet6,inet", " --inet -A ip", " --inet6", "t", "x", "u6", "4x"}
		for _, f := range families {
			for _, e := range []string{"", "e", "ee", "eee"} {
				for _, c := range []string{"", "C", "F", "FC"} {
					for _, n := range []string{"", "n", "N"} {
						if n == "" && (e != "" || c != "") && f != "" {
							continue // names do not depend on these
						}
						sameAlone(t, strings.Fields("-r"+e+c+n+f)...)
					}
				}
			}
		}
		for _, args := range []string{
			"-reeee", "-reeeee", "-reeeeee", "-reeeeeee", "-reeeeeeee -n", "-r --numeric-hosts", "-r --numeric-ports", "-r --numeric-users",
			"-rWavlg", "--route --ext", "-r extra",
			"-r -A ax25", "-r -A ipx", "-r -A x25", "-r -A rose", "-r -A ddp", "-r -A econet", "-r -A ash", "-r -A bluetooth", "-r --bluetooth",
			"-rn -A inet,unix,inet6", "-r -A ax25,inet",
		} {
			sameAlone(t, strings.Fields(args)...)
		}
	})
}

// cacheHeader is all that /proc/net/rt_cache has since Linux 3.6.
const cacheHeader = "Iface\tDestination\tGateway \tFlags\t\tRefCnt\tUse\tMetric\tSource\t\tMTU\tWindow\tIRTT\tTOS\tHHRef\tHHUptod\tSpecDst                          \n"

// TestRouteTables: every flag, and numbers that a kernel seldom has.
func TestRouteTables(t *testing.T) {
	var v4, v6 strings.Builder
	v4.WriteString("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n")
	for i := range 32 {
		fmt.Fprintf(&v4, "e%d\t0101010A\t0201010A\t%04X\t%d\t%d\t%d\tFFFFFFFF\t%d\t%d\t%d\n", i, 1<<i|1, i, i*100, i*1000, i*7, i*11, i*13)
		fmt.Fprintf(&v6, "20010db8%024x 40 %032x 00 %032x %08x %08x %08x %08x %8s\n", 0, 0, 1, i*1000, i, i*100, 1<<i|1, fmt.Sprint("e", i))
		fmt.Fprintf(&v6, "20010db8%024x 40 %032x 00 %032x %08x %08x %08x %08x %8s\n", 0, 0, 1, i*1000, i, i*100, uint32(1)<<i, fmt.Sprint("e", i))
	}
	v4.WriteString("eth0\t0000000A\t00000000\t0004\t0\t0\t0\t000000FF\t0\t0\t0\n" + // not up
		"averylongname01\t0000000A\t0201010A\tFFFFFFFF\t0\t0\t0\t000000FF\t0\t0\t0\n" +
		"averylongname01\t0000000A\t0201010A\tFFFFFDFF\t0\t0\t0\t000000FF\t0\t0\t0\n" +
		"big\t0100007F\t0100007F\t0007\t4000000000\t4000000000\t4000000000\tFFFFFFFF\t4000000000\t4000000000\t4000000000\n" +
		"no route\n\n")
	fmt.Fprintf(&v6, "%032x 80 %032x 00 %032x ffffffff ffffffff ffffffff ffffffff averylongname01\n", 1, 0, 0)
	fmt.Fprintf(&v6, "%032x 00 %032x 00 %032x 00000000 00000000 00000000 00000000 lo\n", int64(0xffff7f000001), 0, 1)
	tables := map[string]string{"route": v4.String(), "ipv6_route": v6.String(), "rt_cache": cacheHeader}
	proc := procWith(t, tables)
	for _, args := range []string{"-rn", "-rne", "-rnee", "-rneee", "-rn6", "-rn6C", "-rn6FC", "-rnC", "-rnFC", "-rnFC46", "-rneeeC"} {
		sameTables(t, proc, strings.Fields(args)...)
	}
	for missing := range tables {
		without := maps.Clone(tables)
		delete(without, missing)
		proc := procWith(t, without)
		for _, args := range []string{"-rn", "-rn6", "-rn46", "-rn64", "-rnC", "-rnFC", "-rnC6"} {
			sameTables(t, proc, strings.Fields(args)...)
		}
	}
	// What net-tools gets wrong: it shows the line before again.
	proc = procWith(t, map[string]string{"ipv6_route": "no route\n"})
	if got, want := oursWith(t, proc, "-rn6"), oursWith(t, procWith(t, map[string]string{"ipv6_route": ""}), "-rn6"); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestReadNetworks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "networks")
	text := "default 0.0.0.0\nloopback 127\nlink-local 169.254.0.0 ll # comment\nagain 127.0.0.0\nbad 1.2.3.4.5\nworse 300.1\nalone\n\nesc\x1b 10.1\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	want := map[netip.Addr]string{
		netip.MustParseAddr("0.0.0.0"): "default", netip.MustParseAddr("127.0.0.0"): "loopback",
		netip.MustParseAddr("169.254.0.0"): "link-local", netip.MustParseAddr("10.1.0.0"): `esc\033`,
	}
	if got := readNetworks(file); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := readNetworks(file + ".missing"); len(got) != 0 {
		t.Errorf("got %v without a file", got)
	}
}
