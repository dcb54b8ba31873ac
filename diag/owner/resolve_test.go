package owner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/leak"
)

// truth is which owners each socket of a test has.
type truth map[uint32][]Owner

func (tr truth) add(inode uint32, pid, fd int32) {
	tr[inode] = append(tr[inode], Owner{pid, fd})
}

func (tr truth) addChild(c *child) {
	for i, inode := range c.Inodes {
		tr.add(inode, c.pid(), c.FDs[i])
	}
}

func (tr truth) check(t *testing.T, table *Table) {
	t.Helper()
	bad := 0
	for inode, want := range tr {
		if got := table.Owners(nil, inode); !slices.Equal(got, sortOwners(want)) {
			if bad++; bad > 10 {
				t.Fatal("and more")
			}
			t.Errorf("inode %d: got %v, want %v", inode, got, want)
		}
	}
}

// checkBackends compares what both backends find with the truth, when all
// sockets are wanted and when only those of the test are.
func (tr truth) checkBackends(t *testing.T) {
	t.Helper()
	var inodes []uint32
	for inode := range tr {
		inodes = append(inodes, inode)
	}
	for _, backend := range []Backend{BPF, Proc} {
		for name, want := range map[string][]uint32{"all": nil, "wanted": inodes} {
			t.Run(backend.String()+"/"+name, func(t *testing.T) {
				if backend == BPF {
					needBPF(t)
				}
				table, err := Resolve(t.Context(), &Config{Backend: backend, Workers: 3}, want)
				if err != nil {
					t.Fatal(err)
				}
				if table.Backend() != backend || table.Reason() != "forced" {
					t.Errorf("backend %v, %q", table.Backend(), table.Reason())
				}
				tr.check(t, table)
				for _, r := range table.records {
					if want != nil && tr[r.inode] == nil {
						t.Errorf("unwanted %v", r)
					}
				}
				if backend == BPF {
					byProcess(t)
					each, err := Resolve(t.Context(), &Config{Backend: backend, Workers: 3}, want)
					if err != nil {
						t.Fatal(err)
					}
					tr.check(t, each)
				}
			})
		}
	}
}

func TestResolveDup(t *testing.T) {
	fd, inode := newSocket(t)
	f := dupFile(t, fd)
	tr := truth{}
	tr.add(inode, int32(os.Getpid()), int32(fd))
	tr.add(inode, int32(os.Getpid()), int32(f.Fd()))
	tr.checkBackends(t)
}

func TestResolveFork(t *testing.T) {
	tr := truth{}
	var files []*os.File
	for range 3 {
		fd, inode := newSocket(t)
		f := dupFile(t, fd)
		files = append(files, f)
		tr.add(inode, int32(os.Getpid()), int32(fd))
		tr.add(inode, int32(os.Getpid()), int32(f.Fd()))
	}
	for range 3 {
		tr.addChild(startChild(t, "inherit=3", func(cmd *exec.Cmd) { cmd.ExtraFiles = files }))
	}
	tr.checkBackends(t)
}

func TestResolvePassed(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(pair[0]) })
	theirs := os.NewFile(uintptr(pair[1]), "pair")
	t.Cleanup(func() { theirs.Close() })
	fd, inode := newSocket(t)
	if err := unix.Sendmsg(pair[0], []byte{0}, unix.UnixRights(fd), nil, 0); err != nil {
		t.Fatal(err)
	}
	c := startChild(t, "receive", func(cmd *exec.Cmd) { cmd.ExtraFiles = []*os.File{theirs} })
	if c.Inodes[0] != inode {
		t.Fatalf("child has inode %d, want %d", c.Inodes[0], inode)
	}
	tr := truth{}
	tr.add(inode, int32(os.Getpid()), int32(fd))
	tr.addChild(c)
	tr.checkBackends(t)
}

