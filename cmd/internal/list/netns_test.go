package list

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/check"
	"github.com/sockeye-tools/sockeye/internal/netns"
	"github.com/sockeye-tools/sockeye/internal/thread"
)

func TestWorthwhile(t *testing.T) {
	bound := diag.StatesOf(diag.BoundInactive)
	queries := []diag.InetQuery{
		{Protocol: diag.TCP, States: diag.StatesOf(diag.Listen)}, {Protocol: diag.UDP, States: diag.StatesOf(diag.Close)},
		{Protocol: diag.TCP, States: diag.AllStates &^ diag.StatesOf(diag.Listen)}, {Protocol: diag.UDP, States: diag.AllStates &^ diag.StatesOf(diag.Close)},
	}
	for name, tt := range map[string]struct {
		n    netns.Namespace
		want []diag.InetQuery
	}{
		"not counted": {netns.Namespace{Bound: true}, queries},
		"our own":     {netns.Namespace{Own: true, Counts: &netns.Counts{}}, queries},
		"nothing":     {netns.Namespace{Counts: &netns.Counts{}}, nil},
		"bound":       {netns.Namespace{Bound: true, Counts: &netns.Counts{}}, []diag.InetQuery{{Protocol: diag.TCP, States: bound}}},
		"tcp":         {netns.Namespace{Bound: true, Counts: &netns.Counts{TCP: 1}}, []diag.InetQuery{queries[0], queries[2]}},
		"udp":         {netns.Namespace{Counts: &netns.Counts{UDP: 1}}, []diag.InetQuery{queries[1], queries[3]}},
		"no bound": {netns.Namespace{Counts: &netns.Counts{TCP: 1}}, []diag.InetQuery{queries[0],
			{Protocol: diag.TCP, States: queries[2].States &^ bound}}},
	} {
		got := worthwhile(queries, &tt.n)
		if len(got) != len(tt.want) {
			t.Errorf("%s: %d queries, want %d", name, len(got), len(tt.want))
			continue
		}
		for i := range got {
			if got[i].Protocol != tt.want[i].Protocol || got[i].States != tt.want[i].States {
				t.Errorf("%s: %+v, want %+v", name, got[i], tt.want[i])
			}
		}
	}
}

// Namespaces that hold a process, and no name: one with a socket that no counter tells of, one with UDP alone.
func TestNamespacesOfProcesses(t *testing.T) {
	bound, udp := newTCP(t), newTCP(t)
	bound.in(func() error {
		_, err := bound.socket("127.0.0.1:7777")
		return err
	})
	udp.in(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			udp.fds = append(udp.fds, fd)
			err = unix.Bind(fd, sockaddr("127.0.0.1:7777"))
		}
		return err
	})
	names := map[string]string{}
	for what, ns := range map[string]*scene.NetNS{"tcp bound": bound.ns, "udp unconnected": udp.ns} {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), argsEnv+`=["--watch","1h","-o","ndjson","sport = 1"]`)
		if err := ns.Start(cmd); err != nil {
			t.Fatal(err)
		}
		defer cmd.Wait()
		defer cmd.Process.Kill()
		names[what] = "pid:" + strconv.Itoa(cmd.Process.Pid)
	}
	got := map[string][]string{} // other tests have namespaces too
	for _, row := range answer(t, nil, "-A", "sport = 7777") {
		what := str(row["proto"]) + " " + str(row["state"])
		got[what] = append(got[what], str(row["netns"]))
	}
	for what, name := range names {
		// The first thread of this process may be the one that made the namespace.
		if !slices.Contains(got[what], name) && !slices.Contains(got[what], "pid:"+self()) {
			t.Errorf("%s: in %q, want %q", what, got[what], name)
		}
	}
}

