package netstat

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/peers"
)

// oursAlone runs the face as a process: that is all in the namespaces of the calling thread, and not only one thread of it.
func oursAlone(t *testing.T, args ...string) result {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asNetstat+"=1")
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// sameAlone fails unless the face, as a process, prints what net-tools prints.
func sameAlone(t *testing.T, args ...string) {
	t.Helper()
	got, want := peers.Agree(func() result { return oursAlone(t, args...).still() }, func() result { return theirs(t, args...).still() })
	compare(t, args, got, want)
}

// inOwnMounts runs f in a thread of new network and mount namespaces, where no name server is asked: what looks up names is told
// at once that there is none.
func inOwnMounts(t *testing.T, f func()) {
	t.Helper()
	dir := t.TempDir()
	inNamespace(t, func() {
		if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
			t.Errorf("unshare: %v", err)
			return
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Errorf("make mounts private: %v", err)
			return
		}
		overlay(t, dir, "/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
		f()
	})
}

// overlay puts a text in the place of a file, in the mount namespace of the calling thread.
func overlay(t *testing.T, dir, file, text string) {
	t.Helper()
	if _, err := os.Stat(file); err != nil {
		t.Skipf("the test lays a file over %s: %v", file, err)
	}
	source := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(source, file, "", unix.MS_BIND, ""); err != nil {
		t.Fatalf("mount over %s: %v", file, err)
	}
}

// procWith returns a directory with tables in the place of /proc.
func procWith(t *testing.T, tables map[string]string) (proc string) {
	t.Helper()
	proc = t.TempDir()
	if err := os.Mkdir(proc+"/net", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range tables {
		if err := os.WriteFile(proc+"/net/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return proc
}

// sameTables fails unless the face prints what net-tools prints for the same tables.
func sameTables(t *testing.T, proc string, args ...string) {
	t.Helper()
	needMounts(t)
	theirs(t, "-V") // skips the test where it is not there
	var out, errs strings.Builder
	script := `mount --bind "$0" /proc && exec netstat "$@"`
	cmd := exec.CommandContext(t.Context(), "unshare", append([]string{"-m", "sh", "-c", script, proc}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Skipf("needs unshare of util-linux: %v", err)
	}
	want := result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
	compare(t, args, oursWith(t, proc, args...), want)
}

// setUp runs lines of ip(8) in the namespace of the calling thread.
func setUp(t *testing.T, lines string) {
	t.Helper()
	ip, err := exec.LookPath("ip")
	if err != nil {
		t.Skip("ip of iproute2 is not installed")
	}
	cmd := exec.Command(ip, "-batch", "-")
	cmd.Stdin = strings.NewReader(lines)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ip: %v: %s", err, out)
	}
}

// network is a host with devices, aliases, addresses and routes of every kind.
const network = `link add veth0 type veth peer name veth1
link add veth10 type veth peer name veth9
link add br0 type bridge
link add mv2 link veth0 type macvlan
link add vx0 type vxlan id 5 dstport 4789 local 10.1.0.1
tuntap add t0 mode tun
tuntap add tap0 mode tap
link set veth1 master br0
link set veth0 mtu 9000
link set veth0 up
link set veth1 up
link set veth10 up
link set veth9 up
link set br0 up
link set mv2 up
link set t0 up
link set veth10 promisc on
link set br0 allmulticast on
link set mv2 arp off
link set vx0 dynamic on
addr add 10.1.0.1/24 brd + dev veth0
addr add 10.1.0.9/24 brd + dev veth0
addr add 10.3.0.1/16 dev veth0 label veth0:1
addr add 10.4.0.1/16 dev veth0 label veth0:10
addr add 10.5.0.1/16 dev veth0 label veth0:2
addr add 10.6.0.1/16 dev veth0 label veth0:abc
addr add 10.9.0.1 peer 10.9.0.2 dev t0
addr add 172.16.255.1/12 dev br0
addr add 192.0.2.1/32 dev lo
addr add 203.0.113.7/0 dev tap0
addr add 2001:db8::1/64 dev veth0 nodad
addr add 2001:db8:1234:5678:9abc:def0:1234:5678/128 dev veth10 nodad
addr add fec0::5/64 dev br0 nodad
addr add ::1.2.3.4/96 dev br0 nodad
route add default via 10.1.0.254
route add default via 10.1.0.253 metric 100
route add 0.0.0.0/1 dev veth0
route add 100.64.0.0/10 nexthop via 10.1.0.2 weight 1 nexthop via 10.1.0.3 weight 2
route add blackhole 100.1.0.0/16
route add unreachable 100.2.0.0/16
route add prohibit 100.3.0.0/16 metric 4294967295
route add throw 100.4.0.0/16
route add unreachable 100.2.3.4
route add 100.5.0.0/16 dev veth0 mtu 1400 advmss 1300 window 32000 rtt 300 metric 77
route add 100.6.7.8 via 10.1.0.7
route add 100.6.7.9 dev veth10 scope link
route add 100.7.0.0/16 via inet6 fe80::1 dev veth0
route add 100.8.0.0/16 tos 0x10 dev veth0
route add 169.254.0.0/16 dev veth0
route add 127.9.0.1 via 10.1.0.7
route add local 100.9.0.0/16 dev lo table main
route add broadcast 100.9.255.255 dev veth0 table main
route add 1.2.3.0/24 dev t0 table 55
route add 100.11.0.0/16 via 10.1.0.4 onlink dev veth10
nexthop add id 5 via 10.1.0.5 dev veth0
route add 100.12.0.0/16 nhid 5
nexthop add id 6 blackhole
route add 100.13.0.0/16 nhid 6
route add default via fe80::1 dev veth0
route add 2001:db8:ffff::/48 via 2001:db8::2 metric 7 mtu 1400
route add blackhole 2001:db8:1::/48
route add unreachable 2001:db8:2::/48 metric 4294967290
route add prohibit 2001:db8:3::/48
route add 2001:db8:4::/48 nexthop via 2001:db8::3 nexthop via 2001:db8::4
route add 2001:db8:5::7 dev veth10 expires 100
route add 2001:db8:6::/48 dev veth0 table 55
route add local 2001:db8:7::/48 dev lo
`

// settle waits until the kernel has done what follows on setUp by itself: addresses that it makes, groups that it joins.
func settle(t *testing.T, args ...string) {
	t.Helper()
	last, rest := "", 0
	for range 100 {
		now := theirs(t, args...).stdout
		if now != last {
			last, rest = now, 0
		} else if rest++; rest == 5 {
			return
		}
		time.Sleep(300 * time.Millisecond)
	}
	t.Fatal("the namespace does not come to rest")
}

func TestOwnMountsAreOwn(t *testing.T) {
	inOwnMounts(t, func() {
		b, err := os.ReadFile("/etc/resolv.conf")
		if err != nil || !strings.HasPrefix(string(b), "nameserver 127.0.0.1\n") {
			t.Errorf("got %q, %v", b, err)
		}
	})
	if b, _ := os.ReadFile("/etc/resolv.conf"); strings.Contains(string(b), "attempts:1\n") && strings.HasPrefix(string(b), "nameserver 127.0.0.1\n") {
		t.Error("the file is laid over for everybody")
	}
}

// oursWith runs the face with a directory in the place of /proc.
func oursWith(t *testing.T, proc string, args ...string) result {
	t.Helper()
	var out, errs strings.Builder
	env := newEnv(t.Context(), args...)
	env.Stdout, env.Stderr, env.Owners.Proc = &out, &errs, proc
	status := Main(env)
	return result{out.String(), errs.String(), status}
}
