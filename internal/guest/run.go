package guest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/sockeye-tools/sockeye/internal/guest/wire"
)

// A File is what the guest has besides its programs: a file of the host, or a folder with all that is in it, or a symbolic link.
type File struct {
	Guest string // absolute
	Host  string
	Link  string // where it leads; then there is no Host
}

// A Config says what to run in a guest.
type Config struct {
	Kernel   *Kernel
	Programs []wire.Program // one after the other; the end of one ends all processes
	Files    []File
	Env      []string      // of all programs, besides PATH=/usr/bin and HOME=/root
	Timeout  time.Duration // of all, with the start; 0 is 5 minutes
	Memory   int           // MiB; 0 is 1024

	// Output is called with what a program writes, while it runs, and Exit when it has ended, with all that it wrote. They may be nil.
	Output func(program int, data []byte)
	Exit   func(e wire.Exit, output []byte)
	// Init is the program of process 1, if it is built already; with "" it is built.
	Init string
	// Out is the folder of the host where files that programs left in /out go; with "" they are lost.
	Out string
}

// A Result is what came of it.
type Result struct {
	Boot    wire.Boot
	Booted  time.Duration // from the start of qemu to the first program's
	Took    time.Duration // in all
	CPU     time.Duration // processor time of the emulator
	Exits   []wire.Exit   // one for each program
	Outputs [][]byte      // standard output and standard error of each program, in one
}

// consoleTail is how much of the console an error shows, bytes.
const consoleTail = 4 << 10

// Run boots the kernel, runs the programs, and ends the guest. Programs that fail are no error: their Exits say so. An error is that the
// guest did not come up, did not end in time, or could not do the job; its text has the end of the guest's console. The result is what
// there is until then. The guest ends with the context, and with the process.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	limit := cmp.Or(cfg.Timeout, 5*time.Minute)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "sockeye-guest-")
	if err != nil {
		return nil, fmt.Errorf("guest: %w", err)
	}
	defer os.RemoveAll(dir)
	initrd := filepath.Join(dir, "initrd")
	if err := writeInitrd(ctx, initrd, dir, &cfg); err != nil {
		return nil, fmt.Errorf("guest: %w", err)
	}
	console := filepath.Join(dir, "console")
	res := &Result{Exits: make([]wire.Exit, len(cfg.Programs)), Outputs: make([][]byte, len(cfg.Programs))}
	for i := range res.Exits {
		res.Exits[i] = wire.Exit{Program: i, Code: -1, Reason: "was not reached"}
	}
	if err := boot(ctx, &cfg, initrd, console, res); err != nil {
		if context.Cause(ctx) == context.DeadlineExceeded {
			err = errors.Join(fmt.Errorf("not done after %v: %w", limit, os.ErrDeadlineExceeded), err)
		}
		text, _ := os.ReadFile(console)
		return res, fmt.Errorf("guest %s: %w\n%s", cfg.Kernel.Release, err, text[max(0, len(text)-consoleTail):])
	}
	return res, nil
}

// writeInitrd writes all that the guest has.
func writeInitrd(ctx context.Context, path, dir string, cfg *Config) error {
	job, err := json.Marshal(wire.Job{Env: cfg.Env, Programs: cfg.Programs, NoFile: 20_000})
	if err != nil {
		return err
	}
	process1 := cfg.Init
	if process1 == "" {
		module, err := Module()
		if err != nil {
			return err
		}
		if process1, err = buildInit(ctx, module, dir); err != nil {
			return err
		}
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	a := newArchive(f)
	a.device("/dev/console", 0o600, 5, 1)
	for link, to := range map[string]string{"/bin": "usr/bin", "/sbin": "usr/bin", "/usr/sbin": "bin", "/lib": "usr/lib", "/lib64": "usr/lib/x86_64-linux-gnu"} {
		a.link(link, to)
	}
	a.tree("/init", process1)
	a.tree("/", filepath.Join(cfg.Kernel.dir, "root"))
	a.tree(wire.ModulesPath, filepath.Join(cfg.Kernel.dir, "modules"))
	for _, applet := range applets {
		a.link("/usr/bin/"+applet, "busybox")
	}
	for p, text := range map[string]string{
		"/etc/passwd":        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
		"/etc/group":         "root:x:0:\nnogroup:x:65534:\n",
		"/etc/hosts":         "127.0.0.1 localhost guest\n::1 localhost ip6-localhost ip6-loopback\n",
		"/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n",
		wire.JobPath:         string(job),
	} {
		a.text(p, 0o644, []byte(text))
	}
	for _, file := range cfg.Files {
		if file.Link != "" {
			a.link(file.Guest, file.Link)
			continue
		}
		a.tree(file.Guest, file.Host)
	}
	return errors.Join(a.close(), f.Close())
}

// applets are the programs that busybox is in the guest, for tests that run them.
var applets = []string{"sh", "cat", "chmod", "chroot", "cp", "dd", "echo", "env", "false", "find", "grep", "head", "id", "kill", "ln", "ls", "mkdir", "mount",
	"mv", "od", "ps", "readlink", "rm", "sed", "setsid", "sleep", "sort", "stty", "su", "tail", "test", "timeout", "touch", "true", "umount", "uname", "unshare",
	"wc", "which"}

func buildInit(ctx context.Context, module, dir string) (path string, err error) {
	path = filepath.Join(dir, "init")
	return path, build(ctx, module, path, "build", "./internal/guest/init")
}

// build runs the go command in the module: a static program for the guest.
func build(ctx context.Context, module, out string, verb string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{verb, "-o", out}, args...)...)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, text)
	}
	return nil
}