// Many namespaces that are held by their sockets alone: the connections of all are found in one walk, and what is shown of each is what
// the test made, TIME_WAIT included.
func TestManyNamespaces(t *testing.T) {
	scene.Require(t)
	if err := netns.Find(t.Context(), netns.Config{}).Partial; err != nil {
		t.Skipf("needs BPF: %v", err)
	}
	t.Setenv(ownersEnv, "auto")
	const spaces = 100
	made := map[string]int{} // by inode, the namespace
	var fds []int
	var last [][2]int // connection of each namespace
	defer func() {
		for _, fd := range fds {
			unix.Close(fd)
		}
	}()
	ready := make(chan error)
	for space := range spaces {
		thread.Go(func() {
			ready <- func() error {
				if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
					return err
				}
				if err := check.LoopbackUp(); err != nil {
					return err
				}
				open := func(fd int, err error) (int, error) {
					var st unix.Stat_t
					if err == nil {
						fds = append(fds, fd)
						err = unix.Fstat(fd, &st)
						made[strconv.FormatUint(st.Ino, 10)] = space
					}
					return fd, err
				}
				l, err := open(unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0))
				if err == nil {
					err = unix.Bind(l, sockaddr("127.0.0.1:7777"))
				}
				if err == nil {
					err = unix.Listen(l, 4)
				}
				for i := 0; err == nil && i < 2; i++ {
					var near int
					if near, err = open(unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)); err != nil {
						break
					}
					if err = unix.Connect(near, sockaddr("127.0.0.1:7777")); err == nil {
						far, _, accept := unix.Accept4(l, unix.SOCK_CLOEXEC)
						_, err = open(far, accept)
					}
				}
				return err
			}()
		})
		if err := <-ready; err != nil {
			t.Fatal(err)
		}
		last = append(last, [2]int(fds[len(fds)-2:]))
	}
	// The last connection of each is closed: one end waits, for a minute. So this is the last that is done.
	for _, ends := range last {
		for _, fd := range ends {
			var st unix.Stat_t
			unix.Fstat(fd, &st)
			delete(made, strconv.FormatUint(st.Ino, 10))
			fds = slices.DeleteFunc(fds, func(open int) bool { return open == fd })
		}
		unix.Close(ends[0])
		err := await(ends[1], diag.CloseWait) // if they were closed at the same time, both would wait
		unix.Close(ends[1])
		if err != nil {
			t.Fatal(err)
		}
	}
	ours := func(name string) bool { return name == "pid:"+self() || strings.HasPrefix(name, "pid:"+self()+"/") }
	names, waiting := map[int]string{}, map[string]int{}
	for _, row := range answer(t, nil, "-A", "-t", "port = 7777") {
		name := str(row["netns"])
		if !ours(name) {
			continue // other tests have namespaces too
		}
		if row["state"] == "time-wait" {
			waiting[name]++
			continue
		}
		space, ok := made[str(row["inode"])]
		if !ok {
			t.Errorf("%v was not made", row)
			continue
		}
		delete(made, str(row["inode"]))
		if names[space] == "" {
			names[space] = name
		}
		if names[space] != name || str(row["pid"]) != "" && !strings.Contains(str(row["pid"]), self()) {
			t.Errorf("%v: in %s", row, names[space])
		}
	}
	if len(made) != 0 {
		t.Errorf("%d sockets are not shown: %v", len(made), made)
	}
	for space, name := range names {
		if waiting[name] != 1 {
			t.Errorf("namespace %d, %s: %d sockets in TIME_WAIT, want 1", space, name, waiting[name])
		}
	}
	if len(waiting) != spaces {
		t.Errorf("%d namespaces, want %d", len(waiting), spaces)
	}
	t.Setenv(planEnv, "1")
	out, words, _ := verb(t, nil, "-A", "-t")
	known := 0
	for plan := range strings.SplitSeq(out, "network namespace ") {
		name, what, _ := strings.Cut(plan, ":\n")
		if ours(name) && strings.HasPrefix(what, "tcp: the connections are known, and looked up by their addresses: 3\n") {
			known++
		}
	}
	if known < spaces-2 { // a count may have changed just then
		t.Errorf("%d namespaces of %d were found in one walk: %s\n%.2000s", known, spaces, words, out)
	}
	t.Setenv(exactEnv, "1") // which walks in each namespace, whatever is known
	out, words, status := verb(t, nil, "-A", "-t")
	if status != cli.ExitOK || !strings.Contains(out, "network namespace pid:"+self()) || !strings.Contains(out, "exact: ") || strings.Contains(out, "the connections are known") {
		t.Errorf("exact: status %d, %s\n%.2000s", status, words, out)
	}
}

var nobody = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}

