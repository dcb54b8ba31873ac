package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/counts"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// place is where the program runs, and what is to be seen there. docs/places.md has a line for each.
type place struct {
	name    string
	setting setting
	attr    syscall.SysProcAttr
	env     []string // on top of the test's own; not nil and empty: no environment
	args    []string // behind those of the face
	stdout  string   // a file instead of a pipe

	status       int
	rows, owners shows
	words        [3]string // regular expressions for all of stderr, in the order of churnFaces
}

// shows is how much of what root sees is shown.
type shows int

const (
	all  shows = iota
	some       // what /proc/net tells: no names of devices, not whether an IPv6 socket serves IPv4 too, none that are only bound
	none
)

const nobody = 65534

// stranger is a user who has no other process, also where other tests run at the same time. (What netstat says depends on that.)
var stranger = 1<<20 + os.Getpid()

// What the faces say where owners are not known.
var (
	hintUser = [3]string{"ss: owners of other users' sockets are not shown: run as root\n", noInfo(stranger),
		"sockeye: hint: the descriptors of (a process|[0-9]+ processes) could not be read, so some owners are unknown: run as root\n"}
	hintRoot = [3]string{"ss: some processes could not be looked into: sockets of theirs are shown without them\n",
		`\(Not all processes could be identified, non-owned process info\n will not be shown, you would have to be root to see it all.\)` + "\n",
		"sockeye: hint: the descriptors of (a process|[0-9]+ processes) could not be read, so some owners are unknown\n"}
	hintHidden = [3]string{hintUser[0], hintRoot[1], hintUser[2]}
	// Root of a user namespace: a process of somebody who is nobody there, as other tests may have one, decides what netstat says.
	hintMapped = [3]string{hintRoot[0], "(" + hintRoot[1] + "|" + noInfo(0) + ")", hintRoot[2]}
)

func noInfo(uid int) string {
	return fmt.Sprintf(`\(No info could be read for "-p": geteuid\(\)=%d but you should be root.\)`+"\n", uid)
}

// says is one line of each face, behind its name.
func says(line string) [3]string {
	return [3]string{"ss: " + line + "\n", "netstat: " + line + "\n", "sockeye: " + line + "\n"}
}

func bind(source, target string) mount {
	return mount{Source: source, Target: target, Flags: unix.MS_BIND}
}

func tmpfs(target string) mount { return mount{Source: "tmpfs", Target: target, Type: "tmpfs"} }

