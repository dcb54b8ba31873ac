package guest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sockeye-tools/sockeye/internal/guest/wire"
)

// Suite are test binaries, with what their tests read, ready to be run in guests.
type Suite struct {
	programs []wire.Program
	files    []File
	init     string
}

// A Package is one whose tests are run in guests.
type Package struct {
	Path string // below the module
	Run  string // -test.run; "" is all
	Skip string // -test.skip
}

// NewSuite builds sockeye and the packages' test binaries into dir, which must stay for as long as the suite is used.
func NewSuite(ctx context.Context, module, dir string, packages []Package) (*Suite, error) {
	files, err := sourceFiles(module)
	if err != nil {
		return nil, err
	}
	s := &Suite{files: files}
	if s.init, err = buildInit(ctx, module, dir); err != nil {
		return nil, err
	}
	sockeye := filepath.Join(dir, "sockeye")
	if err := build(ctx, module, sockeye, "build", "-trimpath", "./cmd/sockeye"); err != nil {
		return nil, err
	}
	s.files = append(s.files, File{Guest: binaries + "/sockeye", Host: sockeye})
	for _, p := range packages {
		host := filepath.Join(dir, strings.ReplaceAll(p.Path, "/", "_")+".test")
		if err := build(ctx, module, host, "test", "-c", "-ldflags=-s -w", "./"+p.Path); err != nil {
			return nil, err
		}
		at := path.Join(binaries, filepath.Base(host))
		args := []string{"-test.v", "-test.timeout=0"}
		if p.Run != "" {
			args = append(args, "-test.run="+p.Run)
		}
		if p.Skip != "" {
			args = append(args, "-test.skip="+p.Skip)
		}
		s.files = append(s.files, File{Guest: at, Host: host}, File{Guest: path.Join(source, p.Path, ".guest"), Link: binaries})
		s.programs = append(s.programs, wire.Program{Name: p.Path, Path: at, Args: args, Dir: path.Join(source, p.Path), Timeout: programTimeout})
	}
	return s, nil
}

const (
	// programTimeout is the longest that a package's tests may take in a guest.
	programTimeout = 5 * time.Minute
	// guestTimeout is the longest that a guest may take.
	guestTimeout = 15 * time.Minute
)

// A Row is what came of a suite in one kernel.
type Row struct {
	Kernel   *Kernel
	Result   *Result
	Verdicts []Verdict // one for each package
	Err      error     // the guest's own
}

// Run runs the suite in one guest, and says to progress what came of each package.
func (s *Suite) Run(ctx context.Context, k *Kernel, progress io.Writer) *Row {
	row := &Row{Kernel: k, Verdicts: make([]Verdict, len(s.programs))}
	for i, p := range s.programs {
		row.Verdicts[i].Failed = []string{p.Name + " was not reached"}
	}
	row.Result, row.Err = Run(ctx, Config{Kernel: k, Programs: s.programs, Files: s.files, Init: s.init, Timeout: guestTimeout,
		Env: []string{"SOCKEYE_BIN=" + binaries + "/sockeye"},
		Exit: func(e wire.Exit, output []byte) {
			v := ParseVerdict(output)
			if e.Code != 0 && len(v.Failed) == 0 {
				v.Failed = []string{strings.TrimSpace(fmt.Sprintf("(exit status %d %s)", e.Code, e.Reason))}
			}
			row.Verdicts[e.Program] = v
			fmt.Fprintf(progress, "Linux %s: %s: %d passed, %d failed, %d skipped, %.1f s\n", k.Release, s.programs[e.Program].Name, v.Passed, len(v.Failed),
				len(v.Skipped), e.Seconds)
		}})
	return row
}

// Failed is how many tests failed.
func (r *Row) Failed() (n int) {
	for _, v := range r.Verdicts {
		n += len(v.Failed)
	}
	return n
}

// mustRun are tests that a guest whose kernel has these modules has no reason to skip.
var mustRun = map[string][]string{
	"TestVSockFamily": {"vsock", "vsock_loopback", "vsock_diag"},
}

