package ss

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
)

// output collects what a running command prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// watching counts the sock_diag sockets of the namespace that have joined a group.
func watching(t *testing.T, ns *scene.NetNS) (n int) {
	t.Helper()
	var table []byte
	var err error
	if e := ns.Do(func() { table, err = os.ReadFile("/proc/thread-self/net/netlink") }); e != nil || err != nil {
		t.Fatal(e, err)
	}
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) > 3 && f[1] == "4" && f[2] != "0" && f[3] != "00000000" {
			n++
		}
	}
	return n
}

// Both watch the same sockets end; while they run, both have printed the same bytes.
func TestEvents(t *testing.T) {
	p := peer(t)
	for _, line := range []string{
		"-E -n", "-E", "-E -tn", "-E -un", "-En4", "-E -n6 -O", "-E -tne", "-HEtn", "-E -tunoemi", "-EtunpQ", "-E -tn sport = 7001",
		"-E -n dst 127.0.0.1:7001", "--events -tn state listening", "-E -tn src 10.0.0.1",
	} {
		v := newVictims(t)
		var cmds [2]*exec.Cmd
		var outs [2]output
		for i, argv := range [][]string{append([]string{p}, strings.Fields(line)...), {"", line}} {
			cmds[i] = commandOf(t, nil, argv...)
			cmds[i].Stdout, cmds[i].Stderr = &outs[i], &outs[i]
			if err := v.Start(cmds[i]); err != nil {
				t.Fatal(err)
			}
		}
		wait(t, "both to watch", func() bool { return watching(t, v.NetNS) == 2 })
		for _, name := range []string{"tcp4 client", "tcp4 server", "tcp6 client", "tcp6 server", "tcp4 listener", "tcp6 listener",
			"udp4", "connected4", "udp6", "connected6"} {
			unix.Close(v.fds[name])
			delete(v.fds, name)
		}
		// The last events come when the connections have ended, and no more come then.
		last := ""
		wait(t, line, func() bool {
			time.Sleep(50 * time.Millisecond)
			a, b := outs[0].String(), outs[1].String()
			quiet := a == last && strings.Count(a, "\n") == strings.Count(b, "\n") && a != ""
			last = a
			return quiet
		})
		for _, c := range cmds {
			c.Process.Kill()
			c.Wait()
		}
		if want, got := still(outs[0].String()), still(outs[1].String()); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", line, got, want)
		}
		if n := strings.Count(last, "\n"); n < 2 && line != "-E -tn src 10.0.0.1" {
			t.Errorf("%s: only %d lines", line, n)
		}
	}
}

func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited 10 s: ", what)
		}
	}
}

// Only TCP and UDP sockets are told of: ss ends without a word for the others.
func TestEventsOfNothing(t *testing.T) {
	p := peer(t)
	ns := scene.NewNetNS(t)
	for _, line := range []string{"-E -w", "-E -M", "-E -tn src unix:x"} {
		want := inNS(t, ns, nil, append([]string{p}, strings.Fields(line)...)...)
		got := inNS(t, ns, nil, "", line)
		if got.status != want.status || got.status != exitUsage || got.stderr != want.stderr {
			t.Errorf("%s: %+v\nwant %+v", line, got, want)
		}
	}
}
