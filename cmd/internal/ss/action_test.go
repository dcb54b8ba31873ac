package ss

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// inNS runs a command in a namespace: ss of iproute2, or ours where argv begins with "".
func inNS(t testing.TB, ns *scene.NetNS, env []string, argv ...string) result {
	t.Helper()
	return runIn(t, ns, nil, env, argv...)
}

func runIn(t testing.TB, ns *scene.NetNS, user *syscall.Credential, env []string, argv ...string) result {
	t.Helper()
	cmd := commandOf(t, env, argv...)
	if user != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: user}
		cmd.Dir = "/"
		if argv[0] == "" {
			cmd.Path = publicSelf(t)
		}
	}
	return command(t, ns, cmd)
}

func commandOf(t testing.TB, env []string, argv ...string) *exec.Cmd {
	t.Helper()
	// Without GORACE a program of ours would sleep for a second when it ends under the race detector.
	env = append([]string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "GORACE=" + os.Getenv("GORACE")}, env...)
	if argv[0] == "" {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, runAs+"="+strings.Join(argv[1:], " "))
		argv = []string{exe}
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = env
	return cmd
}

// publicSelf returns a copy of the test binary that every user can run.
func publicSelf(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sockeye-ss")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = errors.Join(os.WriteFile(filepath.Join(dir, "ss"), self, 0o755), os.Chmod(dir, 0o755))
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "ss")
}

// sorted returns the lines below the headings in order, with blanks folded: the kernel's order is another in each namespace.
func sorted(stdout string) []string {
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.Join(strings.Fields(l), " ")
	}
	slices.Sort(lines[1:])
	return lines
}

func TestTakeExplain(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		explain  bool
	}{
		{"ss -t", "ss -t", false},
		{"ss --explain -t", "ss -t", true},
		{"ss -t sport = 22 --explain", "ss -t sport = 22", true},
		{"ss -t -- --explain", "ss -t -- --explain", false},
		{"ss --ex", "ss --ex", false}, // --extended
	} {
		got, explain := takeExplain(strings.Fields(tt.in))
		if strings.Join(got, " ") != tt.want || explain != tt.explain {
			t.Errorf("%q: %q, %v", tt.in, got, explain)
		}
	}
}

func TestStrerror(t *testing.T) {
	_, err := os.Open("/no/such/file")
	if got := strerror(err); got != "No such file or directory" {
		t.Errorf("%q", got)
	}
	if got := strerror(errors.New("other")); got != "other" {
		t.Errorf("%q", got)
	}
}

// The words of -F stand behind those of the command line, and follow its language.
func TestFilterFile(t *testing.T) {
	p := peer(t)
	s := scene.New(t)
	file := filepath.Join(t.TempDir(), "filter")
	for _, tt := range []struct{ text, line string }{
		{"sport = 22\n", "-tan"},
		{"# a comment\n0 neither\nsport = 22", "-tan"},
		{"or dport = 22\n", "-tan sport = 22"},
		{"sport = 22\nor sport = 80\n\n", "-tan"},
		{"", "-tan"},
		{"sport = 22\n", "state listening -tan"},
		{"sport = 22 or\n", "-tan"},
		{"nonsense\n", "-tan"},
		{"sport = 22\n# " + strings.Repeat("long ", 1<<18), "-tan"},
	} {
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		args := append(strings.Fields(tt.line), "-F", file)
		run := func(program string) func() result {
			return func() result {
				r := inNS(t, s.NetNS, nil, append([]string{program}, args...)...)
				r.stderr, _, _ = strings.Cut(r.stderr, "Usage:")
				return r
			}
		}
		got, want := peers.Agree(run(""), run(p))
		if got != want {
			t.Errorf("%.50q, %s: %+v\nwant %+v", tt.text, tt.line, got, want)
		}
	}
	got, want := peers.Agree(
		func() result { return inNS(t, s.NetNS, nil, "", "-tan", "-F", "-") }, // stdin is /dev/null
		func() result { return inNS(t, s.NetNS, nil, p, "-tan") })
	if got != want {
		t.Errorf("empty stdin: %+v", got)
	}
}