func TestResolveZombieLeader(t *testing.T) {
	c := startChild(t, "zombie=3", nil)
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.pid()))
	if err != nil || !strings.Contains(string(stat), ") Z ") {
		t.Fatalf("leader has not exited: %s %v", stat, err)
	}
	tr := truth{}
	tr.addChild(c)
	tr.checkBackends(t)
}

func TestResolveUnsharedThread(t *testing.T) {
	needRoot(t) // kcmp(2) can be denied otherwise
	if _, ok := selfWalker(t).sameFiles(int32(os.Getpid()), int32(os.Getpid())); !ok {
		t.Skip("needs kcmp(2)")
	}
	c := startChild(t, "unshare=3", nil)
	tr := truth{}
	tr.addChild(c)
	tr.checkBackends(t)
}

func TestResolveOtherUser(t *testing.T) {
	needRoot(t)
	exe := executable(t)
	c := startChild(t, "hold=2", func(cmd *exec.Cmd) { asNobody(cmd, exe) })
	tr := truth{}
	tr.addChild(c)
	tr.checkBackends(t)
}

func asNobody(cmd *exec.Cmd, exe string) {
	cmd.Path, cmd.Args[0], cmd.Dir = exe, exe, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}

// TestResolveMany has more sockets than are looked up in the kernel, and
// tables that are divided.
func TestResolveMany(t *testing.T) {
	tr := truth{}
	for range 2 {
		tr.addChild(startChild(t, fmt.Sprintf("hold=%d", splitFDs+1000), nil))
	}
	tr.checkBackends(t)
}

// TestResolveSocketFile has a descriptor of a socket's file, which is not a
// descriptor of the socket though its mode says S_IFSOCK.
func TestResolveSocketFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	fd, inode := newSocket(t)
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	opath, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(opath)
	fileInode, err := inodeOf(opath)
	if err != nil {
		t.Fatal(err)
	}
	self := int32(os.Getpid())
	tr := truth{}
	tr.add(inode, self, int32(fd))
	tr.checkBackends(t)
	for _, backend := range []Backend{BPF, Proc} {
		if backend == BPF && os.Geteuid() != 0 {
			continue
		}
		table, err := Resolve(t.Context(), &Config{Backend: backend}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(table.Owners(nil, fileInode), Owner{self, int32(opath)}) {
			t.Errorf("%v: descriptor %d of a file is taken for a socket", backend, opath)
		}
	}
}

// TestResolvePIDNamespace resolves inside of another pid namespace, where the
// child is process 1, and from outside of it.
func TestResolvePIDNamespace(t *testing.T) {
	needRoot(t)
	for _, backend := range []Backend{BPF, Proc, Auto} {
		t.Run(backend.String(), func(t *testing.T) {
			if backend == BPF {
				needBPF(t)
			}
			c := startChild(t, "pidns="+backend.String(), func(cmd *exec.Cmd) {
				cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS}
			})
			if c.PID != 1 {
				t.Fatalf("child is process %d of its namespace", c.PID)
			}
			if want := []Owner{{1, c.FDs[0]}}; !slices.Equal(c.Owners, want) || c.Denied != 0 || c.Comm == "" {
				t.Errorf("inside: owners %v, want %v; denied %d, comm %q, error %q", c.Owners, want, c.Denied, c.Comm, c.Err)
			}
			tr := truth{}
			tr.addChild(c)
			tr.checkBackends(t)
		})
	}
}

// TestResolveForeignProc resolves with a proc mount that numbers processes in
// another way than the system calls of the child do.
func TestResolveForeignProc(t *testing.T) {
	needRoot(t)
	start := func(t *testing.T, backend Backend) *child {
		return startChild(t, "resolve="+backend.String(), func(cmd *exec.Cmd) {
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
		})
	}
	if c := start(t, BPF); c.Table || !c.Unsupported {
		t.Errorf("bpf: error %q", c.Err)
	}
	for _, backend := range []Backend{Proc, Auto} {
		c := start(t, backend)
		if want := []Owner{{c.pid(), c.FDs[0]}}; !slices.Equal(c.Owners, want) || c.Comm == "" {
			t.Errorf("%v: owners %v, want %v as the mount has it; comm %q, error %q", backend, c.Owners, want, c.Comm, c.Err)
		}
	}
}

