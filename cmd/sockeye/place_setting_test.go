package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// setting is what the test program does to itself before it becomes the program under test.
type setting struct {
	Mounts  []mount
	Caps    []uintptr // those that are kept; nil: all
	Refuse  []refusal
	Limits  map[int]uint64
	Close   []int  // descriptors
	Session bool   // a session of its own, without a terminal
	User    int    // 0: as it is
	Join    string // the cgroup.procs of a control group
	Argv    []string
}

// mount is an argument of mount(2), in a mount namespace of the process.
type mount struct {
	Source, Target, Type string
	Flags                uintptr
	Data                 string
}

// refusal is a system call that fails: all calls of it, or those with a first argument.
type refusal struct {
	Call  int
	Arg   int // -1: any
	Errno syscall.Errno
}

// envPlace holds the setting.
const envPlace = "SOCKEYE_TEST_PLACE"

func init() {
	text := os.Getenv(envPlace)
	if text == "" {
		return
	}
	runtime.LockOSThread() // the main thread: what it does to itself stays when the program is replaced
	var s setting
	err := json.Unmarshal([]byte(text), &s)
	if err == nil {
		err = s.become()
	}
	fmt.Fprintln(os.Stderr, "place:", err)
	os.Exit(125)
}

// become does what is set and replaces the program.
func (s *setting) become() error {
	os.Unsetenv(envPlace)
	if s.Session {
		if _, err := unix.Setsid(); err != nil {
			return fmt.Errorf("setsid: %w", err)
		}
	}
	if len(s.Mounts) > 0 {
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			return fmt.Errorf("unshare mount namespace: %w", err)
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return fmt.Errorf("make / private: %w", err)
		}
	}
	for _, m := range s.Mounts {
		if err := unix.Mount(m.Source, m.Target, m.Type, m.Flags, m.Data); err != nil {
			return fmt.Errorf("mount %s on %s: %w", m.Source, m.Target, err)
		}
	}
	if s.Join != "" {
		if err := os.WriteFile(s.Join, []byte("0"), 0); err != nil {
			return fmt.Errorf("join: %w", err)
		}
	}
	for resource, limit := range s.Limits {
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
			return fmt.Errorf("setrlimit %d: %w", resource, err)
		}
	}
	if s.Caps != nil {
		if err := keepCaps(s.Caps); err != nil {
			return err
		}
	}
	if s.User != 0 {
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(s.User), syscall.Setuid(s.User)); err != nil {
			return fmt.Errorf("setuid: %w", err)
		}
	}
	if len(s.Refuse) > 0 {
		if err := refuse(s.Refuse); err != nil {
			return err
		}
	}
	env := os.Environ()
	for _, fd := range s.Close {
		unix.Close(fd)
	}
	return syscall.Exec(s.Argv[0], s.Argv[1:], env)
}

// keepCaps takes all other capabilities out of the bounding set, from which a program that root starts has its own.
func keepCaps(keep []uintptr) error {
	kept := map[uintptr]bool{}
	for _, c := range keep {
		kept[c] = true
	}
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if !kept[c] {
			if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && err != unix.EINVAL {
				return fmt.Errorf("drop capability %d: %w", c, err)
			}
		}
	}
	return nil
}

// refuse installs a seccomp filter (seccomp(2)).
func refuse(list []refusal) error {
	const nr, arg0 = 0, 16 // offsets in struct seccomp_data
	low := uint32(arg0)
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		low += 4
	}
	var program []unix.SockFilter
	op := func(code int, jt, jf uint8, k uint32) {
		program = append(program, unix.SockFilter{Code: uint16(code), Jt: jt, Jf: jf, K: k})
	}
	for _, r := range list {
		op(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, 0, 0, nr)
		if r.Arg < 0 {
			op(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, 0, 1, uint32(r.Call))
		} else {
			op(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, 0, 3, uint32(r.Call))
			op(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, 0, 0, low)
			op(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, 0, 1, uint32(r.Arg))
		}
		op(unix.BPF_RET|unix.BPF_K, 0, 0, unix.SECCOMP_RET_ERRNO|uint32(r.Errno))
	}
	op(unix.BPF_RET|unix.BPF_K, 0, 0, unix.SECCOMP_RET_ALLOW)
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	p := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&p))); errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}
