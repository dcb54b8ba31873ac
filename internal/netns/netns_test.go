package netns

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
)

// listening reports how many TCP sockets listen in the namespace, as a Conn tells that was let in.
func listening(t *testing.T, f *Found, n *Namespace) (count int) {
	t.Helper()
	file, err := f.Open(n)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c, err := diag.Dial(&diag.Config{NetNSFD: int(file.Fd())})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, err := range c.Inet(t.Context(), diag.InetQuery{States: diag.StatesOf(diag.Listen)}) {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	return count
}

// The program's own namespace comes first, whoever looks.
func TestFindOwn(t *testing.T) {
	f := Find(t.Context(), Config{NoBPF: true})
	if len(f.All) == 0 || !f.All[0].Own {
		t.Fatal("not there")
	}
	inode, err := inodeOf("/proc/thread-self/ns/net")
	if err != nil || f.All[0].Inode != inode {
		t.Errorf("%+v, want inode %d: %v", f.All[0], inode, err)
	}
	if f.Partial == nil {
		t.Error("without BPF some are not seen, and it does not say so")
	}
	for i, n := range f.All {
		if n.Own != (i == 0) || n.Name == "" {
			t.Errorf("%d: %+v", i, n)
		}
	}
}

// Without procfs the program's own namespace is known all the same, and that others may be missing is said.
func TestFindWithoutProc(t *testing.T) {
	f := Find(t.Context(), Config{Proc: t.TempDir(), NoBPF: true})
	if len(f.All) != 1 || !f.All[0].Own || f.All[0].Name != "-" || f.Denied == 0 || f.Partial == nil {
		t.Fatalf("%+v", f)
	}
	f.Count()
	if err := f.Connections(t.Context()); err != nil || f.All[0].Counts != nil || f.All[0].Connections != nil {
		t.Errorf("%+v: %v", f.All[0], err)
	}
}

// A socket tells the namespace that procfs does.
func TestOwnInode(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	want, err := inodeOf("/proc/thread-self/ns/net")
	if err != nil {
		t.Skipf("needs procfs: %v", err)
	}
	got, err := ownInode()
	if errors.Is(err, os.ErrPermission) {
		t.Skipf("needs CAP_NET_ADMIN: %v", err)
	}
	if got != want || err != nil {
		t.Errorf("%d, want %d: %v", got, want, err)
	}
}

// A namespace that nothing is left of but a socket.
func TestFindBySocket(t *testing.T) {
	fd := 0
	p := newPlace(t, func(p *place) (err error) {
		fd, _, err = p.listen(loopback4)
		return err
	})
	f, n := p.find(t, Config{})
	if n == nil {
		t.Fatal("not found")
	}
	if want := fmt.Sprintf("pid:%d/fd:%d", os.Getpid(), fd); n.Name != want || n.Bound {
		t.Errorf("%+v, want name %s", n, want)
	}
	if got := listening(t, f, n); got != 1 {
		t.Errorf("%d listeners, want 1", got)
	}
	if _, n := p.find(t, Config{NoBPF: true}); n != nil {
		t.Error("found without BPF: say so in the documentation")
	}
	p.close(fd)
	if file, err := f.Open(n); !errors.Is(err, os.ErrNotExist) {
		file.Close()
		t.Errorf("gone, and the error is %v", err)
	}
}

// A descriptor of a namespace, in another process than this.
func TestFindByDescriptor(t *testing.T) {
	p := newPlace(t, func(p *place) error { return p.open() })
	cmd := exec.Command("sleep", "60")
	cmd.ExtraFiles = []*os.File{os.NewFile(uintptr(p.fds[0]), "netns")}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	cmd.ExtraFiles[0].Close()
	p.fds = nil
	for _, cfg := range []Config{{}, {NoBPF: true}} {
		f, n := p.find(t, cfg)
		if n == nil {
			t.Fatalf("%+v: not found", cfg)
		}
		if want := fmt.Sprintf("pid:%d/fd:3", cmd.Process.Pid); n.Name != want || n.Bound != cfg.NoBPF {
			t.Errorf("%+v: %+v, want name %s", cfg, n, want)
		}
		if got := listening(t, f, n); got != 0 {
			t.Errorf("%d listeners, want none", got)
		}
	}
}

// A process that is there, and a thread that left its own.
func TestFindByProcess(t *testing.T) {
	var cmd *exec.Cmd
	leave := make(chan struct{})
	tid := make(chan int, 1)
	p := newPlace(t, func(p *place) error {
		cmd = exec.Command("sleep", "60")
		return cmd.Start()
	})
	defer cmd.Wait()
	defer cmd.Process.Kill()
	f, n := p.find(t, Config{NoBPF: true})
	if n == nil || n.Name != fmt.Sprintf("pid:%d", cmd.Process.Pid) {
		t.Fatalf("%+v, want pid:%d", n, cmd.Process.Pid)
	}
	if got := listening(t, f, n); got != 0 {
		t.Errorf("%d listeners, want none", got)
	}

	left, ready, failed := &place{}, make(chan struct{}), make(chan error)
	go func() {
		failed <- left.make(func(p *place) error {
			tid <- unix.Gettid()
			close(ready)
			<-leave
			return nil
		})
	}()
	select {
	case <-ready:
	case err := <-failed:
		t.Fatal(err)
	}
	defer func() {
		close(leave)
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}()
	f, n = left.find(t, Config{NoBPF: true})
	if id := <-tid; n == nil || n.Name != fmt.Sprintf("pid:%d/tid:%d", os.Getpid(), id) {
		t.Errorf("%+v, want thread %d", n, id)
	} else if got := listening(t, f, n); got != 0 {
		t.Errorf("%d listeners, want none", got)
	}
}

// Mounts: where ip-netns(8) puts them, and in the mount namespace of another process.
func TestFindByMount(t *testing.T) {
	ns := scene.NewNetNS(t)
	inode, err := ns.Inode()
	if err != nil {
		t.Fatal(err)
	}
	name, err := ns.Mount()
	if err != nil {
		t.Fatal(err)
	}
	p := &place{inode: uint32(inode)}
	if _, n := p.find(t, Config{NoBPF: true}); n == nil || n.Name != name || n.paths[0] != "/run/netns/"+name {
		t.Errorf("%+v, want name %s", n, name)
	}

	elsewhere := newPlace(t, func(p *place) error { return p.open() })
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", "touch '"+dir+"/a b' && mount --bind /proc/self/fd/3 '"+dir+"/a b' && echo ready && exec sleep 60 3<&-")
	cmd.ExtraFiles = []*os.File{os.NewFile(uintptr(elsewhere.fds[0]), "netns")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS} // mounts become private
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	if _, err := out.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles[0].Close()
	elsewhere.fds = nil
	f, n := elsewhere.find(t, Config{NoBPF: true})
	if want := fmt.Sprintf("/proc/%d/root%s/a b", cmd.Process.Pid, dir); n == nil || n.Name != want {
		t.Fatalf("%+v, want name %s", n, want)
	}
	if got := listening(t, f, n); got != 0 {
		t.Errorf("%d listeners, want none", got)
	}
}

// Only a namespace with a socket that is bound, and neither listens nor is connected, is Bound.
func TestFindBound(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(p *place) error
		want bool
	}{
		{"bound", func(p *place) error { _, err := p.bind(unix.SOCK_STREAM, loopback4); return err }, true},
		{"bound, IPv6", func(p *place) error { _, err := p.bind(unix.SOCK_STREAM, loopback6); return err }, true},
		{"neither", func(p *place) error { _, err := p.socket(unix.AF_INET, unix.SOCK_STREAM); return err }, false},
		{"UDP", func(p *place) error { _, err := p.bind(unix.SOCK_DGRAM, loopback4); return err }, false},
		{"listens, then bound", func(p *place) error {
			if _, _, err := p.listen(loopback4); err != nil {
				return err
			}
			_, err := p.bind(unix.SOCK_STREAM, loopback4)
			return err
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t, tt.make)
			if _, n := p.find(t, Config{}); n == nil || n.Bound != tt.want {
				t.Errorf("%+v, want bound: %v", n, tt.want)
			}
		})
	}
}

