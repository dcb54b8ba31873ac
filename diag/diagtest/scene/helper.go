package scene

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// helperEnv holds a helperRole; a program that finds it in its environment acts as a helper and never comes to main.
const helperEnv = "SOCKEYE_SCENE_HELPER"

// Descriptors of a helper.
const (
	helperControl = 3 + iota // ends when the test does
	helperReport             // takes one helperState
	helperShared             // the first of the test's sockets
)

// A helperRole says what a process of the scene is and holds.
type helperRole struct {
	Argv    string // argv[0]
	Comm    string // process name; "" keeps the program's
	UID     int    // 0 stays root
	Receive bool   // takes a socket by SCM_RIGHTS over the first shared descriptor, which it closes
	Listen  string // ADDRESS:PORT of a TCP listener of its own
	UDP     string // ADDRESS:PORT of a UDP socket of its own
}

// A helperState is what a helper made of its role: descriptors and inodes of its sockets, 0 for what it has not.
type helperState struct {
	Comm                    string
	Received, Listener, UDP int
	ListenerInode, UDPInode uint32
	Error                   string
}

func init() {
	role, ok := os.LookupEnv(helperEnv)
	if !ok {
		return
	}
	if err := helper(role); err != nil {
		fmt.Fprintln(os.Stderr, "scene helper:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func helper(env string) error {
	var role helperRole
	if err := json.Unmarshal([]byte(env), &role); err != nil {
		return err
	}
	state, err := role.play()
	if err != nil {
		state.Error = err.Error()
	}
	report := os.NewFile(helperReport, "report")
	if err := json.NewEncoder(report).Encode(state); err != nil {
		return err
	}
	report.Close()
	_, err = io.Copy(io.Discard, os.NewFile(helperControl, "control"))
	return err
}

func (r *helperRole) play() (state helperState, err error) {
	if r.Comm != "" {
		// The whole process's name, whichever thread writes it.
		if err := os.WriteFile("/proc/self/comm", []byte(r.Comm), 0); err != nil {
			return state, err
		}
	}
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		return state, err
	}
	state.Comm = strings.TrimSuffix(string(comm), "\n")
	if r.UID != 0 {
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(r.UID), syscall.Setuid(r.UID)); err != nil {
			return state, fmt.Errorf("set user id: %w", err)
		}
	}
	if r.Receive {
		if state.Received, err = receiveFD(helperShared); err != nil {
			return state, err
		}
		unix.Close(helperShared)
	}
	if r.Listen != "" {
		if state.Listener, state.ListenerInode, err = bound(r.Listen, unix.SOCK_STREAM); err != nil {
			return state, err
		}
		if err := unix.Listen(state.Listener, helperBacklog); err != nil {
			return state, err
		}
	}
	if r.UDP != "" {
		if state.UDP, state.UDPInode, err = bound(r.UDP, unix.SOCK_DGRAM); err != nil {
			return state, err
		}
	}
	return state, nil
}

const helperBacklog = 16

// bound makes a bound socket.
func bound(addr string, typ int) (fd int, inode uint32, err error) {
	ap, err := parseAddrPort(addr)
	if err != nil {
		return 0, 0, err
	}
	fd, err = unix.Socket(familyOf(ap), typ|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, 0, err
	}
	if err := unix.Bind(fd, sockaddr(familyOf(ap), ap, 0)); err != nil {
		return 0, 0, fmt.Errorf("bind %s: %w", addr, err)
	}
	inode, err = inodeOf(fd)
	return fd, inode, err
}

func receiveFD(fd int) (int, error) {
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(fd, make([]byte, 1), oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return 0, fmt.Errorf("receive descriptor: %w", err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		return 0, fmt.Errorf("receive descriptor: %d messages: %w", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return 0, fmt.Errorf("receive descriptor: %d descriptors: %w", len(fds), err)
	}
	return fds[0], nil
}

// A process is a running helper.
type process struct {
	cmd     *exec.Cmd
	role    helperRole
	control *os.File // closed to end it
	state   helperState
}

// startHelper starts a helper inside the namespace and waits until it has played its role.
func startHelper(ns *NetNS, role helperRole, shared ...*os.File) (*process, error) {
	env, err := json.Marshal(role)
	if err != nil {
		return nil, err
	}
	controlR, controlW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	reportR, reportW, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, controlR.Close(), controlW.Close())
	}
	defer reportR.Close()
	p := &process{role: role, control: controlW}
	p.cmd = &exec.Cmd{
		Path:       "/proc/self/exe",
		Args:       []string{role.Argv},
		Env:        append(os.Environ(), helperEnv+"="+string(env)),
		Stderr:     os.Stderr,
		ExtraFiles: append([]*os.File{controlR, reportW}, shared...),
	}
	err = ns.Start(p.cmd)
	controlR.Close()
	reportW.Close()
	if err != nil {
		controlW.Close()
		return nil, fmt.Errorf("start %s: %w", strconv.Quote(role.Argv), err)
	}
	if err := json.NewDecoder(reportR).Decode(&p.state); err != nil {
		return nil, errors.Join(fmt.Errorf("helper %q: no report: %w", role.Argv, err), p.Close())
	}
	if p.state.Error != "" {
		return nil, errors.Join(fmt.Errorf("helper %q: %s", role.Argv, p.state.Error), p.Close())
	}
	runtime.KeepAlive(shared)
	return p, nil
}

func (p *process) owner(fd int) Owner {
	return Owner{PID: p.cmd.Process.Pid, FD: fd, Comm: p.state.Comm, Argv: p.role.Argv}
}

// Close lets the helper end and waits for it.
func (p *process) Close() error {
	p.control.Close()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("helper %q: %w", p.role.Argv, err)
	}
	return nil
}
