package list

import (
	"os"
	"os/exec"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
)

func TestWorthwhile(t *testing.T) {
	dir := t.TempDir() + "/"
	queries := []diag.InetQuery{
		{Protocol: diag.TCP, States: diag.StatesOf(diag.Listen)}, {Protocol: diag.UDP, States: diag.StatesOf(diag.Close)},
		{Protocol: diag.TCP, States: diag.AllStates &^ diag.StatesOf(diag.Listen)}, {Protocol: diag.UDP, States: diag.AllStates &^ diag.StatesOf(diag.Close)},
	}
	if got := worthwhile(queries, dir); len(got) != 4 {
		t.Errorf("not counted: %d queries, want all", len(got))
	}
	write := func(name, text string) {
		if err := os.WriteFile(dir+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("sockstat", "sockets: used 9\nTCP: inuse 0 orphan 5 tw 0 alloc 7 mem 3\nUDP: inuse 0 mem 0\n")
	write("sockstat6", "TCP6: inuse 0\nUDP6: inuse 0\n")
	if got := worthwhile(queries, dir); len(got) != 1 || got[0].States != diag.StatesOf(diag.BoundInactive) {
		t.Errorf("nothing: %+v", got)
	}
	write("sockstat6", "TCP6: inuse 1\nUDP6: inuse 0\n")
	if got := worthwhile(queries, dir); len(got) != 2 || got[1].Protocol != diag.TCP || got[1].States != queries[2].States {
		t.Errorf("TCP over IPv6: %+v", got)
	}
	write("sockstat6", "TCP6: inuse 0\nUDP6: inuse 2\n")
	if got := worthwhile(queries, dir); len(got) != 3 {
		t.Errorf("UDP over IPv6: %+v", got)
	}
	write("sockstat", "TCP: inuse 0 orphan 0 tw 3 alloc 7 mem 3\n")
	if tcp, udp, ok := counts(dir); tcp != 3 || udp != 2 || !ok {
		t.Errorf("%d TCP, %d UDP, %v", tcp, udp, ok)
	}
}

// Namespaces that hold a process, and no name: one with a socket that no counter tells of, one with UDP alone.
func TestNamespacesOfProcesses(t *testing.T) {
	bound, udp := newTCP(t), newTCP(t)
	bound.in(func() error {
		_, err := bound.socket("127.0.0.1:7777")
		return err
	})
	udp.in(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			udp.fds = append(udp.fds, fd)
			err = unix.Bind(fd, sockaddr("127.0.0.1:7777"))
		}
		return err
	})
	names := map[string]string{}
	for what, ns := range map[string]*scene.NetNS{"tcp bound": bound.ns, "udp unconnected": udp.ns} {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), argsEnv+`=["--watch","1h","-o","ndjson","sport = 1"]`)
		if err := ns.Start(cmd); err != nil {
			t.Fatal(err)
		}
		defer cmd.Wait()
		defer cmd.Process.Kill()
		names[what] = "pid:" + strconv.Itoa(cmd.Process.Pid)
	}
	got := map[string]string{}
	for _, row := range answer(t, nil, "-A", "sport = 7777") {
		got[str(row["proto"])+" "+str(row["state"])] = str(row["netns"])
	}
	for what, name := range names {
		// The first thread of this process may be the one that made the namespace.
		if got[what] != name && got[what] != "pid:"+self() {
			t.Errorf("%s: in %q, want %q", what, got[what], name)
		}
	}
}