// Who may look at nothing but himself is told how many he may not look at.
func TestFindUnprivileged(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be able to give it up")
	}
	exe, err := os.Open("/proc/self/exe") // its directory is closed to others
	if err != nil {
		t.Fatal(err)
	}
	defer exe.Close()
	cmd := exec.Command("/proc/self/fd/3", "-test.run=^TestUnprivilegedChild$", "-test.v")
	cmd.ExtraFiles = []*os.File{exe}
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "NETNS_TEST_CHILD=1")
	user := 1<<30 | uint32(os.Getpid()) // who has no other processes
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestUnprivilegedChild") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestUnprivilegedChild(t *testing.T) {
	if os.Getenv("NETNS_TEST_CHILD") == "" {
		t.Skip("needs TestFindUnprivileged to start it")
	}
	f := Find(t.Context(), Config{})
	if len(f.All) == 0 || !f.All[0].Own || f.Denied == 0 || !errors.Is(f.Partial, os.ErrPermission) {
		t.Fatalf("%+v", f)
	}
	for _, n := range f.All[1:] { // anybody sees what is mounted
		if n.pid != 0 || n.held.pid != 0 {
			t.Errorf("%+v: of a process that may not be looked at", n)
		}
	}
	if strings.Contains(f.Partial.Error(), "MEMLOCK") || !strings.Contains(f.Partial.Error(), "CAP_BPF") {
		t.Errorf("what is missing is not said: %v", f.Partial)
	}
	f.Count()
	if f.All[0].Counts == nil {
		t.Error("one's own namespace is not counted")
	}
}
