package guest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/guest/wire"
)

// fetched is the kernel that starts soonest, of those that are there.
func fetched(t *testing.T) *Kernel {
	t.Helper()
	module, err := Module()
	if err != nil {
		t.Fatal(err)
	}
	kernels, err := Kernels(module)
	switch {
	case errors.Is(err, os.ErrNotExist) && os.Getenv("SOCKEYE_REQUIRE_GUESTS") != "1":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	return kernels[min(1, len(kernels)-1)]
}

func TestRun(t *testing.T) {
	if os.Getenv("SOCKEYE_SLOW_TESTS") != "1" {
		t.Skip("starts a guest, which takes from 6 seconds on: set SOCKEYE_SLOW_TESTS=1")
	}
	k := fetched(t)
	module, err := Module()
	if err != nil {
		t.Fatal(err)
	}
	files, err := sourceFiles(module)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	host := filepath.Join(dir, "host")
	if err := os.WriteFile(host, []byte("of the host\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	files = append(files, File{Guest: "/some/where", Host: host}, File{Guest: "/some/link", Link: "where"})
	sh := func(script string) wire.Program {
		return wire.Program{Path: "/usr/bin/sh", Args: []string{"-c", script}, Dir: "/some", Timeout: time.Minute}
	}
	slow := sh("echo begun; sleep 1000")
	slow.Timeout = 30 * time.Second // long enough for it to begin
	out := filepath.Join(dir, "out")
	var streamed strings.Builder
	res, err := Run(t.Context(), Config{Kernel: k, Files: files, Env: []string{"SHARED=2"}, Out: out,
		Output: func(_ int, b []byte) { streamed.Write(b) },
		Programs: []wire.Program{
			sh("cat link; echo $SHARED >&2; id -u; exit 3"),
			slow,
			sh("sleep 1000 & echo $! >/tmp/left; head -c 100000 /dev/zero >/out/zeros; mkdir /out/sub; uname -r >/out/sub/release; : >/out/empty"),
			sh("kill -0 $(cat /tmp/left) || echo it has ended"),
			sh("/src/.peers/ss -V; /src/.peers/ss --no-such; /usr/bin/ss -V; /usr/bin/netstat -V 2>&1 | head -n 1"),
			sh("kill -9 $$"),
			{Path: "/not/there"},
		}})
	if err != nil {
		t.Fatal(err)
	}
	if res.Boot.Release != k.Release || res.Boot.CPUs != 2 || len(res.Boot.Missing) > 0 {
		t.Errorf("%+v, want %s, 2 processors, and all modules", res.Boot, k.Release)
	}
	for i, want := range []struct {
		code           int
		reason, output string
	}{
		{3, "", "of the host\n2\n0\n"},
		{-1, "not done after 30s", "begun\n"},
		{0, "", ""},
		{0, "", "it has ended\n"},
		{0, "", "ss utility, iproute2-7"},
		{-1, "killed by SIGKILL", ""},
		{-1, "start /not/there: no such file or directory", ""},
	} {
		e, text := res.Exits[i], string(res.Outputs[i])
		if e.Program != i || e.Code != want.code || e.Reason != want.reason || e.Seconds < 0 {
			t.Errorf("program %d: %+v, want %d %q\n%s", i, e, want.code, want.reason, text)
		}
		if i == 4 {
			if !strings.HasPrefix(text, want.output) || !strings.Contains(text, "\nss: unrecognized option '--no-such'\n") ||
				strings.Count(text, "ss utility, iproute2-") != 2 || !strings.Contains(text, "net-tools") {
				t.Errorf("the peers say %q", text)
			}
		} else if !strings.HasSuffix(text, want.output) || want.output == "" && text != "" {
			t.Errorf("program %d says %q, want %q", i, text, want.output)
		}
	}
	var all strings.Builder
	for _, b := range res.Outputs {
		all.Write(b)
	}
	if streamed.String() != all.String() {
		t.Errorf("streamed %q, collected %q", streamed.String(), all.String())
	}
	for name, want := range map[string]string{"zeros": strings.Repeat("\x00", 100_000), "sub/release": k.Release + "\n", "empty": ""} {
		if b, err := os.ReadFile(filepath.Join(out, name)); err != nil || string(b) != want {
			t.Errorf("%s: %d bytes, %v, want %d", name, len(b), err, len(want))
		}
	}
}

// emulated is for a guest whose emulator is a shell script, which writes its process id to the file pid first.
func emulated(t *testing.T, script string) (cfg Config, pid string) {
	t.Helper()
	dir := t.TempDir()
	for _, sub := range []string{"root/usr/bin", "modules", "bin"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	pid = filepath.Join(dir, "pid")
	script = "#!/bin/sh\necho $$ >" + pid + ".new; mv " + pid + ".new " + pid + "\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(dir, "bin", "qemu-system-x86_64"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
	k := &Kernel{Suite: "none", Release: "0.0", dir: dir}
	return Config{Kernel: k, Programs: []wire.Program{{Path: "/usr/bin/true"}}, Timeout: time.Minute,
		Init: filepath.Join(dir, "bin", "qemu-system-x86_64")}, pid // any file
}

func TestRunFaults(t *testing.T) {
	console := `for a; do case $a in file:*) echo "Kernel panic - not syncing" >"${a#file:}";; esac; done; `
	for _, tt := range []struct {
		name, script, want string
		late               bool
	}{
		{"does not start", "echo no such machine >&2; exit 1", "no such machine", false},
		{"dies", console + "exit 0", "guest 0.0: the guest ended before its job: unexpected EOF\n\nKernel panic - not syncing\n", false},
		{"dies in a message", `printf '{"Boot"'`, "unexpected EOF", false},
		{"says nonsense", "echo words", "invalid character", false},
		{"is at fault", `echo '{"Boot":{"Release":"1.2"}}{"Fault":"mount /proc: no"}'; read x`, "mount /proc: no", false},
		{"cannot switch off", `echo '{"Done":true}'; read x; exit 9`, "qemu: exit status 9", false},
		{"does not end", "exec sleep 100", "not done after 1s", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg, _ := emulated(t, tt.script)
			if tt.late {
				cfg.Timeout = time.Second
			}
			res, err := Run(t.Context(), cfg)
			if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, os.ErrDeadlineExceeded) != tt.late {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if res != nil && (len(res.Exits) != 1 || res.Exits[0].Code != -1 || res.Exits[0].Reason != "was not reached") {
				t.Errorf("exits %+v", res.Exits)
			}
		})
	}
}

// The emulator ends with the context.
func TestRunIsCancelled(t *testing.T) {
	cfg, pid := emulated(t, "exec sleep 1000")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() {
		_, err := Run(ctx, cfg)
		ended <- err
	}()
	var number int
	for number == 0 {
		select {
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(10 * time.Millisecond):
		}
		if b, err := os.ReadFile(pid); err == nil {
			if number, err = strconv.Atoi(strings.TrimSpace(string(b))); err != nil {
				t.Fatal(err)
			}
		}
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("no error")
	}
	if err := unix.Kill(number, 0); err != unix.ESRCH {
		t.Errorf("the emulator is still there: %v", err)
	}
}

func TestOut(t *testing.T) {
	dir := t.TempDir()
	o := out{dir: dir, seen: map[string]bool{}}
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("of before"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, f := range []wire.File{{Name: "a"}, {Name: "a", Data: []byte("12")}, {Name: "a", Data: []byte("34")}, {Name: "b/c", Data: []byte("5")}} {
		if err := o.add(&f); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"a": "1234", "b/c": "5"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	for _, name := range []string{"../x", "/x", "a/../../x", ""} {
		if err := o.add(&wire.File{Name: name}); err == nil {
			t.Errorf("%q was written", name)
		}
	}
}
