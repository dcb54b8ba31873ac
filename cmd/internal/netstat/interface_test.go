package netstat

import (
	"bytes"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestInterfacesAgainstNetstat(t *testing.T) {
	inNamespace(t, func() {
		setUp(t, network)
		h := newHost(t)
		_, err := unix.Write(h.datagram(nil, v4(9), unix.SOCK_DGRAM, 0, 0), make([]byte, 5000))
		h.must(err)
		settle(t, "-iae")
		all := theirs(t, "-iae").stdout
		for _, word := range []string{
			"PROMISC", "ALLMULTI", "NOARP", "POINTOPOINT", "LOOPBACK", "veth0:abc: ", "destination 10.9.0.2", "<site>", "<compat,global>", "KiB",
			"DYNAMIC", "unspec ", "loop ", "ether ",
		} {
			if !strings.Contains(all, word) {
				t.Fatalf("there is no %q in\n%s", word, all)
			}
		}
		for _, args := range []string{
			"-i", "-ia", "-ie", "-iae", "-iee", "-iaee", "-in", "-iWl", "-iN", "-i6", "-i4", "-ix", "-it", "-ig", "-iv", "-iao", "-iap", "-iFC",
			"--interfaces", "--int --all", "--inter --ext", "-i veth0", "-i -A inet6", "-i -A unix -a",
		} {
			same(t, strings.Fields(args)...)
		}
		setUp(t, "link set veth0 down\nlink set br0 down\n")
		settle(t, "-iae")
		for _, args := range []string{"-i", "-ia", "-ie", "-iae"} {
			same(t, args)
		}
	})
}

// TestInterfaceNames: the order, for names that numbers make hard to sort.
func TestInterfaceNames(t *testing.T) {
	list := []string{
		"a", "b1", "b01", "b10", "b2", "1", "12", "3", "x1y", "x1y2", "x10y1", "B2", "eth", "eth0", "eth00", "e-1", "e-2", "e.10", "e.9",
		"vlan.10", "vlan.9", "z5", "Z", "_x", "w1.2", "w1.10", "w10.1", "z999999999", "b001",
	}
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	inNamespace(t, func() {
		var lines strings.Builder
		for _, name := range list {
			lines.WriteString("link add name " + name + " type bridge\n")
		}
		for _, label := range []string{"b1:7", "b10:7", "b10:10", "b10:x:2", "b10:x2", "b10:07", "b2:1", "eth:3", "eth0:3", "eth0:20"} {
			device, _, _ := strings.Cut(label, ":")
			lines.WriteString("addr add 10." + itoa(lines.Len()%250) + "." + itoa(lines.Len()/250) + ".1/24 dev " + device + " label " + label + "\n")
		}
		setUp(t, lines.String())
		same(t, "-ia")
		same(t, "-iae")
	})
}

// TestInterfaceTypes: what the long form says of the hardware.
func TestInterfaceTypes(t *testing.T) {
	inNamespace(t, func() {
		for _, typ := range []int{
			unix.ARPHRD_ETHER, unix.ARPHRD_ARCNET, unix.ARPHRD_EUI64, unix.ARPHRD_SLIP, unix.ARPHRD_CSLIP, unix.ARPHRD_SLIP6, unix.ARPHRD_CSLIP6,
			unix.ARPHRD_ADAPT, unix.ARPHRD_PPP, unix.ARPHRD_CISCO, unix.ARPHRD_LAPB, unix.ARPHRD_TUNNEL, unix.ARPHRD_FRAD, unix.ARPHRD_LOOPBACK,
			unix.ARPHRD_FDDI, unix.ARPHRD_SIT, unix.ARPHRD_HIPPI, unix.ARPHRD_ECONET, unix.ARPHRD_IRDA, unix.ARPHRD_NONE, unix.ARPHRD_VOID,
			unix.ARPHRD_IEEE80211, unix.ARPHRD_IPGRE, unix.ARPHRD_TUNNEL6,
		} {
			fd, err := attachTUN("t" + itoa(typ))
			if err != nil {
				t.Skipf("needs a TUN device: %v", err)
			}
			defer unix.Close(fd)
			if err := unix.IoctlSetInt(fd, unix.TUNSETLINK, typ); err != nil {
				t.Fatalf("set type %d: %v", typ, err)
			}
		}
		// One byte of addresses shorter than that is what net-tools had in its memory: ours is zero.
		eighth := regexp.MustCompile(`(unspec (?:[0-9A-F]{2}-){7})[0-9A-F]{2}`)
		got, want := ours(t.Context(), "-iae"), theirs(t, "-iae")
		want.stdout = eighth.ReplaceAllString(want.stdout, "${1}00")
		compare(t, []string{"-iae"}, got, want)
	})
}

// TestLongInterfaceName: net-tools has no counters for a device whose name has 15 characters. We have those of the kernel.
func TestLongInterfaceName(t *testing.T) {
	inNamespace(t, func() {
		setUp(t, "link add veryverylong015 type veth peer name v1\naddr add 10.1.0.1/24 dev veryverylong015\nlink set v1 up\nlink set veryverylong015 up\n")
		counters := func() []string {
			dev, err := os.ReadFile("/proc/thread-self/net/dev")
			if err != nil {
				t.Fatal(err)
			}
			_, text, found := bytes.Cut(dev, []byte("veryverylong015:"))
			if !found {
				t.Fatalf("there is no device:\n%s", dev)
			}
			return strings.Fields(string(text))[:16]
		}
		var f []string
		var out string
		await(t, func() bool { // until it has packets, and none comes while we look
			f = counters()
			out = ours(t.Context(), "-i").stdout
			return f[1] != "0" && slices.Equal(counters(), f)
		})
		for line := range strings.Lines(out) {
			if g := strings.Fields(line); g[0] == "veryverylong015" {
				if want := slices.Concat([]string{g[0], "1500"}, f[1:5], f[9:13], []string{"BMRU"}); !slices.Equal(g, want) {
					t.Errorf("got %q, want %q", g, want)
				}
				return
			}
		}
		t.Errorf("the device is not shown:\n%s", out)
	})
}

// TestForeignLabel: the label of an address need not be that of its device.
func TestForeignLabel(t *testing.T) {
	inNamespace(t, func() {
		setUp(t, "link add b1 type bridge\nlink add z1 type bridge\naddr add 10.1.0.1/24 dev b1 label b1x\n")
		out := ours(t.Context(), "-ia").stdout
		if !strings.Contains(out, "b1x              1500      - no statistics available -") || !strings.Contains(out, "\nz1 ") {
			t.Errorf("got\n%s", out)
		}
	})
}

func TestSplitName(t *testing.T) {
	for s, want := range map[string]name{
		"eth0": {"eth0", "eth", 0, -1}, "eth": {"eth", "eth", -1, -1}, "eth0:10": {"eth0", "eth", 0, 10}, "eth0:": {"eth0:", "eth0:", -1, -1}, "eth0:a1": {"eth0:a1", "eth0:a", 1, -1},
		"12": {"12", "", 12, -1}, "v.10": {"v.10", "v.", 10, -1}, ":3": {"", "", -1, 3}, "": {"", "", -1, -1}, "e1:2:3": {"e1:2", "e1:", 2, 3},
	} {
		if got := splitName(s); got != want {
			t.Errorf("%q: got %+v, want %+v", s, got, want)
		}
	}
}