func TestResolveUnprivileged(t *testing.T) {
	needRoot(t) // to be able to give it up
	exe := executable(t)
	start := func(backend Backend) *child {
		return startChild(t, "resolve="+backend.String(), func(cmd *exec.Cmd) { asNobody(cmd, exe) })
	}
	if c := start(BPF); c.Table || !c.Permission {
		t.Errorf("bpf: error %q", c.Err)
	}
	for _, backend := range []Backend{Proc, Auto} {
		c := start(backend)
		// The test itself is one that nobody may not look into.
		if want := []Owner{{c.pid(), c.FDs[0]}}; !slices.Equal(c.Owners, want) || c.Denied < 1 || c.Comm == "" {
			t.Errorf("%v: owners %v, want %v; denied %d, comm %q, error %q", backend, c.Owners, want, c.Denied, c.Comm, c.Err)
		}
	}
}

// TestResolveUnprivilegedZombie has a leader that has exited, whose directory
// nobody but root may look into.
func TestResolveUnprivilegedZombie(t *testing.T) {
	needRoot(t) // to be able to give it up
	exe := executable(t)
	held := startChild(t, "zombie=1", func(cmd *exec.Cmd) { asNobody(cmd, exe) })
	c := startChild(t, "resolve=proc", func(cmd *exec.Cmd) {
		asNobody(cmd, exe)
		cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", inodeEnv, held.Inodes[0]))
	})
	if want := []Owner{{held.pid(), held.FDs[0]}}; !slices.Equal(c.Owners, want) {
		t.Errorf("owners %v, want %v; error %q", c.Owners, want, c.Err)
	}
}

func TestResolveHidePID(t *testing.T) {
	needRoot(t)
	if !kernelAtLeast(5, 8) {
		t.Skip("needs Linux 5.8, where options of a proc mount are its own")
	}
	c := startChild(t, "hidepid=proc", func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	})
	if want := []Owner{{c.pid(), c.FDs[0]}}; !slices.Equal(c.Owners, want) || c.Denied != 1 {
		t.Errorf("owners %v, want %v; denied %d, want 1; error %q", c.Owners, want, c.Denied, c.Err)
	}
}

// TestResolveNoFiles runs out of descriptors, which must not pass for
// processes without sockets.
func TestResolveNoFiles(t *testing.T) {
	if c := startChild(t, "nofile=proc:1", nil); c.Table || !strings.Contains(c.Err, "too many open files") {
		t.Errorf("table %v, error %q", c.Table, c.Err)
	}
	// Who did not ask for a backend is told that nothing could be looked into.
	if c := startChild(t, "nofile=auto:1", nil); !c.Table || c.Denied != 1 || len(c.Owners) > 0 {
		t.Errorf("table %v, denied %d, owners %v, error %q", c.Table, c.Denied, c.Owners, c.Err)
	}
}

// TestResolveBPFNoFiles runs out of descriptors at each step, which must not
// pass for what the kernel lacks.
func TestResolveBPFNoFiles(t *testing.T) {
	needBPF(t)
	for n := 1; ; n++ {
		c := startChild(t, fmt.Sprintf("nofile=bpf:%d", n), nil)
		switch {
		case c.Table && n > 5: // those of the proc mount, the maps and the program
			return
		case c.Table || c.Unsupported || n > 50 || !strings.Contains(c.Err, "too many open files"):
			t.Fatalf("%d files: table %v, error %q", n, c.Table, c.Err)
		}
	}
}

