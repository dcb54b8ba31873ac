package list

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
)

// openPTY returns both ends of a pseudo terminal.
func openPTY(t *testing.T, rows, columns uint16) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("needs pseudo terminals: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Skipf("needs pseudo terminals: %v", err)
	}
	t.Cleanup(func() { slave.Close() })
	resize(t, master, rows, columns)
	return master, slave
}

func resize(t *testing.T, master *os.File, rows, columns uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}); err != nil {
		t.Fatal(err)
	}
}

// command is the verb as a process with this environment alone.
func command(t *testing.T, environ []string, args ...string) *exec.Cmd {
	t.Helper()
	b, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(environ, argsEnv+"="+string(b))
	return cmd
}

// onTerminal runs the verb on a terminal and returns what it shows.
func onTerminal(t *testing.T, ns *scene.NetNS, columns uint16, environ []string, args ...string) string {
	t.Helper()
	master, slave := openPTY(t, 24, columns)
	cmd := command(t, environ, args...)
	cmd.Stdout = slave
	done := make(chan string)
	go func() {
		var b bytes.Buffer
		b.ReadFrom(master) // ends with EIO when nobody has the other end
		done <- b.String()
	}()
	err := ns.Run(cmd)
	slave.Close()
	text := <-done
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(text, "\r\n", "\n")
}

