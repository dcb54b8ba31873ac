package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/check"
	"github.com/sockeye-tools/sockeye/internal/counts"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// evil is what no terminal should see: an escape sequence that sets its title, CSI as one C1 character, a turn of the direction of writing, and
// a byte that is not UTF-8. It is short enough for the name of a process and of a device.
const evil = "\x1b]0;\a\u009b\u202e\xff"

// evilWorld makes a namespace in which whatever can have a name is called evil, and returns what it could not do.
func evilWorld(t *testing.T) (ns *scene.NetNS, missing []string) {
	ns = scene.NewNetNS(t)
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// A process whose file, name, argument and descriptors are evil.
	sleep, err := exec.LookPath("sleep")
	must(err)
	program, err := os.ReadFile(sleep)
	must(err)
	file := filepath.Join(dir, "P"+evil)
	must(os.WriteFile(file, program, 0o700))
	var files []*os.File
	must(ns.Do(func() {
		l, e := net.Listen("tcp", "127.0.0.1:0")
		if err = e; err != nil {
			return
		}
		defer l.Close()
		f, e := l.(*net.TCPListener).File()
		if err = e; err != nil {
			return
		}
		files = append(files, f)
		u, e := net.Listen("unix", filepath.Join(dir, "U"+evil))
		if err = e; err != nil {
			return
		}
		u.(*net.UnixListener).SetUnlinkOnClose(false)
		defer u.Close()
		if f, err = u.(*net.UnixListener).File(); err == nil {
			files = append(files, f)
		}
	}))
	must(err)
	cmd := &exec.Cmd{Path: file, Args: []string{"A" + evil, "300"}, ExtraFiles: files}
	err = ns.Start(cmd)
	for _, f := range files {
		f.Close()
	}
	if errors.Is(err, syscall.EACCES) { // a temporary directory that programs may not be in
		t.Skipf("needs a temporary directory without noexec: %v", err)
	}
	must(err)
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid)); bytes.HasPrefix(b, []byte("A")) {
			break // it has called execve
		}
		if time.Now().After(end) {
			t.Fatal("the process does not start")
		}
	}
	// A cgroup, called as systemd calls services.
	group := filepath.Join(cgroup2(t), "C"+evil+".service")
	if err := os.Mkdir(group, 0o755); err != nil {
		missing = append(missing, "a cgroup: "+err.Error())
	} else {
		t.Cleanup(func() {
			cmd.Process.Kill()
			cmd.Wait()
			for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) { // until the kernel has let go of it
				if os.Remove(group) == nil {
					return
				}
			}
			t.Errorf("%q is left", group)
		})
		procs, err := os.OpenFile(group+"/cgroup.procs", os.O_WRONLY, 0)
		if err == nil {
			_, err = fmt.Fprint(procs, cmd.Process.Pid)
			procs.Close()
		}
		if err != nil {
			missing = append(missing, "a cgroup: "+err.Error())
		}
	}
	// The namespace's own name, one of those that package scene removes where a test was killed.
	name := filepath.Join("/run/netns", fmt.Sprintf("sockeye-scene-%d-N%s", os.Getpid(), evil))
	err = os.MkdirAll(filepath.Dir(name), 0o755)
	if err == nil {
		err = os.WriteFile(name, nil, 0o444)
	}
	if err == nil {
		t.Cleanup(func() {
			unix.Unmount(name, unix.MNT_DETACH)
			if err := os.Remove(name); err != nil {
				t.Error(err)
			}
		})
		err = unix.Mount(ns.Path(), name, "", unix.MS_BIND, "")
	}
	if err != nil {
		missing = append(missing, "a namespace: "+err.Error())
	}
	// A device, with addresses, routes and multicast groups, and a socket that is bound to it.
	if e := ns.Do(func() { err = evilDevice() }); e != nil || err != nil {
		missing = append(missing, fmt.Sprintf("a device: %v", errors.Join(e, err)))
	} else {
		var fd int
		must(ns.Do(func() {
			if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err == nil {
				err = errors.Join(unix.BindToDevice(fd, "D"+evil), unix.Bind(fd, &unix.SockaddrInet4{Port: 5353}))
			}
		}))
		must(err)
		t.Cleanup(func() { unix.Close(fd) })
	}
	return ns, missing
}

// cgroup2 returns where the file system of that name is mounted.
func cgroup2(t *testing.T) string {
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return f[1]
		}
	}
	return "/no/cgroup2"
}

// evilDevice gives the loopback device of the thread's namespace another name, addresses and a route.
func evilDevice() error {
	link, err := netlink.LinkByName("lo")
	if err == nil {
		err = errors.Join(netlink.LinkSetDown(link), netlink.LinkSetName(link, "D"+evil), netlink.LinkSetUp(link))
	}
	if err != nil {
		return err
	}
	for _, s := range []string{"192.0.2.9/24", "2001:db8::9/64"} {
		a, err := netlink.ParseAddr(s)
		if err == nil {
			err = netlink.AddrAdd(link, a)
		}
		if err != nil {
			return err
		}
	}
	_, network, err := net.ParseCIDR("198.51.100.0/24")
	if err != nil {
		return err
	}
	return netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: network, Scope: netlink.SCOPE_LINK})
}

