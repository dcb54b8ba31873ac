// Package list is the verb that sockeye runs when it is given none: the TCP and UDP sockets of the host, filtered, sorted, grouped,
// in the format that is asked for; by default a table, listeners first.
package list

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/filter/lang"
	"github.com/sockeye-tools/sockeye/render/names"
)

// usageError is a mistake on the command line.
type usageError struct{ Err error }

func (e *usageError) Error() string { return e.Err.Error() }
func (e *usageError) Unwrap() error { return e.Err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// complain prints an error, or several, of which each begins a line; what is indented belongs to the line before. Names of namespaces and
// paths can be in it, which others chose.
func complain(w io.Writer, err error) {
	var b []byte
	for line := range strings.Lines(cmp.Or(err.Error(), "\n")) {
		if !strings.HasPrefix(line, " ") {
			b = append(b, "sockeye: "...)
		}
		b = append(names.AppendEscaped(b, strings.TrimSuffix(line, "\n")), '\n')
	}
	w.Write(b)
}

// Main is the verb: it parses env.Args and returns the exit status.
func Main(env *cli.Env) int {
	o, help, err := Parse(env.Args[1:])
	switch {
	case err != nil:
	case help:
		return env.Print(usage)
	default:
		err = run(env, o)
	}
	if err == nil {
		return cli.ExitOK
	}
	complain(env.Stderr, err)
	if _, ok := errors.AsType[*usageError](err); ok {
		return cli.ExitUsage
	}
	if _, ok := errors.AsType[*lang.Error](err); ok {
		return cli.ExitUsage
	}
	return cli.ExitFailed
}