// Unexcused are the tests that were skipped though the guest has all that they need.
func (r *Row) Unexcused() (skips []Skip, err error) {
	if r.Result == nil {
		return nil, nil
	}
	modules, err := r.Kernel.modules()
	if err != nil {
		return nil, err
	}
	for _, m := range r.Result.Boot.Missing {
		name, _, _ := strings.Cut(m, ":")
		modules = slices.DeleteFunc(modules, func(m string) bool { return m == name })
	}
	for _, v := range r.Verdicts {
		for _, skip := range v.Skipped {
			needs := mustRun[skip.Test]
			if len(needs) > 0 && !slices.ContainsFunc(needs, func(m string) bool { return !slices.Contains(modules, m) }) {
				skips = append(skips, skip)
			}
		}
	}
	return skips, nil
}

// fact is what the tests found of that name.
func (r *Row) fact(name string) string {
	for _, v := range r.Verdicts {
		if text, ok := v.Facts[name]; ok {
			return text
		}
	}
	return "?"
}

// WriteTable writes the table of kernels, then which tests were skipped in which of them and why, and what failed.
func (s *Suite) WriteTable(w io.Writer, rows []*Row) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "KERNEL\tPASSED\tFAILED\tSKIPPED\tDUMPS\tOWNERS\tBOUND-INACTIVE\tSECONDS\tTO START\tCPU SECONDS")
	for _, r := range rows {
		passed, skipped, took, booted, cpu := 0, 0, 0.0, 0.0, 0.0
		for _, v := range r.Verdicts {
			passed += v.Passed
			skipped += len(v.Skipped)
		}
		if r.Result != nil {
			took, booted, cpu = r.Result.Took.Seconds(), r.Result.Booted.Seconds(), r.Result.CPU.Seconds()
		}
		fmt.Fprintf(tw, "%s\t%d\t%d\t%d\t%s\t%s\t%s\t%.0f\t%.0f\t%.0f\n", r.Kernel.Release, passed, r.Failed(), skipped, r.fact("dumps"), r.fact("owners"),
			r.fact("bound-inactive"), took, booted, cpu)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, r := range rows {
		fmt.Fprintf(w, "\n%s: handlers of %s; none of %s\n", r.Kernel.Release, r.fact("handlers"), r.fact("no handler"))
		if r.Result != nil && len(r.Result.Boot.Missing) > 0 {
			fmt.Fprintln(w, "  modules that could not be loaded:", strings.Join(r.Result.Boot.Missing, ", "))
		}
		reasons := map[string][]string{}
		for i, v := range r.Verdicts {
			for _, skip := range v.Skipped {
				reasons[skip.Reason] = append(reasons[skip.Reason], s.programs[i].Name+" "+skip.Test)
			}
		}
		for _, reason := range slices.Sorted(maps.Keys(reasons)) {
			tests := reasons[reason]
			more := ""
			if len(tests) > 3 {
				more = fmt.Sprintf(" and %d more", len(tests)-3)
			}
			fmt.Fprintf(w, "  skipped: %s (%s%s)\n", reason, strings.Join(tests[:min(3, len(tests))], ", "), more)
		}
	}
	for _, r := range rows {
		if r.Err != nil {
			fmt.Fprintf(w, "\n%s: %v\n", r.Kernel.Release, r.Err)
		}
		for i, v := range r.Verdicts {
			for _, name := range v.Failed {
				fmt.Fprintf(w, "FAILED in %s: %s %s\n", r.Kernel.Release, s.programs[i].Name, name)
			}
		}
	}
	return nil
}

// WriteOutputs writes what the tests wrote, a file for each package, into a folder of the kernel's below dir.
func (s *Suite) WriteOutputs(dir string, r *Row) error {
	if r.Result == nil {
		return nil
	}
	dir = filepath.Join(dir, r.Kernel.Suite)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for i, p := range s.programs {
		head := fmt.Sprintf("%s: exit status %d %s, %.1f s\n", p.Name, r.Result.Exits[i].Code, r.Result.Exits[i].Reason, r.Result.Exits[i].Seconds)
		name := filepath.Join(dir, strings.ReplaceAll(p.Name, "/", "_")+".log")
		if err := os.WriteFile(name, append([]byte(head), r.Result.Outputs[i]...), 0o666); err != nil {
			return err
		}
	}
	return nil
}