// forNobody returns the directory of a copy of this program that others may run, which is called list.
func forNobody(t *testing.T) string {
	dir, err := os.MkdirTemp("/tmp", "list-test-") // which others may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	exe, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = errors.Join(os.WriteFile(dir+"/list", exe, 0o755), os.Chmod(dir, 0o755))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// A user is told that a process he cannot look into can hold the socket, and not where he asks for no owner.
func TestHintOfOwners(t *testing.T) {
	n := newTCP(t)
	n.in(func() error {
		_, err := n.listen("127.0.0.1:8080", 1)
		return err
	})
	dir := forNobody(t)
	for args, want := range map[string]bool{`["-tl"]`: true, `["-tl","-o","ndjson"]`: true, `["-tl","-c","local"]`: false, `["-tl","sport = 1"]`: false,
		`["-tl","process = nothing"]`: true, `["-tl","-g","process"]`: true, `["-tl","sport = 1 and process = nothing"]`: false} {
		cmd := exec.Command(dir + "/list")
		cmd.Dir, cmd.SysProcAttr = "/", nobody
		cmd.Env = append(os.Environ(), argsEnv+"="+args)
		var out, words bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &words
		if err := n.ns.Run(cmd); err != nil {
			t.Fatalf("%s: %v: %s", args, err, &words)
		}
		got := strings.HasPrefix(words.String(), "sockeye: hint: the descriptors of ") &&
			strings.HasSuffix(words.String(), " could not be read, so some owners are unknown: run as root\n")
		if got != want || !want && words.Len() > 0 {
			t.Errorf("%s: %s%s", args, &out, &words)
		}
	}
}

// Who may not know marks, and asks for them, is told.
func TestHintOfMarks(t *testing.T) {
	n := newTCP(t)
	n.in(func() error {
		_, err := n.listen("127.0.0.1:8080", 1)
		return err
	})
	dir := forNobody(t)
	for args, want := range map[string]string{
		`["-tl","-c","local","mark = 0"]`:                      "sockeye: hint: marks are not known without CAP_NET_ADMIN: run as root\n",
		`["-tl","-c","local","fwmark = 5"]`:                    "sockeye: hint: marks are not known without CAP_NET_ADMIN: run as root\n",
		`["-tl","-c","local","sport = 1"]`:                     "",
		`["-tl","-c","local,mark"]`:                            "",
		`["-t","-c","local","state = time-wait and mark = 0"]`: "", // those have none
	} {
		for _, user := range []*syscall.SysProcAttr{nobody, nil} {
			cmd := exec.Command(dir + "/list")
			cmd.Dir, cmd.SysProcAttr = "/", user
			cmd.Env = append(os.Environ(), argsEnv+"="+args)
			var words bytes.Buffer
			cmd.Stderr = &words
			if err := n.ns.Run(cmd); err != nil {
				t.Fatalf("%s: %v: %s", args, err, &words)
			}
			if user == nil {
				want = ""
			}
			if got := words.String(); got != want {
				t.Errorf("%s: %q, want %q", args, got, want)
			}
		}
	}
}

// A user sees that there is another namespace, since a process of his is in it, and is told that he cannot look into it.
func TestNamespaceNotEntered(t *testing.T) {
	scene.Require(t)
	dir := forNobody(t)
	sleep := exec.Command("sleep", "60")
	sleep.SysProcAttr = nobody
	if err := scene.NewNetNS(t).Start(sleep); err != nil {
		t.Fatal(err)
	}
	defer sleep.Wait()
	defer sleep.Process.Kill()
	var words bytes.Buffer
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		cmd := exec.Command(dir + "/list")
		cmd.Dir, cmd.SysProcAttr = "/", nobody
		cmd.Env = append(os.Environ(), argsEnv+`=["-A","-t"]`, ownersEnv+"=auto")
		words.Reset()
		cmd.Stderr = &words
		cmd.Run()
		want := fmt.Sprintf("network namespace pid:%d cannot be entered", sleep.Process.Pid)
		if strings.Contains(words.String(), want) && cmd.ProcessState.ExitCode() == cli.ExitFailed {
			// Of what he cannot find either for want of privilege, he is told once.
			works := netns.Find(t.Context(), netns.Config{}).Partial == nil
			if !strings.Contains(words.String(), "could not be looked at: run as root\n") || works && strings.Contains(words.String(), "are not shown") {
				t.Errorf("%s", &words)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("status %v, %q, want %q", cmd.ProcessState, &words, want)
		}
	}
}