func onPipe(t *testing.T, ns *scene.NetNS, environ []string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	cmd := command(t, environ, args...)
	cmd.Stdout = &out
	if err := ns.Run(cmd); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var styled = regexp.MustCompile("\x1b\\[[0-9;]*m")

func unstyled(s string) string { return styled.ReplaceAllString(s, "") }

// faulty is a namespace with a socket in CLOSE-WAIT, one that was not read from, and a full accept queue.
func faulty(t *testing.T) *tcp {
	n := newTCP(t)
	n.in(func() error {
		lfd, err := n.listen("127.0.0.1:8080", 16)
		var client int
		if err == nil {
			client, _, err = n.pair(lfd, "127.0.0.1:40001", "127.0.0.1:8080")
		}
		if err == nil {
			_, err = unix.Write(client, make([]byte, 99))
		}
		if err == nil {
			err = unix.Shutdown(client, unix.SHUT_WR)
		}
		if err == nil {
			err = await(client, diag.FinWait2)
		}
		return err
	})
	return n
}

func TestWantsColor(t *testing.T) {
	_, slave := openPTY(t, 24, 80)
	end, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer end.Close()
	defer pipe.Close()
	term := []string{"TERM=xterm"}
	for _, tt := range []struct {
		environ  []string
		flag     string
		terminal bool // colours there
		pipe     bool
	}{
		{term, "", true, false},
		{term, "--color", true, true},
		{term, "--color=always", true, true},
		{term, "--color=auto", true, false},
		{term, "--color=never", false, false},
		{[]string{"TERM=dumb"}, "", false, false},
		{nil, "", false, false},
		{[]string{"TERM=dumb"}, "--color=always", true, true},
		{append(term, "NO_COLOR=1"), "", false, false},
		{append(term, "NO_COLOR="), "", true, false},
		{append(term, "NO_COLOR=1"), "--color=always", true, true},
		{append(term, "CLICOLOR=0"), "", false, false},
		{append(term, "CLICOLOR_FORCE=1"), "", true, true},
		{append(term, "CLICOLOR_FORCE=0"), "", true, false},
		{append(term, "CLICOLOR_FORCE=1", "NO_COLOR=1"), "", false, false},
		{append(term, "CLICOLOR_FORCE=1"), "--color=never", false, false},
	} {
		o, _, err := Parse(strings.Fields(tt.flag))
		if err != nil {
			t.Fatal(err)
		}
		env := &cli.Env{Stdout: slave, Getenv: func(name string) string {
			for _, v := range tt.environ {
				if value, ok := strings.CutPrefix(v, name+"="); ok {
					return value
				}
			}
			return ""
		}}
		if got := wantsColor(env, o.Color); got != tt.terminal {
			t.Errorf("%q %s: colours on a terminal: %v", tt.environ, tt.flag, got)
		}
		env.Stdout = pipe
		if got := wantsColor(env, o.Color); got != tt.pipe {
			t.Errorf("%q %s: colours on a pipe: %v", tt.environ, tt.flag, got)
		}
	}
}

// Colours are on a terminal alone unless they are asked for, and change nothing but colours.
func TestColor(t *testing.T) {
	n := faulty(t)
	term := []string{"TERM=xterm"}
	for _, args := range [][]string{{}, {"-c", "+lost,rtt"}, {"-o", "wide"}, {"-s", "recv_q:desc"}, {"-g", "state"}, {"--summary"}} {
		plain := onPipe(t, n.ns, term, args...)
		if strings.ContainsRune(plain, '\x1b') {
			t.Errorf("%q: colours on a pipe: %q", args, plain)
		}
		got := onTerminal(t, n.ns, 500, term, args...)
		if unstyled(got) != plain {
			t.Errorf("%q: on a terminal\n%s\non a pipe\n%s", args, got, plain)
		}
		for _, want := range []string{"\x1b[1m", "\x1b[31m", "\x1b[2m"} { // a heading, close-wait, fin-wait-2
			if !strings.Contains(got, want) {
				t.Errorf("%q: no %q in\n%q", args, want, got)
			}
		}
	}
	for _, format := range []string{"json", "ndjson", "csv", "tsv"} {
		if out := onPipe(t, n.ns, term, "-o", format, "--color=always"); strings.ContainsRune(out, '\x1b') {
			t.Errorf("%s is coloured: %q", format, out)
		}
	}
}

// Lines fit the terminal, whatever is coloured in them.
func TestColorFitsTheTerminal(t *testing.T) {
	n := faulty(t)
	whole := strings.Split(onPipe(t, n.ns, nil), "\n")
	for _, columns := range []uint16{1, 2, 3, 4, 9, 17, 24, 40, 79} {
		out := onTerminal(t, n.ns, columns, []string{"TERM=xterm"})
		lines := strings.Split(unstyled(out), "\n")
		if len(lines) != len(whole) {
			t.Fatalf("%d columns: %d lines, want %d", columns, len(lines), len(whole))
		}
		for i, line := range lines {
			if got, most := utf8.RuneCountInString(line), min(int(columns), len(whole[i])); got != most {
				t.Errorf("%d columns: %q has %d", columns, line, got)
			}
			if rest := strings.TrimRight(line, "."); !strings.HasPrefix(whole[i], rest) {
				t.Errorf("%d columns: %q is not the beginning of %q", columns, line, whole[i])
			}
		}
		for line := range strings.SplitSeq(out, "\n") { // no style goes on into the next line
			if last := styled.FindAllString(line, -1); len(last) > 0 && last[len(last)-1] != "\x1b[0m" {
				t.Errorf("%d columns: %q", columns, line)
			}
		}
	}
}

// With --watch a terminal is drawn anew when its size changes, in the new size.
func TestWatchFollowsTheSize(t *testing.T) {
	n := faulty(t)
	master, slave := openPTY(t, 24, 200)
	cmd := command(t, []string{"TERM=xterm"}, "--watch", "1h", "-t")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := n.ns.Start(cmd); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	stop := time.AfterFunc(60*time.Second, func() { cmd.Process.Kill() })
	defer stop.Stop()
	slave.Close()
	in := bufio.NewReader(master)
	frame := func() []string { // up to where the rest of the screen is cleared
		text := ""
		for !strings.HasSuffix(text, clearBelow) {
			b, err := in.ReadByte()
			if err != nil {
				t.Fatalf("%v behind %q", err, text)
			}
			text += string(b)
		}
		text = strings.NewReplacer(clearAll, "", home, "", clearLine, "", clearBelow, "", "\r\n", "\n").Replace(text)
		return strings.Split(strings.TrimSuffix(unstyled(text), "\n"), "\n")
	}
	wide := frame()
	if len(wide) != 4 || !strings.Contains(wide[0], "OWNER") { // headings, the listener, both ends
		t.Fatalf("%q", wide)
	}
	resize(t, master, 24, 60)
	for { // what has changed is seen, if no longer who has it
		narrow := frame() // fails the test in the end
		if f := strings.Fields(narrow[0]); len(narrow[0]) == 60 && slices.Contains(f, "CHANGE") && !slices.Contains(f, "OWNER") {
			break
		}
		t.Logf("not yet: %q", narrow)
	}
	resize(t, master, 4, 30)
	for {
		narrow := frame() // fails the test in the end
		if len(narrow) == 3 && strings.HasSuffix(narrow[0], "...") && utf8.RuneCountInString(narrow[0]) == 30 && narrow[2] == "... and 2 more" {
			return
		}
		t.Logf("not yet: %q", narrow)
	}
}