// colours are what a terminal may get besides text, to set them.
var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestEscaped: names that others chose reach neither a terminal nor a pipe as they are, in any face and format.
func TestEscaped(t *testing.T) {
	bin := peers.Sockeye(t)
	ns, missing := evilWorld(t)
	for _, what := range missing {
		t.Logf("left out: %s", what)
	}
	has := func(names string) bool { // whether the world has all of them
		return (!strings.Contains(names, "D") || !strings.Contains(strings.Join(missing, " "), "a device")) &&
			(!strings.Contains(names, "C") || !strings.Contains(strings.Join(missing, " "), "a cgroup")) &&
			(!strings.Contains(names, "N") || !strings.Contains(strings.Join(missing, " "), "a namespace"))
	}
	n := 0
	for _, tt := range []struct {
		line  string
		names string // that have to be in it: Process, Argument, Unix socket, Cgroup, Device, Namespace
	}{
		{"list", "PD"},
		{"list -o wide", "PD"},
		{"list -c process,cmdline,cgroup,unit,container,dev", "PACD"},
		{"list -o json -c all", "PACD"},
		{"list -o ndjson -c +cmdline,unit", "PACD"},
		{"list -o csv -c process,cmdline,unit,dev", "PACD"},
		{"list -o tsv -c process,cmdline,unit,dev", "PACD"},
		{"list -g process,dev,unit", "PCD"},
		{"list -g process -o json", "P"},
		{"list -g process -o csv", "P"},
		{"list -s process", "P"},
		{"list --summary", "P"},
		{"list --all-netns", "PDN"},
		{"list --all-netns -o csv -c netns,dev", "N"},
		{"list --all-netns -g netns", "N"},
		{"ss -tuxwap", "PUD"},
		{"ss -tuxwanpemoi --cgroup --tos --inet-sockopt", "PUD"},
		{"ss -tanpT", "P"},
		{"ss -tanpO", "P"},
		{"ss -aenp", "PUD"},
		{"ss -A all -ae", "UD"},
		{"netstat -tuxanp", "AU"},
		{"netstat -tuxanepoW", "AU"},
		{"netstat -i", "D"},
		{"netstat -ie", "D"},
		{"netstat -rn46", "D"},
		{"netstat -rneeF", "D"},
		{"netstat -gn", "D"},
		{"ss -tuanpoemi --output json", "PD"},
		{"netstat -tuanepo --output ndjson", "PD"},
		{"netstat --bsd -a", "U"},
		{"netstat --bsd -an", "U"},
		{"netstat --bsd -in", "D"},
		{"netstat --bsd -rn", "D"},
		{"counters", ""},
	} {
		for _, terminal := range []bool{false, true} {
			name := tt.line + ", pipe"
			if terminal {
				name = tt.line + ", terminal"
			}
			t.Run(name, func(t *testing.T) {
				cmd := exec.Command(bin, strings.Fields(tt.line)...)
				cmd.Env = append(os.Environ(), "TERM=xterm-256color", "COLUMNS=500")
				out, words := output(t, ns, cmd, terminal)
				if why := check.Terminal(words); why != "" {
					t.Errorf("stderr: %s", why)
				}
				if terminal {
					out = colours.ReplaceAll(out, nil)
				}
				var also []rune
				if strings.HasPrefix(tt.line, "ss") || strings.Contains(tt.line, "tsv") {
					also = append(also, '\t')
				}
				if strings.Contains(tt.line, "-o csv") || strings.Contains(tt.line, "-o tsv") {
					also = append(also, '\r') // ends lines in RFC 4180
				}
				if why := check.Terminal(out, also...); why != "" {
					t.Errorf("%s", why)
				}
				if !has(tt.names) {
					t.Skip("left out: " + strings.Join(missing, "; "))
				}
				for _, c := range tt.names {
					if !regexp.MustCompile(string(c) + `(\\033|\\\\033|\\u001b|\.|\?)`).Match(out) {
						t.Errorf("%c and what is behind it is not there:\n%s", c, out)
					}
				}
			})
			n++
		}
	}
	counts.Add(t, "bad inputs", n)
}

// output runs a command, whose stdout is a pipe or a terminal that changes nothing. A namespace of somebody else's may go meanwhile, which can
// be told by the status.
func output(t *testing.T, ns *scene.NetNS, cmd *exec.Cmd, terminal bool) (stdout, stderr []byte) {
	t.Helper()
	var out, words bytes.Buffer
	cmd.Stderr = &words
	var err error
	if terminal {
		master, slave := openPTY(t)
		cmd.Stdout = slave
		err = ns.Start(cmd)
		slave.Close()
		if err == nil {
			io.Copy(&out, master) // to EIO: nobody has the other end any more
			err = cmd.Wait()
		}
	} else {
		cmd.Stdout = &out
		err = ns.Run(cmd)
	}
	if err != nil && !slices.Contains(cmd.Args, "--all-netns") {
		t.Fatalf("%v: %s", err, &words)
	}
	return out.Bytes(), words.Bytes()
}

// openPTY returns both ends of a terminal that is wide and changes nothing.
func openPTY(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, slave = openTerminal(t, 4000)
	mode, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err == nil {
		mode.Oflag &^= unix.OPOST
		err = unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, mode)
	}
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}
