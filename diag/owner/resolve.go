package owner

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/ctxerr"
)

// manyFiles is the number of open files on the host from which loading a BPF
// program costs less than reading every link in /proc/PID/fd.
const manyFiles = 8000

// userHZ is the unit of times in /proc, clock ticks a second, on all
// architectures that Go supports.
const userHZ = 100

// A Config configures Resolve. The zero value is useful.
type Config struct {
	// Backend to use. Auto, the zero value, falls back from BPF to Proc
	// silently; BPF does not fall back.
	Backend Backend

	// Proc is where procfs is mounted, "" for /proc. It can be a tree of
	// ordinary files and links of the same layout; BPF needs the real one.
	Proc string

	// Workers is how many goroutines look, 0 for GOMAXPROCS. Each opens up to
	// two files at a time.
	Workers int
}

// Resolve finds the processes that hold the sockets with the given inodes, or
// all sockets if want is nil. A nil cfg is the zero Config.
//
// All descriptors of a wanted socket are found, so that Resolve looks at all
// processes however few sockets are wanted; if none is (want is empty but not
// nil, or holds only 0), it looks at nothing. The scan is not atomic: a
// descriptor that is opened or closed meanwhile can be in the Table or not.
//
// Where Auto finds that nothing can be looked into (there is no /proc, or no
// descriptor is left), the Table is empty, its Backend None, Denied 1, and
// Reason says why. Otherwise that is an error.
//
// Errors match os.ErrPermission when the forced BPF backend is not permitted,
// and errors.ErrUnsupported when the kernel does not have it or the proc mount
// shows another pid namespace than that of the caller. Where ctx is done they
// match its error and cause.
func Resolve(ctx context.Context, cfg *Config, want []uint32) (*Table, error) {
	if cfg == nil {
		cfg = &Config{}
	}
	t := &Table{
		root:      cfg.Proc,
		ticks:     bootTicks(),
		processes: make(map[int32]*Process),
	}
	if t.root == "" {
		t.root = "/proc"
	}
	set := newInodeSet(want)
	if cfg.Backend == None || set != nil && set.n == 0 {
		t.backend, t.reason = None, "no owner is wanted"
		return t, ctxerr.Of(ctx)
	}
	err := t.look(ctx, cfg, set)
	switch {
	case err == nil:
		return t, nil
	case cfg.Backend == Auto && cfg.Proc == "" && ctx.Err() == nil:
		// A jail without /proc, or hardly any descriptors: no owner is known.
		line, _, _ := strings.Cut(err.Error(), "\n")
		t.backend, t.reason, t.denied = None, line, 1
		return t, nil
	}
	if ctx.Err() != nil { // err may be why BPF could not be used, behind which nothing was tried
		err = ctxerr.Of(ctx)
	}
	return nil, fmt.Errorf("owner: %w", err)
}

// look opens the proc mount and scans.
func (t *Table) look(ctx context.Context, cfg *Config, want *inodeSet) error {
	fs, err := openProcFS(t.root)
	if err != nil {
		return err
	}
	defer fs.close()
	return t.scan(ctx, cfg, fs, want)
}

// scan runs the backend that cfg asks for, or else the cheapest.
func (t *Table) scan(ctx context.Context, cfg *Config, fs *procFS, want *inodeSet) error {
	switch cfg.Backend {
	case BPF:
		t.reason = "forced"
		return t.scanBPF(ctx, cfg, fs, want)
	case Proc:
		t.reason = "forced"
		return t.scanProc(ctx, cfg, fs, want)
	case Auto:
	default:
		return fmt.Errorf("%v: invalid backend", cfg.Backend)
	}
	var backend Backend
	if backend, t.reason = fs.cheapest(); backend == Proc {
		return t.scanProc(ctx, cfg, fs, want)
	}
	err := t.scanBPF(ctx, cfg, fs, want)
	if err == nil || ctx.Err() != nil {
		return err
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	t.reason += "; " + line
	return t.scanProc(ctx, cfg, fs, want)
}

// cheapest says which backend is tried first, and why.
func (fs *procFS) cheapest() (Backend, string) {
	files, err := fs.openFiles()
	switch {
	case err != nil:
		return BPF, "unknown number of open files"
	case files < manyFiles:
		return Proc, fmt.Sprintf("%d open files, few", files)
	}
	return BPF, fmt.Sprintf("%d open files, many", files)
}

// Plan says which backend Resolve would try first, and why. It looks at no process.
func Plan(cfg *Config) (b Backend, why string) {
	if cfg == nil {
		cfg = &Config{}
	}
	if cfg.Backend != Auto {
		return cfg.Backend, "forced"
	}
	root := cfg.Proc
	if root == "" {
		root = "/proc"
	}
	fs, err := openProcFS(root)
	if err != nil {
		return BPF, err.Error()
	}
	defer fs.close()
	return fs.cheapest()
}

func (t *Table) scanBPF(ctx context.Context, cfg *Config, fs *procFS, want *inodeSet) error {
	if !fs.own {
		return fmt.Errorf("bpf: %s does not show the pid namespace of this process: %w", fs.root, unix.EOPNOTSUPP)
	}
	found, err := scanBPF(ctx, fs, want, cfg.Workers)
	if err != nil {
		return fmt.Errorf("bpf: %w", err)
	}
	t.backend = BPF
	t.fill(found)
	return nil
}

func (t *Table) scanProc(ctx context.Context, cfg *Config, fs *procFS, want *inodeSet) error {
	found, denied, err := scanProc(ctx, fs, want, cfg.Workers)
	if err != nil {
		return err
	}
	t.backend, t.denied = Proc, denied
	t.fill(found)
	return nil
}

// bootTicks returns the time since boot in the unit of starttime in
// proc_pid_stat(5).
func bootTicks() uint64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
		return 0 // no process is known to be older than the scan
	}
	return uint64(time.Duration(ts.Nano()) / (time.Second / userHZ))
}