func TestResolveNothing(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none") // fails if it is looked at
	_, inode := newSocket(t)
	for _, tt := range []struct {
		backend Backend
		want    []uint32
	}{{None, nil}, {None, []uint32{inode}}, {Auto, []uint32{}}, {BPF, []uint32{0}}, {Proc, []uint32{0, 0}}} {
		table, err := Resolve(t.Context(), &Config{Backend: tt.backend, Proc: none}, tt.want)
		if err != nil {
			t.Fatal(err)
		}
		if table.Backend() != None || table.Owners(nil, inode) != nil || table.Denied() != 0 || table.Reason() == "" {
			t.Errorf("%v: %+v", tt, table)
		}
		if p := table.Process(1); p.Known {
			t.Errorf("%v: process %+v", tt, p)
		}
	}
}

func TestResolveErrors(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	for _, backend := range []Backend{Auto, BPF, Proc} {
		if _, err := Resolve(t.Context(), &Config{Backend: backend, Proc: none}, nil); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v: %v", backend, err)
		}
	}
	if _, err := Resolve(t.Context(), &Config{Backend: 9}, nil); err == nil {
		t.Error("invalid backend: no error")
	}
}

func TestResolveCancelled(t *testing.T) {
	cause := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	for _, backend := range []Backend{Auto, BPF, Proc, None} {
		if backend == BPF && os.Geteuid() != 0 {
			continue
		}
		if _, err := Resolve(ctx, &Config{Backend: backend}, nil); !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
			t.Errorf("%v: %v", backend, err)
		}
	}
	// A tree of ordinary files: the number of open files is unknown, so that BPF is tried first, and cannot do it.
	if _, err := Resolve(ctx, &Config{Proc: t.TempDir()}, nil); !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
		t.Errorf("after BPF has failed: %v", err)
	}
}

func TestResolveAuto(t *testing.T) {
	fs := openFS(t, "/proc")
	files, err := fs.openFiles()
	if err != nil {
		t.Fatal(err)
	}
	table, err := Resolve(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	after, err := fs.openFiles() // others open and close thousands at a time
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case max(files, after) < manyFiles/2 && (table.Backend() != Proc || !strings.HasSuffix(table.Reason(), "few")):
		t.Errorf("%d to %d open files: %v, %q", files, after, table.Backend(), table.Reason())
	case min(files, after) > manyFiles*2 && table.Backend() == Proc && !strings.Contains(table.Reason(), "bpf: "):
		t.Errorf("%d to %d open files: %v, %q", files, after, table.Backend(), table.Reason())
	}
}

// TestResolveLeaks resolves often and on every path, and looks for what stays.
func TestResolveLeaks(t *testing.T) {
	run := func() {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, backend := range []Backend{Auto, BPF, Proc} {
			table, err := Resolve(t.Context(), &Config{Backend: backend}, nil)
			if err == nil {
				table.Process(int32(os.Getpid())).Argv()
			}
			Resolve(t.Context(), &Config{Backend: backend}, []uint32{1, 2})
			Resolve(ctx, &Config{Backend: backend}, nil)
		}
	}
	if left := leak.Left(run); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

func TestPlan(t *testing.T) {
	for _, b := range []Backend{BPF, Proc, None} {
		if got, why := Plan(&Config{Backend: b}); got != b || why != "forced" {
			t.Errorf("Plan(%v) = %v, %q", b, got, why)
		}
	}
	b, why := Plan(nil)
	if b != BPF && b != Proc || !strings.Contains(why, "open files") {
		t.Errorf("Plan(nil) = %v, %q", b, why)
	}
	for files, want := range map[string]Backend{"7999\t0\t100\n": Proc, "8000\t0\t100\n": BPF} {
		root := t.TempDir()
		if err := os.MkdirAll(filepath.Join(root, "sys/fs"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "sys/fs/file-nr"), []byte(files), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, why := Plan(&Config{Proc: root}); got != want {
			t.Errorf("Plan with file-nr %q = %v, %q; want %v", files, got, why, want)
		}
	}
}
