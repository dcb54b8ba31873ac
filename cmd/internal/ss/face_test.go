package ss

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/leak"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// runAs, in the environment, makes the test binary run a command line of ss instead of the tests: as another user, or with a
// terminal.
const runAs = "SOCKEYE_TEST_SS"

func TestMain(m *testing.M) {
	if line, ok := os.LookupEnv(runAs); ok {
		os.Exit(Main(&cli.Env{
			Ctx: context.Background(), Args: append([]string{"ss"}, strings.Fields(line)...), Stdin: os.Stdin, Stdout: os.Stdout,
			Stderr: os.Stderr, Getenv: os.Getenv,
		}))
	}
	os.Exit(leak.Wrap(m).Run())
}

// peer returns the path of ss of iproute2 7.3.
func peer(t testing.TB) string {
	t.Helper()
	path, err := filepath.Abs("../../../.peers/ss")
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		if os.Getenv("SOCKEYE_REQUIRE_PEERS") == "1" {
			t.Fatal(err)
		}
		t.Skip("needs ss of iproute2 7.3: run make peers")
	}
	return path
}

// command runs a command in a namespace.
func command(t testing.TB, ns *scene.NetNS, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := ns.Run(cmd)
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatalf("%v: %v", cmd, err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// theirs runs a command line of ss in the scene.
func theirs(t testing.TB, s *scene.Scene, columns string, args ...string) result {
	t.Helper()
	cmd := exec.Command(peer(t), args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "COLUMNS=" + columns}
	return command(t, s.NetNS, cmd)
}

// moving are numbers that grow while the sockets rest, and with them the width of the extensions.
var moving = regexp.MustCompile(`(?m)(busy|rwnd_limited|sndbuf_limited|lastsnd|lastrcv|lastack|last_data_sent|last_data_recv|last_ack_recv|rcv_rtt):[0-9.]+(ms)?(\([0-9.]+%\))?|timer:\([a-z]+,[^,]*,| +$`)

func still(s string) string { return moving.ReplaceAllString(s, "$1") }

// lines are command lines of the tables, states, columns and filters that ss has.
var lines = []string{
	"-t", "-ta", "-tan", "-tl", "-tln", "-tlnp", "-tanp", "-tB", "-tBn", "-tanH", "-tanQ", "-tanHQ", "-tanO", "-tanHQOp",
	"-u", "-ua", "-uan", "-ul", "-uln", "-ulnp", "-uanp", "-w", "-wa", "-wan", "-wlnp", "-M", "-Ma", "-Man", "-Mln", "-Manp", "-S", "-San",
	"-tu", "-tua", "-tuln", "-tulpn", "-tuanp", "-uw", "-uwan", "-tw", "-uM", "-tM", "-tMan", "-tuwSMan", "-tuwSMl", "-tSa",
	"-4", "-6", "-4a", "-6a", "-4an", "-6an", "-4l", "-6l", "-4t", "-6u", "-4uan", "-6tan", "-f inet -tan", "-f inet6 -tan", "-6Man",
	"-A tcp", "-A udp", "-A udp -an", "-A inet", "-A inet -an", "-A inet -ln", "-A tcp,udp -a", "-A inet,!tcp -an", "-A raw -a",
	"-t -A udp -an", "-A udp -t -an", "-A tcp -A udp -an", "-A tcp,!tcp -6",
	"-tano", "-tao", "-tuano", "-tane", "-tuane", "-taneo", "-uane", "-wane", "-Mane", "-tanep", "-uanep", "-taneO", "-taneH", "-tanpeO",
	"-tam", "-tanm", "-tuanm", "-uanm", "-wanm", "-Manm", "-tanmO", "-tanmH", "-tanpm",
	"-tai", "-tani", "-taniO", "-tanie", "-tanoi", "-uani", "-wani", "-Mani", "-ManiO", "-tanip", "-tuwSMani",
	"-tanoemip", "-tanoemipO", "-tanoemipHQO", "-uanoemip", "-wanoemip", "-Manoemip", "-tuwSMaoemip", "-tuwSManoemipO",
	"-tan --tos", "-tuanO --tos", "-tane --tos", "-tan --cgroup", "-tane --cgroup", "-tan --inet-sockopt", "-tuanO --inet-sockopt",
	"-tan --tos --cgroup --inet-sockopt", "-tuwSManoemipO --tos --cgroup --inet-sockopt",
	"-tr", "-tanr", "-tar4", "-uanr", "-tlr6",
	"-tn state established", "-tn state listening", "-tuan state listening", "-tn state time-wait", "-tno state time-wait",
	"-tn state syn-sent", "-tn state syn-recv", "-tn state fin-wait-1", "-tn state fin-wait-2", "-tn state close-wait",
	"-tn state last-ack", "-tn state closing", "-tn state closed", "-tn state bound-inactive", "-tn state unknown",
	"-tn state all", "-tn state connected", "-tn state synchronized", "-tn state bucket", "-tn state big", "-tn exclude all",
	"-tn exclude established", "-tn exclude listening exclude time-wait", "-tn excl connected", "-tn state established state listening",
	"-un state unconnected", "-un state established", "-Mn state listening", "-Mn state established", "-uan exclude established",
	"-tnl state established", "-tnB state all", "-tneo state time-wait", "-tneo state syn-recv", "-tnip state fin-wait-2",
	"-tan sport = 22", "-tan sport = :22", "-tan dport = 22", "-tan ( sport = 22 or dport = 22 )", "-tan not sport = 22",
	"-tan src 127.0.0.1", "-tan src 127.0.0.0/8", "-tan dst 127.0.0.1", "-tan src [::1]", "-tan src [::1] or src 127.0.0.1", "-tan src inet6:*",
	"-tan not src 127.0.0.1", "-tan sport > 1024", "-tan sport ge 1024 and dport lt 1024", "-tan dport != 22", "-tan sport >= :40000",
	"-tan dev lo", "-tan not dev lo", "-tan not dev lo:1", "-tan dev lo:twelve-longer", "-tan dev = 1", "-uan dev lo", "-uan sport = 53", "-tan fwmark = 0", "-tan fwmark != 0", "-tan autobound", "-uan autobound",
	"-4tan src 127.0.0.1", "-6tan sport gt 0", "-tan dst 0.0.0.0/0", "-tan dst inet:*", "-tuan sport lt 1024 -p", "-A inet -an sport = 22",
	"-tan src unix:x", "-4 src unix:x", "-tan state listening sport = 22", "-Man sport gt 1024", "-tanp src 127.0.0.1 -e",
}

// TestFace runs command lines beside ss, in a namespace with sockets of every kind. ss runs before and after: where it prints the
// same twice, every byte has to be equal, and where numbers moved meanwhile all but those. If it does not agree with itself, a
// socket changed, and the three run again.
func TestFace(t *testing.T) {
	peer(t)
	s := scene.New(t)
	test := func(columns, line string) {
		args := strings.Fields(line)
		var got, before result
		for strikes, begin := 0, time.Now(); !peers.Enough(strikes, time.Since(begin)); {
			before = theirs(t, s, columns, args...)
			if err := s.Do(func() { got = ours(t, columns, args...) }); err != nil {
				t.Fatal(err)
			}
			after := theirs(t, s, columns, args...)
			if before != after {
				for _, r := range []*result{&before, &got, &after} {
					r.stdout = still(r.stdout)
				}
			}
			if before == after && got == before {
				return
			}
			if before == after {
				strikes++
			}
		}
		t.Errorf("COLUMNS=%s ss %s: status %d, stderr %q, want %d, %q\n%s", columns, line, got.status, got.stderr,
			before.status, before.stderr, firstDiff(got.stdout, before.stdout))
	}
	for i, line := range lines {
		if t.Failed() {
			t.Fatal("the other command lines are not run")
		}
		test("", line)
		test([]string{"60", "80", "132", "200"}[i%4], line)
	}
}

// firstDiff shows where two outputs part.
func firstDiff(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d:\n got %q\nwant %q", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// TestFaceBothFamilies: ss -4 -6 shows the last family alone; here both are shown, as asked for.
func TestFaceBothFamilies(t *testing.T) {
	s := scene.New(t)
	var both, all result
	if err := s.Do(func() { both, all = ours(t, "", "-4", "-6", "-tln"), ours(t, "", "-tln") }); err != nil {
		t.Fatal(err)
	}
	if both != all || !strings.Contains(both.stdout, "\nLISTEN") {
		t.Errorf("-4 -6 -tln: %+v\nwant %+v", both, all)
	}
}

// TestFaceUnprivileged: who may not see owners is told so, once.
func TestFaceUnprivileged(t *testing.T) {
	s := scene.New(t)
	nobody := &syscall.Credential{Uid: 65534, Gid: 65534}
	run := func(line string) result { return runIn(t, s.NetNS, nobody, nil, "", line) }
	plain, got, records := run("-tln"), run("-tlnp"), run("-tlnp --output ndjson")
	const hint = "ss: owners of other users' sockets are not shown: run as root\n"
	if got.stderr != hint || got.status != 0 || strings.Contains(got.stdout, "users:") {
		t.Errorf("-tlnp: stderr %q, status %d\n%s", got.stderr, got.status, got.stdout)
	}
	if records.stderr != hint || records.status != 0 || strings.Count(records.stdout, "\n") != strings.Count(plain.stdout, "\n")-1 {
		t.Errorf("-tlnp --output ndjson: stderr %q, status %d\n%s", records.stderr, records.status, records.stdout)
	}
	if plain.stderr != "" || strings.Count(got.stdout, "\n") != strings.Count(plain.stdout, "\n") {
		t.Errorf("-tln: stderr %q, %d lines, with owners %d", plain.stderr, strings.Count(plain.stdout, "\n"), strings.Count(got.stdout, "\n"))
	}
}

// TestFaceTerminal: on a terminal the rows have its width.
func TestFaceTerminal(t *testing.T) {
	p := peer(t)
	s := scene.New(t)
	for _, columns := range []uint16{60, 97, 180} {
		on := func(cmd *exec.Cmd) string {
			master, slave := openPTY(t, columns)
			cmd.Stdout, cmd.Stderr = slave, slave
			done := make(chan string)
			go func() {
				var b bytes.Buffer
				b.ReadFrom(master) // ends with EIO when nobody has the other end
				done <- b.String()
			}()
			if err := s.Run(cmd); err != nil {
				t.Fatal(err)
			}
			slave.Close()
			return <-done
		}
		theirs := exec.Command(p, "-tlnp")
		self := commandOf(t, []string{"COLUMNS=20"}, "", "-tlnp")
		if got, want := on(self), on(theirs); got != want {
			t.Errorf("%d columns:\n%s\nwant\n%s", columns, strconv.Quote(got), strconv.Quote(want))
		}
	}
}
