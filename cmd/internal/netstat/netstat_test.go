package netstat

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/peers"
)

// same fails unless the face prints what net-tools prints.
func same(t *testing.T, args ...string) {
	t.Helper()
	got, want := peers.Agree(func() result { return ours(t.Context(), args...).still() }, func() result { return theirs(t, args...).still() })
	compare(t, args, got, want)
}

// compare fails unless two runs printed the same.
func compare(t *testing.T, args []string, got, want result) {
	t.Helper()
	if got.status != want.status {
		t.Errorf("%q: status %d, want %d", args, got.status, want.status)
	}
	if got.stderr != want.stderr {
		t.Errorf("%q: stderr\n%swant\n%s", args, got.stderr, want.stderr)
	}
	g, w := strings.SplitAfter(got.stdout, "\n"), strings.SplitAfter(want.stdout, "\n")
	for len(g) < len(w) {
		g = append(g, "")
	}
	for i := range g {
		if i >= len(w) {
			t.Errorf("%q: line %d: got %q, want no more", args, i+1, g[i])
		} else if g[i] != w[i] {
			t.Errorf("%q: line %d:\n got %q\nwant %q", args, i+1, g[i], w[i])
		}
	}
}

func TestAgainstNetstat(t *testing.T) {
	inNamespace(t, func() {
		h := newHost(t)
		h.populate()
		var all, missing string
		wait(func() bool {
			all, missing = ours(t.Context(), "-tuUwan").stdout, ""
			for _, state := range []string{"LISTEN", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE_WAIT"} {
				if !strings.Contains(all, state) {
					missing += " " + state
				}
			}
			return missing == ""
		})
		if missing != "" {
			t.Errorf("there is no socket in%s:\n%s", missing, all)
		}
		for _, args := range []string{
			"-tan", "-tln", "-tn", "-uan", "-uln", "-un", "-wan", "-wln", "-wn", "-Uan", "-Uln", "-Un",
			"-tuUwan", "-tuUwaln", "-tuUwanW", "-tuUwane", "-tuUwano", "-tuUwanp", "-tuUwanepo", "-tuUwanepoW",
			"-tne", "-tno", "-tnepo", "-tlnepo", "-unepo", "-wnepo", "-Unepo",
			"-ta", "-taW", "-tuUwaepo", "-tuUwlpe", "-tuUwepo",
			"-ta --numeric-hosts", "-tuae --numeric-ports", "-tuae --numeric-users", "-tuwaN", "-tuanN",
			"-an4", "-an6", "-an46", "-tan4", "-tan6", "-Ainet -an", "-Ainet,inet6 -anepo", "-A ip6 -l", "--inet6 -an", "--tcp --all --numeric",
			"-van4", "-vtn", "-6Sn", "-tan extra words", "-tan -- -q", "-d4na", "-FCtan",
		} {
			same(t, strings.Fields(args)...)
		}
	})
}

// TestPrograms: names that processes gave themselves, and a socket that two processes have.
func TestPrograms(t *testing.T) {
	inNamespace(t, func() {
		h := newHost(t)
		lower := os.Getpid() // of the two that have the first socket
		for i, argv0 := range []string{"/usr/sbin/x", "we ird\x1b[31m\xc3\xa9", "nginx: worker process", "/a/b/", "rel/path", strings.Repeat("long", 200)} {
			fd := h.listen(v4(7000+i), 0, 1, nil)
			dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
			h.must(err)
			file := os.NewFile(uintptr(dup), "socket")
			sleep, err := exec.LookPath("sleep")
			h.must(err)
			cmd := &exec.Cmd{Path: sleep, Args: []string{argv0, "3600"}, ExtraFiles: []*os.File{file}}
			h.must(cmd.Start())
			defer cmd.Wait()
			defer cmd.Process.Kill()
			file.Close()
			if i > 0 {
				h.close(fd)
			} else {
				lower = min(lower, cmd.Process.Pid)
			}
			await(t, func() bool { // until the child has called execve it has the parent's name
				b, _ := os.ReadFile("/proc/" + itoa(cmd.Process.Pid) + "/cmdline")
				return bytes.HasPrefix(b, []byte(argv0))
			})
		}
		same(t, "-tlnp")
		same(t, "-tlnpeoW")
		out := ours(t.Context(), "-tlnp").stdout
		if !strings.Contains(out, "/we ird.[31m..") {
			t.Errorf("control characters are not replaced:\n%q", out)
		}
		if !strings.Contains(out, " "+itoa(lower)+"/") {
			t.Errorf("of two processes that share a socket the one with the lower pid, %d, is not shown:\n%s", lower, out)
		}
	})
}

