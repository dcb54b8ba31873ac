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

// bothWatch reports whether two sock_diag sockets of the namespace have joined the same groups: ss joins all of its own at once, ours
// does one after the other.
func bothWatch(t *testing.T, ns *scene.NetNS) bool {
	t.Helper()
	var table []byte
	var err error
	if e := ns.Do(func() { table, err = os.ReadFile("/proc/thread-self/net/netlink") }); e != nil || err != nil {
		t.Fatal(e, err)
	}
	var groups []string
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) > 3 && f[1] == "4" && f[2] != "0" && f[3] != "00000000" {
			groups = append(groups, f[3])
		}
	}
	return len(groups) == 2 && groups[0] == groups[1]
}

// Both watch the same sockets end, and print the same bytes.
func TestEvents(t *testing.T) {
	p := peer(t)
	for _, tt := range []struct {
		line  string
		lines int // that both print, headings included: a row for each socket that is asked for
	}{
		{"-E -n", 11}, {"-E", 11}, {"-E -tn", 7}, {"-E -un", 5}, {"-En4", 6}, {"-E -n6 -O", 6}, {"-E -tne", 7}, {"-HEtn", 6}, {"-E -tunoemi", 21},
		{"-EtunpQ", 11}, {"-E -tn sport = 7001", 5}, {"-E -n dst 127.0.0.1:7001", 2}, {"--events -tn state listening", 7}, {"-E -tn src 10.0.0.1", 1},
	} {
		v := newVictims(t)
		var cmds [2]*exec.Cmd
		var outs [2]output
		for i, argv := range [][]string{append([]string{p}, strings.Fields(tt.line)...), {"", tt.line}} {
			cmds[i] = commandOf(t, nil, argv...)
			cmds[i].Stdout, cmds[i].Stderr = &outs[i], &outs[i]
			if err := v.Start(cmds[i]); err != nil {
				t.Fatal(err)
			}
		}
		wait(t, "both to watch", func() bool { return bothWatch(t, v.NetNS) })
		for _, name := range []string{"tcp4 client", "tcp4 server", "tcp6 client", "tcp6 server", "tcp4 listener", "tcp6 listener",
			"udp4", "connected4", "udp6", "connected6"} {
			unix.Close(v.fds[name])
			delete(v.fds, name)
		}
		wait(t, tt.line, func() bool {
			return strings.Count(outs[0].String(), "\n") >= tt.lines && strings.Count(outs[1].String(), "\n") >= tt.lines
		})
		for _, c := range cmds {
			c.Process.Kill()
			c.Wait()
		}
		if want, got := still(outs[0].String()), still(outs[1].String()); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.line, got, want)
		}
	}
}

func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited a minute: ", what)
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

// A filter by marks, which events do not tell, is told so.
func TestEventsByMark(t *testing.T) {
	ns := scene.NewNetNS(t)
	var out output
	cmd := commandOf(t, nil, "", "-E -tn fwmark != 7")
	cmd.Stderr = &out
	if err := ns.Start(cmd); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	wait(t, "a line", func() bool { return strings.HasSuffix(out.String(), "\n") })
	if got, want := out.String(), "ss: events tell no marks, which count as 0\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