// places lists them. dir has room for files.
func places(t *testing.T, dir string) []place {
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	empty := write("empty", "")
	many := bind(write("file-nr", "900000\t0\t9000000\n"), "/proc/sys/fs/file-nr") // so that BPF is tried first
	user := func(caps ...uintptr) syscall.SysProcAttr {
		return syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(stranger), Gid: uint32(stranger)}, AmbientCaps: caps}
	}
	netlink := func(e syscall.Errno, mounts ...mount) setting {
		return setting{Mounts: mounts, Refuse: []refusal{{unix.SYS_SOCKET, unix.AF_NETLINK, e}}}
	}
	bpf := func(e syscall.Errno) setting {
		return setting{Mounts: []mount{many}, Refuse: []refusal{{unix.SYS_BPF, -1, e}}}
	}
	limit := func(resource int, n uint64) setting { return setting{Limits: map[int]uint64{resource: n}} }
	hidepid := mount{"proc", "/proc", "proc", 0, "hidepid=2"}
	forced := []string{"--owners=bpf"}
	// What root needs to look into the processes of all users, without BPF.
	withoutBPF := []uintptr{unix.CAP_NET_ADMIN, unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH}
	root := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}}
	list := []place{
		{name: "an unprivileged user", attr: user(), owners: none, words: hintUser},
		{name: "CAP_NET_ADMIN alone", attr: user(unix.CAP_NET_ADMIN), owners: none, words: hintUser},
		{name: "root of a user namespace", attr: syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: root, GidMappings: root},
			owners: none, words: hintMapped},
		{name: "no /proc", setting: setting{Mounts: []mount{tmpfs("/proc")}}, owners: none, words: hintRoot},
		{name: "hidepid=2", setting: setting{Mounts: []mount{hidepid}, User: stranger}, owners: none, words: hintHidden},
		{name: "hidepid=2, as root", setting: setting{Mounts: []mount{hidepid}}},

		{name: "no CAP_BPF", setting: setting{Mounts: []mount{many}, Caps: withoutBPF}},
		{name: "no CAP_BPF, --owners=bpf", setting: setting{Caps: withoutBPF}, args: forced,
			status: 1, rows: none, owners: none, words: says("owner: bpf: .*operation not permitted.*")},
		{name: "no CAP_BPF, --exact", setting: setting{Caps: []uintptr{unix.CAP_NET_ADMIN, unix.CAP_SYS_PTRACE}}, args: []string{"--exact"},
			status: 1, rows: none, owners: none, words: says("exact: .*operation not permitted.*")},
		{name: "bpf() fails with EPERM", setting: bpf(unix.EPERM)},
		{name: "bpf() fails with ENOSYS", setting: bpf(unix.ENOSYS)},
		{name: "bpf() fails, --owners=bpf", setting: bpf(unix.ENOSYS), args: forced,
			status: 1, rows: none, owners: none, words: says("owner: bpf: .*function not implemented.*")},
		{name: "no BTF", setting: setting{Mounts: []mount{many, tmpfs("/sys/kernel/btf")}}},
		{name: "no BTF, --owners=bpf", setting: setting{Mounts: []mount{tmpfs("/sys/kernel/btf")}}, args: forced,
			status: 1, rows: none, owners: none, words: says("owner: bpf: .*no BTF.*")},
		{name: "RLIMIT_MEMLOCK=0, --owners=bpf", setting: limit(unix.RLIMIT_MEMLOCK, 0), args: forced},

		{name: "netlink fails with EPERM", setting: netlink(unix.EPERM), rows: some, owners: some},
		{name: "netlink fails with EACCES", setting: netlink(unix.EACCES), rows: some, owners: some},
		{name: "netlink fails with EAFNOSUPPORT", setting: netlink(unix.EAFNOSUPPORT), rows: some, owners: some},
		{name: "netlink fails with ENOSYS", setting: netlink(unix.ENOSYS), rows: some, owners: some},
		{name: "netlink fails, --exact", setting: netlink(unix.EPERM), args: []string{"--exact"}, status: 1, rows: none, owners: none,
			words: [3]string{"(ss: exact: .+\n)+", "(netstat: exact: .+\n)+", "(sockeye: exact: .+\n)+"}},
		{name: "neither netlink nor /proc", setting: netlink(unix.EPERM, tmpfs("/proc")), status: 1, rows: none, owners: none,
			words: says("open sock_diag socket: netlink is forbidden here: operation not permitted")},

		{name: "nothing can be written", setting: setting{Mounts: []mount{{"", "/", "", unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY, ""}}}},
		{name: "no /etc/services", setting: setting{Mounts: []mount{bind(empty, "/etc/services")}}},
		{name: "no /etc/passwd", setting: setting{Mounts: []mount{bind(empty, "/etc/passwd")}}},
		{name: "an empty /etc", setting: setting{Mounts: []mount{tmpfs("/etc")}}},

		{name: "no terminal", setting: setting{Session: true}},
		{name: "COLUMNS=0", env: []string{"COLUMNS=0"}},
		{name: "COLUMNS=20", env: []string{"COLUMNS=20"}},
		{name: "COLUMNS=-3x", env: []string{"COLUMNS=-3x"}},
		{name: "LANG=C", env: []string{"LANG=C", "LC_ALL=C"}},
		{name: "LANG=C.UTF-8", env: []string{"LANG=C.UTF-8", "LC_ALL=C.UTF-8"}},
		{name: "no environment", env: []string{}},

		{name: "standard input closed", setting: setting{Close: []int{0}}},
		{name: "standard error closed", setting: setting{Close: []int{2}}},
		{name: "standard output closed", setting: setting{Close: []int{1}}, rows: none, owners: none},
		{name: "all three closed", setting: setting{Close: []int{0, 1, 2}}, rows: none, owners: none},
		{name: "the disk is full", stdout: "/dev/full", status: 1, rows: none, owners: none, words: says("write /dev/stdout: no space left on device")},

		{name: "16 descriptors", setting: limit(unix.RLIMIT_NOFILE, 16)},
		{name: "10 descriptors", setting: limit(unix.RLIMIT_NOFILE, 10), rows: some, owners: none, words: hintRoot},
		{name: "32 MiB of memory", setting: setting{Join: memoryGroup(t, 32<<20)}},
		{name: "1 GiB of address space", setting: limit(unix.RLIMIT_AS, 1<<30)},
	}
	return list
}

// memoryGroup makes a control group with so much memory, and returns its cgroup.procs; a name that is not there where that cannot be
// done.
func memoryGroup(t *testing.T, limit int) string {
	for root, file := range map[string]string{"/sys/fs/cgroup": "memory.max", "/sys/fs/cgroup/memory": "memory.limit_in_bytes"} {
		dir, err := os.MkdirTemp(root, "sockeye-test-")
		if err != nil {
			continue
		}
		t.Cleanup(func() {
			for end := time.Now().Add(10 * time.Second); os.Remove(dir) != nil && time.Now().Before(end); {
				time.Sleep(10 * time.Millisecond) // those that have exited leave it a moment later
			}
		})
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil && os.WriteFile(filepath.Join(dir, file), []byte(strconv.Itoa(limit)), 0) == nil {
			return filepath.Join(dir, "cgroup.procs")
		}
	}
	return "/no/memory/controller"
}