// TestConnectionToPort0 is where we differ: net-tools takes it for a server.
func TestConnectionToPort0(t *testing.T) {
	inNamespace(t, func() {
		h := newHost(t)
		// A connection to port 0 can only be had where nobody answers; a TUN device swallows what it is sent.
		_, err := exec.LookPath("ip")
		if err != nil {
			t.Skip("ip of iproute2 is not installed")
		}
		if out, err := exec.Command("sh", "-c", "ip tuntap add t0 mode tun && ip addr add 10.9.0.1/24 dev t0 && ip link set t0 up").CombinedOutput(); err != nil {
			t.Skipf("needs a TUN device: %v: %s", err, out)
		}
		tun, err := attachTUN("t0")
		if err != nil {
			t.Skipf("needs a TUN device: %v", err)
		}
		defer unix.Close(tun)
		h.dial(&unix.SockaddrInet4{Addr: [4]byte{10, 9, 0, 2}}, 0)
		for args, want := range map[string]bool{"-tn": true, "-tan": true, "-tln": false} {
			if got := strings.Contains(ours(t.Context(), args).stdout, "10.9.0.2:*"); got != want {
				t.Errorf("%s: shown %v, want %v", args, got, want)
			}
		}
	})
}

func TestTablesThatAreMissing(t *testing.T) {
	inNamespace(t, func() {
		if _, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_SCTP); err == nil {
			t.Skip("the kernel has SCTP; this is about one that has not")
		}
		h := newHost(t)
		h.listen(v4(22), 0, 1, nil)
		h.datagram(any4(53), nil, unix.SOCK_DGRAM, 0, 0)
		for _, args := range []string{
			"-Sn", "-tSan", "-tSuan", "-San4", "-vSan", "-6San", "-46van", "--ipx", "-t --ax25", "-tan -A x25", "-A rose -un", "--netrom",
			"-tSan --ipx", "-M", "-tM",
		} {
			same(t, strings.Fields(args)...)
		}
	})
}

// TestEverything: without a table, all are shown.
func TestEverything(t *testing.T) {
	inNamespace(t, func() {
		h := newHost(t)
		h.populate()
		h.unixSockets()
		for _, args := range []string{"-n", "-an", "-ln", "-anepo", "-lnp", "-van", "-x", "-tuxan"} {
			same(t, args)
		}
	})
}

// rounds counts the tables in what is written to it, and calls stop after three.
type rounds struct {
	bytes.Buffer
	stop context.CancelFunc
}

func (r *rounds) Write(b []byte) (int, error) {
	n, err := r.Buffer.Write(b)
	if bytes.Count(r.Bytes(), []byte("Active Internet")) == 3 {
		r.stop()
	}
	return n, err
}

func TestContinuous(t *testing.T) {
	inNamespace(t, func() {
		h := newHost(t)
		h.listen(v4(22), 0, 1, nil)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		out := &rounds{stop: stop}
		env := newEnv(ctx, "-tlnc")
		env.Stdout = out
		if status := Main(env); status != exitOK {
			t.Errorf("status %d", status)
		}
		once := ours(t.Context(), "-tln").stdout
		if got, want := out.String(), strings.Repeat(once, 3); got != want {
			t.Errorf("three rounds:\n%s\nwant\n%s", got, want)
		}
	})
}
