// Package bench is the verb that times sockeye beside other programs, on the user's own host or in labs of many sockets.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/sockeye-tools/sockeye/bench"
	"github.com/sockeye-tools/sockeye/bench/lab"
	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/getopt"
)

// face is one run of the verb.
type face struct {
	env *cli.Env
	exe string // sockeye itself
}

// Main runs "sockeye bench". env.Args[0] is "bench".
func Main(env *cli.Env) int {
	exe, err := os.Executable()
	if err != nil {
		fmt.Fprintf(env.Stderr, "sockeye: bench: %v\n", err)
		return cli.ExitFailed
	}
	f := &face{env, exe}
	if len(env.Args) > 1 {
		switch rest := env.Args[2:]; env.Args[1] {
		case "floor":
			return f.floor(rest)
		case "impact":
			return f.impact(rest)
		case "lab":
			return f.lab(rest)
		case "run":
			return f.run(rest)
		}
	}
	return f.compare(env.Args[1:])
}

// usageError is one that the command line is to blame for.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errHelp means that the help was asked for.
var errHelp = errors.New("help")

// stopped is the signal that ended a benchmark.
type stopped struct{ sig syscall.Signal }

func (s stopped) Error() string { return s.sig.String() }

// end says what went wrong, and returns the exit status.
func (f *face) end(err error, help string) int {
	if s, ok := errors.AsType[stopped](err); ok {
		return 128 + int(s.sig)
	}
	if err == errHelp {
		return f.env.Print(help)
	}
	if err == nil {
		return cli.ExitOK
	}
	fmt.Fprintf(f.env.Stderr, "sockeye: bench: %v\n", err)
	if _, ok := errors.AsType[usageError](err); ok {
		return cli.ExitUsage
	}
	return cli.ExitFailed
}

// stopSignals are those by which a user ends a benchmark.
var stopSignals = []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}

// stoppable returns a context that ends at a signal. What runs then has process groups of its own, and has to be ended.
func (f *face) stoppable() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(f.env.Ctx)
	sigs := make(chan os.Signal, 1)
	for _, s := range stopSignals {
		signal.Notify(sigs, s)
	}
	go func() {
		select {
		case s := <-sigs:
			cancel(stopped{s.(syscall.Signal)})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(sigs)
		cancel(nil)
	}
}

// sockeye is the command of sockeye itself, with what its own command line says for all verbs.
func (f *face) sockeye() []string {
	if b := f.env.Owners.Backend; b != owner.Auto {
		return []string{f.exe, "--owners=" + b.String()}
	}
	return []string{f.exe}
}

// option is one that a verb takes.
type option struct {
	long string
	arg  getopt.ArgKind
	set  func(value string) error
}

// parse takes a command line apart and returns the words that are not options. With first they begin at the first such word.
func parse(args []string, first bool, options []option) ([]string, error) {
	options = append(options, option{"help", getopt.None, func(string) error { return errHelp }})
	var opts []getopt.Option
	for i, o := range options {
		opt := getopt.Option{Long: o.long, Arg: o.arg, ID: i}
		if o.long == "help" {
			opt.Short = 'h'
		}
		opts = append(opts, opt)
	}
	p := getopt.New("bench", args, opts)
	p.Posix = first
	for {
		id, arg, err := p.Next()
		if errors.Is(err, io.EOF) {
			return p.Operands(), nil
		}
		if err != nil {
			return nil, usagef("%s", strings.TrimPrefix(err.Error(), "bench: "))
		}
		err = options[id].set(arg)
		if err == errHelp {
			return nil, err
		}
		if err != nil {
			return nil, usagef("--%s: %w", options[id].long, err)
		}
	}
}

// number sets a number of least to most, which may be written in C's way.
func number[T int | uint8 | uint16 | uint32](to *T, least, most uint64) func(string) error {
	return func(s string) error {
		n, err := parseNumber(s)
		if err != nil || n < least || n > most {
			return fmt.Errorf("%q is not a number from %d to %d", s, least, most)
		}
		*to = T(n)
		return nil
	}
}

func text(to *string) func(string) error {
	return func(s string) error {
		*to = s
		return nil
	}
}

func shape(to *lab.Shape) func(string) error {
	return func(s string) (err error) {
		*to, err = lab.ParseShape(s)
		return err
	}
}

func questionNames() string {
	var names []string
	for _, q := range bench.Questions() {
		names = append(names, q.Name)
	}
	return strings.Join(names, ", ")
}