// In each place each face shows what can be known there, says in one line what cannot, and never more than is so.
func TestPlaces(t *testing.T) {
	var s *scene.Scene
	bin, self := publicCopy(t, peers.Sockeye(t)), publicCopy(t, "/proc/self/exe")
	run := func(t *testing.T, p *place, f *churnFace) (shown, owned map[churnRow]int, status int, words string) {
		set := p.setting
		set.Argv = slices.Concat([]string{bin, bin}, f.args, p.args)
		text, err := json.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(self)
		cmd.Dir = "/"
		if cmd.Env = append(os.Environ(), p.env...); p.env != nil && len(p.env) == 0 {
			cmd.Env = []string{}
		}
		cmd.Env = append(cmd.Env, envPlace+"="+string(text))
		attr := p.attr
		cmd.SysProcAttr = &attr
		var out, errs strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &errs
		if p.stdout != "" {
			file, err := os.OpenFile(p.stdout, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			cmd.Stdout = file
		}
		if err := s.Run(cmd); err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		if cmd.ProcessState.ExitCode() == 125 {
			t.Skipf("the place cannot be made: %s", errs.String())
		}
		shown, owned = map[churnRow]int{}, map[churnRow]int{}
		for line := range strings.Lines(out.String()) {
			r, ok := f.read(strings.Fields(line))
			if !ok {
				continue
			}
			if r.owners != "" {
				owned[r]++
			}
			r.owners = ""
			shown[r]++
		}
		return shown, owned, cmd.ProcessState.ExitCode(), errs.String()
	}
	var wantShown, wantOwned [3]map[churnRow]int
	var made time.Time
	fresh := func() { // some sockets of a scene end after 60 seconds
		if s != nil && time.Since(made) < 20*time.Second {
			return
		}
		s, made = scene.New(t), time.Now()
		for i := range churnFaces {
			var status int
			var words string
			if wantShown[i], wantOwned[i], status, words = run(t, &place{}, &churnFaces[i]); status != 0 || words != "" {
				t.Fatalf("%v: status %d, %q", churnFaces[i].args, status, words)
			}
			if len(wantShown[i]) < 60 || len(wantOwned[i]) < 50 {
				t.Fatalf("%v shows root %d sockets, %d with owners", churnFaces[i].args, len(wantShown[i]), len(wantOwned[i]))
			}
		}
	}
	for _, p := range places(t, filepath.Dir(bin)) {
		fresh()
		t.Run(p.name, func(t *testing.T) {
			for i := range churnFaces {
				f := &churnFaces[i]
				shown, owned, status, words := run(t, &p, f)
				if status != p.status {
					t.Errorf("%s: status %d, want %d", f.args[0], status, p.status)
				}
				p.rows.compare(t, f.args[0]+": sockets", shown, wantShown[i])
				p.owners.compare(t, f.args[0]+": sockets with owners", owned, wantOwned[i])
				want := p.words[i]
				if p.status != 0 && want == "" {
					want = says(".+")[i]
				}
				if !regexp.MustCompile(`\A(?:` + want + `)\z`).MatchString(words) {
					t.Errorf("%s: stderr %.600q, want %q", f.args[0], words, want)
				}
			}
			if !t.Failed() {
				counts.Add(t, "privilege settings", 1)
			}
		})
	}
}

// compare fails the test where got is not that much of want.
func (s shows) compare(t *testing.T, what string, got, want map[churnRow]int) {
	t.Helper()
	switch s {
	case all:
		if !maps.Equal(got, want) {
			t.Errorf("%s: %d, want %d", what, len(got), len(want))
		}
	case some:
		got, want = asProc(got), asProc(want)
		if len(got) < len(want)-2 {
			t.Errorf("%s: %d of %d", what, len(got), len(want))
		}
	case none:
		if len(got) > 0 {
			t.Errorf("%s: %d, want none", what, len(got))
		}
	}
	for r, n := range got {
		if n > want[r] {
			t.Errorf("%s: %+v, %d times, is not so", what, r, n)
		}
	}
}

var device = regexp.MustCompile(`%[^]:]*`)

// asProc returns rows as they are said of sockets in /proc/net.
func asProc(rows map[churnRow]int) map[churnRow]int {
	m := map[churnRow]int{}
	for r, n := range rows {
		r.local = strings.Replace(device.ReplaceAllString(r.local, ""), "[::]", "*", 1)
		r.remote = strings.Replace(r.remote, "[::]", "*", 1)
		m[r] += n
	}
	return m
}
