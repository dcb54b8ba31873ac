package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A fakeKernel answers the sock_diag requests of programs, which need not know: their socket(2) for NETLINK_SOCK_DIAG gives them one
// end of a socket pair. What they do with it that only netlink sockets can is done for them by seccomp's user notifications
// (seccomp(2), Linux 5.14). So a program of anybody's, ss for one, answers from a recording.
type fakeKernel struct {
	// answer returns the datagrams that answer a request: a netlink message with its header.
	answer func(request []byte) [][]byte
}

// fakePort is the port id that every program's netlink socket has.
const fakePort = 4242

// fakeEnv has a copy of the test binary run as what installs the filter, and then the command in its arguments.
const fakeEnv = "SOCKEYE_FAKE_KERNEL"

func init() {
	if os.Getenv(fakeEnv) == "" {
		return
	}
	os.Unsetenv(fakeEnv)
	fmt.Fprintln(os.Stderr, "fake kernel:", fakeExec(os.Args[0], os.Args[1:]))
	os.Exit(125)
}

// fakeExec hands a listener for the notifications of this thread to the parent, over descriptor 3, and executes the command.
func fakeExec(path string, args []string) error {
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no new privileges: %w", err)
	}
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	equal := func(k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: k, Jt: yes, Jf: no}
	}
	low := uint32(0) // of a 64-bit argument
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		low = 4
	}
	code := []unix.SockFilter{
		load(0), // the system call's number
		equal(unix.SYS_BIND, 8, 0),
		equal(unix.SYS_GETSOCKNAME, 7, 0),
		equal(unix.SYS_SETSOCKOPT, 6, 0),
		equal(unix.SYS_RECVMSG, 5, 0),
		equal(unix.SYS_SOCKET, 0, 5),
		load(16 + low), // its family
		equal(unix.AF_NETLINK, 0, 3),
		load(32 + low), // its protocol
		equal(unix.NETLINK_SOCK_DIAG, 0, 1),
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	prog := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	if err := unix.Sendmsg(3, []byte{0}, unix.UnixRights(int(fd)), nil, 0); err != nil {
		return fmt.Errorf("hand over: %w", err)
	}
	unix.Close(int(fd))
	unix.Close(3)
	return syscall.Exec(path, args, os.Environ())
}

