package guest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sockeye-tools/sockeye/internal/guest/wire"
)

// list is a flag that may be given more than once.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}

// RunCommand runs one program in one kernel, with what tests of the module read around it, and shows what it writes. It returns the
// program's exit status.
func RunCommand(ctx context.Context, args []string) (code int, err error) {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	out := flags.String("out", "", "`folder` for the files that the program leaves in /out")
	timeout := flags.Duration("timeout", 10*time.Minute, "time limit, with the start of the guest")
	memory := flags.Int("memory", 1024, "memory of the guest, MiB")
	dir := flags.String("dir", "", "working `folder` in the guest; a test's is its package's in /src, another program's is /root")
	var env, extra list
	flags.Var(&env, "env", "`NAME=VALUE` of the environment (may be given again)")
	flags.Var(&extra, "file", "`GUEST=HOST`, a file or folder (may be given again)")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0, nil
	case err != nil || flags.NArg() < 2:
		return 2, errors.Join(err, errors.New("run: which KERNEL and which PROGRAM?"))
	}
	module, err := Module()
	if err != nil {
		return 1, err
	}
	kernel, err := Open(module, flags.Arg(0))
	if err != nil {
		return 1, err
	}
	files, err := sourceFiles(module)
	if err != nil {
		return 1, err
	}
	// These are programs of the guest.
	program := wire.Program{Name: flags.Arg(1), Path: flags.Arg(1), Dir: "/root"}
	if !strings.HasPrefix(program.Path, "/usr/bin/") && !strings.HasPrefix(program.Path, binaries+"/") {
		p, file, err := testProgram(program.Path)
		if err != nil {
			return 1, err
		}
		program, files = p, append(files, file)
	}
	program.Args = flags.Args()[2:]
	if *dir != "" {
		program.Dir = *dir
	}
	files = append(files, File{Guest: program.Dir + "/.guest", Link: "/guest"}) // the folder exists
	for _, e := range extra {
		at, host, ok := strings.Cut(e, "=")
		if !ok {
			return 2, fmt.Errorf("run: -file %q is not GUEST=HOST", e)
		}
		files = append(files, File{Guest: at, Host: host})
	}
	sockeye := filepath.Join(module, "bin", "sockeye")
	if _, err := os.Stat(sockeye); err == nil {
		files = append(files, File{Guest: binaries + "/sockeye", Host: sockeye})
		env = append(list{"SOCKEYE_BIN=" + binaries + "/sockeye"}, env...)
	}
	res, err := Run(ctx, Config{Kernel: kernel, Programs: []wire.Program{program}, Files: files, Env: env, Timeout: *timeout, Memory: *memory, Out: *out,
		Output: func(_ int, data []byte) { os.Stdout.Write(data) }})
	if res != nil && res.Boot.Release != "" {
		e := res.Exits[0]
		fmt.Fprintf(os.Stderr, "Linux %s: exit status %d %s, %.1f s, the guest %.1f s, of them %.1f s to start", res.Boot.Release, e.Code, e.Reason, e.Seconds,
			res.Took.Seconds(), res.Booted.Seconds())
		fmt.Fprintln(os.Stderr)
		if len(res.Boot.Missing) > 0 {
			fmt.Fprintln(os.Stderr, "modules that could not be loaded:", strings.Join(res.Boot.Missing, ", "))
		}
	}
	if err != nil {
		return 1, err
	}
	if res.Exits[0].Code < 0 {
		return 1, nil
	}
	return res.Exits[0].Code, nil
}