// boot runs qemu and hears what the guest says.
func boot(ctx context.Context, cfg *Config, initrd, console string, res *Result) error {
	// Pdeathsig is sent when the thread that started the process ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-accel", "tcg,thread=multi",
		"-cpu", "qemu64", "-smp", "2", "-m", strconv.Itoa(cmp.Or(cfg.Memory, 1024)),
		"-kernel", filepath.Join(cfg.Kernel.dir, "vmlinuz"), "-initrd", initrd,
		"-append", "console=ttyS0 quiet panic=-1 mitigations=off nokaslr", "-serial", "file:"+console,
		"-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
		"-chardev", "stdio,id=port,signal=off", "-device", "virtserialport,chardev=port,name="+wire.PortName)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	var words bytes.Buffer
	cmd.Stderr = &words
	cmd.WaitDelay = 5 * time.Second
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	err = hear(cfg, stdout, stdin, start, res)
	if err != nil {
		cancel() // it may not end by itself
	}
	ended := cmd.Wait()
	res.Took = time.Since(start)
	res.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	switch {
	case err != nil:
		return errors.Join(err, errors.New(words.String()))
	case ended != nil:
		return fmt.Errorf("qemu: %w: %s", ended, words.String())
	}
	return nil
}

// hear takes the guest's messages to the last.
func hear(cfg *Config, r io.Reader, w io.Writer, start time.Time, res *Result) error {
	files := out{dir: cfg.Out, seen: map[string]bool{}}
	dec := json.NewDecoder(r)
	for {
		var m wire.Message
		if err := dec.Decode(&m); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("the guest ended before its job: %w", err)
		}
		switch {
		case m.Boot != nil:
			res.Boot, res.Booted = *m.Boot, time.Since(start)
		case m.Output != nil && m.Output.Program < len(res.Outputs):
			res.Outputs[m.Output.Program] = append(res.Outputs[m.Output.Program], m.Output.Data...)
			if cfg.Output != nil {
				cfg.Output(m.Output.Program, m.Output.Data)
			}
		case m.Exit != nil && m.Exit.Program < len(res.Exits):
			res.Exits[m.Exit.Program] = *m.Exit
			if cfg.Exit != nil {
				cfg.Exit(*m.Exit, res.Outputs[m.Exit.Program])
			}
		case m.File != nil:
			if err := files.add(m.File); err != nil {
				return err
			}
		case m.Fault != "":
			return errors.New(m.Fault)
		case m.Done:
			_, err := io.WriteString(w, "\n") // now it may switch off
			return err
		}
	}
}

// out is the folder where the guest's files go.
type out struct {
	dir  string
	seen map[string]bool
}

func (o *out) add(f *wire.File) error {
	if o.dir == "" {
		return nil
	}
	if !filepath.IsLocal(f.Name) {
		return fmt.Errorf("file %q: not a name in a folder", f.Name)
	}
	path := filepath.Join(o.dir, f.Name)
	mode := os.O_WRONLY | os.O_APPEND
	if !o.seen[f.Name] {
		o.seen[f.Name] = true
		mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
	}
	w, err := os.OpenFile(path, mode, 0o666)
	if err != nil {
		return err
	}
	_, err = w.Write(f.Data)
	return errors.Join(err, w.Close())
}
