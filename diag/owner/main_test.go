package owner

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/leak"
	"github.com/sockeye-tools/sockeye/internal/release"
	"github.com/sockeye-tools/sockeye/internal/thread"
)

// roleEnv makes the test binary a child that holds sockets in some way. It
// reports what it has on standard output, and stays until standard input ends.
const roleEnv = "OWNER_TEST_ROLE"

// inodeEnv is the inode that a child resolves.
const inodeEnv = "OWNER_TEST_INODE"

// nobody is a user without privilege.
const nobody = 65534

// A report is what a child says about itself.
type report struct {
	PID    int
	FDs    []int32  // sockets that it has
	Inodes []uint32 // of FDs, by fstat(2)

	// Of the roles that resolve their own socket:
	Table  bool // no error
	Denied int
	Owners []Owner
	Comm   string // of the first owner
	Err    string
	// What Err matches.
	Permission, Unsupported bool
}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		// Not os.Exit: coverage and race detector have nothing to say here, and
		// take a second or files that the child cannot write.
		if err := runRole(role); err != nil {
			fmt.Fprintln(os.Stderr, role+":", err)
			syscall.Exit(1)
		}
		syscall.Exit(0)
	}
	os.Exit(leak.Wrap(m).Run())
}

func runRole(role string) error {
	role, arg, _ := strings.Cut(role, "=")
	n, _ := strconv.Atoi(arg)
	rep := report{PID: os.Getpid()}
	switch role {
	case "hold": // n sockets
		for range n {
			if err := rep.open(); err != nil {
				return err
			}
		}
	case "inherit": // n sockets from descriptor 3 on
		for fd := range n {
			if err := rep.has(3 + fd); err != nil {
				return err
			}
		}
	case "receive": // a socket by SCM_RIGHTS over descriptor 3
		oob := make([]byte, unix.CmsgSpace(4))
		_, size, _, _, err := unix.Recvmsg(3, make([]byte, 1), oob, 0)
		if err != nil {
			return err
		}
		messages, err := unix.ParseSocketControlMessage(oob[:size])
		if err != nil {
			return err
		}
		fds, err := unix.ParseUnixRights(&messages[0])
		if err != nil {
			return err
		}
		if err := rep.has(fds[0]); err != nil {
			return err
		}
	case "zombie": // the leader exits, other threads hold n sockets
		for range n {
			if err := rep.open(); err != nil {
				return err
			}
		}
		go func() {
			for !leaderExited() {
				time.Sleep(time.Millisecond)
			}
			rep.stay()
			syscall.Exit(0)
		}()
		unix.Syscall(unix.SYS_EXIT, 0, 0, 0)
	case "unshare": // one socket in the leader's table, n in another thread's
		if err := rep.open(); err != nil {
			return err
		}
		errs := make(chan error)
		thread.Go(func() {
			if err := unix.Unshare(unix.CLONE_FILES); err != nil {
				errs <- err
				return
			}
			for range n {
				if err := rep.open(); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
			select {}
		})
		if err := <-errs; err != nil {
			return err
		}
	case "name": // call oneself arg
		if err := os.WriteFile("/proc/self/comm", []byte(arg), 0); err != nil {
			return err
		}
		if err := rep.open(); err != nil {
			return err
		}
	case "resolve":
		return rep.resolve(arg)
	case "pidns": // resolve with the proc mount of the own pid namespace
		if err := mountProc(""); err != nil {
			return err
		}
		return rep.resolve(arg)
	case "hidepid": // resolve as nobody with a proc mount that hides others
		if err := mountProc("hidepid=2"); err != nil {
			return err
		}
		// Group 0 is the one that hidepid exempts.
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setresgid(nobody, nobody, nobody)); err != nil {
			return err
		}
		if err := syscall.Setresuid(nobody, nobody, nobody); err != nil {
			return err
		}
		if err := unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0); err != nil {
			return err
		}
		return rep.resolve(arg)
	case "nofile": // resolve with some more files allowed than are open: BACKEND:n
		backend, more, _ := strings.Cut(arg, ":")
		n, err := strconv.ParseUint(more, 10, 32)
		if err != nil {
			return err
		}
		r, w, err := os.Pipe() // has the runtime open its poller, without which it panics
		if err != nil {
			return err
		}
		r.Close()
		w.Close()
		fd, err := unix.Dup(0)
		if err != nil {
			return err
		}
		unix.Close(fd)
		if err := rep.open(); err != nil { // takes fd
			return err
		}
		limit := unix.Rlimit{Cur: uint64(fd) + 1 + n, Max: uint64(fd) + 1 + n}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			return err
		}
		return rep.resolve(backend)
	default:
		return fmt.Errorf("no such role")
	}
	rep.stay()
	return nil
}