// run runs a command whose kernel it is.
func (k *fakeKernel) run(t *testing.T, env []string, argv ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs := os.NewFile(uintptr(ends[1]), "listener")
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = append([]string{argv[0]}, argv...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", fakeEnv + "=1", "GORACE=" + os.Getenv("GORACE")}, env...)
	cmd.ExtraFiles = []*os.File{theirs}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		unix.Close(ends[0])
		t.Fatal(err)
	}
	listener, err := receiveListener(ends[0])
	unix.Close(ends[0])
	served := make(chan error, 1)
	if err == nil {
		go func() { served <- k.serve(listener) }()
	}
	waited := cmd.Wait()
	if err != nil {
		if strings.HasPrefix(stderr.String(), "fake kernel: seccomp: ") {
			t.Skip("seccomp does not notify user space here: ", strings.TrimSpace(stderr.String()))
		}
		t.Fatalf("%v: %v: %s", argv, err, stderr.String())
	}
	if err := <-served; err != nil {
		t.Fatalf("%v: fake kernel: %v", argv, err)
	}
	if _, exited := errors.AsType[*exec.ExitError](waited); waited != nil && !exited {
		t.Fatalf("%v: %v", argv, waited)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

func receiveListener(fd int) (int, error) {
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(fd, make([]byte, 1), oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return -1, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		return -1, errors.Join(io.ErrUnexpectedEOF, err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return -1, err
	}
	return fds[0], nil
}

// notification is struct seccomp_notif of linux/seccomp.h.
type notification struct {
	ID    uint64
	PID   uint32
	Flags uint32
	Nr    int32
	Arch  uint32
	IP    uint64
	Args  [6]uint64
}

// reply is struct seccomp_notif_resp.
type reply struct {
	ID    uint64
	Val   int64
	Error int32
	Flags uint32
}

// addFD is struct seccomp_notif_addfd.
type addFD struct {
	ID                          uint64
	Flags, Src, New, NewFDFlags uint32
}

func ioctl(fd int, request uint, p unsafe.Pointer) (int, error) {
	got, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(p))
	if errno != 0 {
		return -1, errno
	}
	return int(got), nil
}

// The ioctls SECCOMP_IOCTL_NOTIF_*.
const (
	notifRecv  = 0xc0502100
	notifSend  = 0xc0182101
	notifAddFD = 0x40182103
)

// serve answers notifications until the programs have ended.
func (k *fakeKernel) serve(listener int) error {
	defer unix.Close(listener)
	var servers sync.WaitGroup
	defer servers.Wait()
	sockets := map[string]bool{} // programs' ends, as /proc/PID/fd names them
	for {
		poll := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, -1); err == unix.EINTR {
			continue
		} else if err != nil {
			return fmt.Errorf("poll: %w", err)
		}
		if poll[0].Revents&unix.POLLIN == 0 {
			return nil // nobody is left
		}
		var n notification
		if _, err := ioctl(listener, notifRecv, unsafe.Pointer(&n)); err == unix.ENOENT || err == unix.EINTR {
			continue // it was killed meanwhile
		} else if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		r := reply{ID: n.ID}
		switch {
		case n.Nr == unix.SYS_SOCKET:
			fd, err := k.socket(listener, &n, sockets, &servers)
			if err == unix.ENOENT {
				continue // it was killed meanwhile
			} else if err != nil {
				return fmt.Errorf("socket: %w", err)
			}
			r.Val = int64(fd)
		case !sockets[socketName(n.PID, n.Args[0])]:
			r.Flags = unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE
		case n.Nr == unix.SYS_GETSOCKNAME:
			name := binary.NativeEndian.AppendUint16(nil, unix.AF_NETLINK)
			name = binary.NativeEndian.AppendUint32(append(name, 0, 0), fakePort)
			name = append(name, 0, 0, 0, 0)
			err := errors.Join(poke(n.PID, n.Args[1], name), poke(n.PID, n.Args[2], binary.NativeEndian.AppendUint32(nil, uint32(len(name)))))
			if err != nil {
				return fmt.Errorf("getsockname: %w", err)
			}
		case n.Nr == unix.SYS_RECVMSG:
			// The sender is the kernel: port 0. The socket pair leaves that memory as it is.
			head := make([]byte, 12) // struct msghdr: msg_name, msg_namelen
			if err := peek(n.PID, n.Args[1], head); err != nil {
				return fmt.Errorf("recvmsg: %w", err)
			}
			if p, size := binary.NativeEndian.Uint64(head), binary.NativeEndian.Uint32(head[8:]); p != 0 && size >= unix.SizeofSockaddrNetlink {
				if err := poke(n.PID, p, append(binary.NativeEndian.AppendUint16(nil, unix.AF_NETLINK), make([]byte, 10)...)); err != nil {
					return fmt.Errorf("recvmsg: %w", err)
				}
			}
			r.Flags = unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE
		} // bind and setsockopt: they succeed
		if _, err := ioctl(listener, notifSend, unsafe.Pointer(&r)); err != nil && err != unix.ENOENT {
			return fmt.Errorf("reply: %w", err)
		}
	}
}

// socketName is what /proc calls a descriptor of a process: "socket:[INODE]".
func socketName(pid uint32, fd uint64) string {
	name, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, int32(fd)))
	return name
}

func peek(pid uint32, at uint64, b []byte) error {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.ReadAt(b, int64(at))
	return err
}

func poke(pid uint32, at uint64, b []byte) error {
	f, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(b, int64(at))
	return err
}

// socket gives the program one end of a socket pair, whose descriptor there it returns, and answers what comes out of the other.
func (k *fakeKernel) socket(listener int, n *notification, sockets map[string]bool, servers *sync.WaitGroup) (int, error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(ends[1])
	if n.Args[1]&unix.SOCK_NONBLOCK != 0 {
		if err := unix.SetNonblock(ends[1], true); err != nil {
			return -1, err
		}
	}
	sockets[socketName(uint32(os.Getpid()), uint64(ends[1]))] = true
	// Not SECCOMP_ADDFD_FLAG_SEND: where a signal meets this thread while it waits, the kernel has answered without a descriptor, and
	// the call that is begun anew fails with EINPROGRESS.
	add := addFD{ID: n.ID, Src: uint32(ends[1]), NewFDFlags: unix.O_CLOEXEC}
	fd, err := ioctl(listener, notifAddFD, unsafe.Pointer(&add))
	if err != nil {
		unix.Close(ends[0])
		return -1, err
	}
	mine := ends[0]
	servers.Go(func() {
		defer unix.Close(mine)
		request := make([]byte, 64<<10)
		for {
			n, err := unix.Read(mine, request)
			if err == unix.EINTR {
				continue
			}
			if err != nil || n == 0 {
				return
			}
			for _, d := range k.answer(request[:n]) {
				if _, err := unix.SendmsgN(mine, d, nil, nil, unix.MSG_NOSIGNAL); err != nil {
					return // it has seen enough
				}
			}
		}
	})
	return fd, nil
}
