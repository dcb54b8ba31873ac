package netstat

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/leak"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// asNetstat in the environment makes the test binary be netstat.
const asNetstat = "SOCKEYE_TEST_AS_NETSTAT"

func TestMain(m *testing.M) {
	if os.Getenv(asNetstat) != "" {
		env := newEnv(context.Background(), os.Args[1:]...)
		env.Stdout, env.Stderr = os.Stdout, os.Stderr
		os.Exit(Main(env))
	}
	os.Exit(leak.Wrap(m).Run())
}

// TestNotRoot: what somebody sees who may not look into the processes of others.
func TestNotRoot(t *testing.T) {
	inNamespace(t, func() {
		h := newHost(t)
		h.populate()
		exe, err := os.Open("/proc/self/exe") // its directory is closed to others
		h.must(err)
		defer exe.Close()
		uid := 1<<20 + os.Getpid() // has no process, also where other tests run
		run := func(path string, args ...string) result {
			var out, errs bytes.Buffer
			cmd := &exec.Cmd{Path: path, Args: append([]string{"netstat"}, args...), Dir: "/", Stdout: &out, Stderr: &errs,
				Env: []string{"LC_ALL=C", asNetstat + "=1"}, ExtraFiles: []*os.File{exe},
				SysProcAttr: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}}
			if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
				t.Fatal(err)
			}
			return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}.still()
		}
		theirs(t, "-V") // skips without it
		netstat, _ := exec.LookPath("netstat")
		compare := func(args ...string) (got result) {
			t.Helper()
			got, want := peers.Agree(func() result { return run("/proc/self/fd/3", args...) }, func() result { return run(netstat, args...) })
			if got != want {
				t.Errorf("%q:\n got %+v\nwant %+v", args, got, want)
			}
			return got
		}
		for _, args := range []string{"-tanp", "-tuUwanpeo", "-tln"} {
			got := compare(args)
			if said := strings.Contains(got.stderr, `No info could be read for "-p": geteuid()=`+itoa(uid)+" "); said != strings.Contains(args, "p") {
				t.Errorf("%s: stderr %q", args, got.stderr)
			}
		}
		// With a process of that user that has a socket, something is known.
		fd := h.listen(v4(9191), uid, 1, nil)
		dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		h.must(err)
		file := os.NewFile(uintptr(dup), "socket")
		defer file.Close()
		sleep, err := exec.LookPath("sleep")
		h.must(err)
		cmd := &exec.Cmd{Path: sleep, Args: []string{"sleeper", "3600"}, Dir: "/", ExtraFiles: []*os.File{file},
			SysProcAttr: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}}
		h.must(cmd.Start())
		defer cmd.Wait()
		defer cmd.Process.Kill()
		got := compare("-tlnp")
		if !strings.HasPrefix(got.stderr, "(Not all processes could be identified") || !strings.Contains(got.stdout, "/sleeper") {
			t.Errorf("got %+v", got)
		}
	})
}

func TestDescriptors(t *testing.T) {
	proc := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, denied, sockets bool) {
		t.Helper()
		if d, s := descriptors(proc); d != denied || s != sockets {
			t.Errorf("%s: denied %v, sockets %v; want %v, %v", what, d, s, denied, sockets)
		}
	}
	check("nothing", false, false)
	must(os.MkdirAll(proc+"/10/fd", 0o755))
	must(os.Symlink("/dev/null", proc+"/10/fd/0"))
	must(os.MkdirAll(proc+"/self/fd", 0o755))
	must(os.Symlink("socket:[7]", proc+"/self/fd/0"))
	must(os.MkdirAll(proc+"/"+itoa(os.Getpid())+"/fd", 0o755))
	must(os.Symlink("socket:[7]", proc+"/"+itoa(os.Getpid())+"/fd/0"))
	check("a file, and sockets that do not count", false, false)
	must(os.Symlink("socket:[7]", proc+"/10/fd/1"))
	check("a socket", false, true)
	if os.Geteuid() != 0 {
		must(os.MkdirAll(proc+"/11/fd", 0o700))
		must(os.Chmod(proc+"/11/fd", 0))
		check("a process that is closed to us", true, true)
	}
}

// TestProgram: argv[0] of the process with the lowest pid.
func TestProgram(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := ours(t.Context(), "-tlnp")
	_, port, _ := net.SplitHostPort(l.Addr().String())
	want := itoa(os.Getpid()) + "/" + filepath.Base(os.Args[0])
	for line := range strings.Lines(got.stdout) {
		if strings.Contains(line, "127.0.0.1:"+port+" ") {
			if !strings.Contains(line, " "+want[:min(len(want), 19)]+" ") {
				t.Errorf("got %q, want %s in it", line, want)
			}
			return
		}
	}
	t.Errorf("port %s is not in\n%s", port, got.stdout)
}

func TestProgramDoesNotAllocate(t *testing.T) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	raw, err := l.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	raw.Control(func(fd uintptr) { err = unix.Fstat(int(fd), &st) })
	if err != nil {
		t.Fatal(err)
	}
	inode := uint32(st.Ino)
	owners, err := owner.Resolve(t.Context(), &owner.Config{Backend: owner.Proc}, []uint32{inode})
	if err != nil {
		t.Fatal(err)
	}
	r := newRun(newEnv(t.Context()), &options{}, nil)
	pid, argv0, ok := r.program(owners, inode)
	if !ok || pid != int32(os.Getpid()) || argv0 != os.Args[0] {
		t.Errorf("got %d, %q, %v; want %d, %q", pid, argv0, ok, os.Getpid(), os.Args[0])
	}
	if n := testing.AllocsPerRun(100, func() { r.program(owners, inode) }); n != 0 {
		t.Errorf("%v allocations a socket", n)
	}
}