// resolve finds the owners of one socket of its own, or of that in inodeEnv.
func (r *report) resolve(backend string) error {
	b, err := ParseBackend(backend)
	if err != nil {
		return err
	}
	if inode, err := strconv.ParseUint(os.Getenv(inodeEnv), 10, 32); err == nil {
		r.Inodes = []uint32{uint32(inode)}
	} else if len(r.FDs) == 0 {
		if err := r.open(); err != nil {
			return err
		}
	}
	table, err := Resolve(context.Background(), &Config{Backend: b}, r.Inodes)
	if err != nil {
		r.Err = err.Error()
		r.Permission = errors.Is(err, os.ErrPermission)
		r.Unsupported = errors.Is(err, errors.ErrUnsupported)
	} else {
		r.Table, r.Denied, r.Owners = true, table.Denied(), table.Owners(nil, r.Inodes[0])
		if len(r.Owners) > 0 {
			r.Comm = table.Process(r.Owners[0].PID).Comm
		}
	}
	r.stay()
	return nil
}

// mountProc mounts proc in the mount namespace of the process.
func mountProc(options string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, options); err != nil {
		return fmt.Errorf("mount proc: %w", err)
	}
	return nil
}

func leaderExited() bool {
	b, err := os.ReadFile("/proc/self/stat")
	return err == nil && strings.Contains(string(b), ") Z ")
}

func (r *report) open() error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	return r.has(fd)
}

func (r *report) has(fd int) error {
	inode, err := inodeOf(fd)
	if err != nil {
		return err
	}
	r.FDs, r.Inodes = append(r.FDs, int32(fd)), append(r.Inodes, inode)
	return nil
}

func (r *report) stay() {
	json.NewEncoder(os.Stdout).Encode(r)
	io.Copy(io.Discard, os.Stdin)
}

func inodeOf(fd int) (uint32, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return 0, fmt.Errorf("descriptor %d is no socket", fd)
	}
	return uint32(st.Ino), nil
}

// child is a running child.
type child struct {
	report
	cmd *exec.Cmd
}

// startChild starts a child in the given role. It ends with the test.
func startChild(tb testing.TB, role string, prepare func(*exec.Cmd)) *child {
	tb.Helper()
	exe, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	cmd.Stderr = os.Stderr
	if prepare != nil {
		prepare(cmd)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		stdin.Close()
		timer := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
		defer timer.Stop()
		if err := cmd.Wait(); err != nil {
			tb.Errorf("child %s: %v", role, err)
		}
	})
	timer := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer timer.Stop()
	c := &child{cmd: cmd}
	if err := json.NewDecoder(bufio.NewReader(stdout)).Decode(&c.report); err != nil {
		tb.Fatalf("child %s: %v", role, err)
	}
	return c
}

// pid is the child as this process knows it; PID in its report is as the child
// knows itself.
func (c *child) pid() int32 { return int32(c.cmd.Process.Pid) }

// newSocket opens a socket that is closed with the test.
func newSocket(tb testing.TB) (fd int, inode uint32) {
	tb.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { unix.Close(fd) })
	inode, err = inodeOf(fd)
	if err != nil {
		tb.Fatal(err)
	}
	return fd, inode
}

// dupFile returns a duplicate of fd for exec.Cmd.ExtraFiles.
func dupFile(tb testing.TB, fd int) *os.File {
	tb.Helper()
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		tb.Fatal(err)
	}
	f := os.NewFile(uintptr(dup), "dup")
	tb.Cleanup(func() { f.Close() })
	return f
}

// needRoot skips a test that needs privilege.
func needRoot(tb testing.TB) {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Skip("needs root")
	}
}

// needBPF skips a test where BPF iterators are not permitted or not there.
func needBPF(tb testing.TB) {
	tb.Helper()
	needRoot(tb)
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		tb.Skipf("needs a kernel with BTF: %v", err)
	}
	if !kernelAtLeast(5, 11) {
		tb.Skip("needs Linux 5.11")
	}
}

func kernelAtLeast(major, minor int) bool { return release.Running() >= release.Of(major, minor) }

// sortOwners orders owners as Table.Owners does.
func sortOwners(owners []Owner) []Owner {
	slices.SortFunc(owners, func(a, b Owner) int {
		return record{0, a.PID, a.FD}.compare(record{0, b.PID, b.FD})
	})
	return owners
}

// executable copies the test binary to where any user can run it.
func executable(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("/tmp", "owner-test-")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	b, err := os.ReadFile(exe)
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(dir, "owner.test")
	if err := os.WriteFile(path, b, 0o755); err != nil {
		tb.Fatal(err)
	}
	return path
}
