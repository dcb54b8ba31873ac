// Package cli is what the command faces of sockeye share: the world that they run in, and how they end.
package cli

import (
	"context"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/owner"
)

// Exit statuses of sockeye's own verbs.
const (
	ExitOK     = 0
	ExitFailed = 1 // the kernel could not be asked, the answer is not whole, or there is nothing of what was asked for
	ExitUsage  = 2 // the command line
)

// Env is the world of one run of a command. Nothing below cmd reaches for os.Args, os.Stdout or the environment itself, so that
// tests can run any command line.
type Env struct {
	Ctx            context.Context
	Args           []string // Args[0] is the name that the command was called by
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Kernel         *diag.Config // how the kernel is reached; nil: the one that runs, in the namespace of the thread
	Owners         owner.Config // how owners are looked up, from --owners
	Exact          bool         // from --exact: sockets that stay are shown exactly once
	Plan           io.Writer    // from --plan: where to say what would be asked of the kernel, instead of asking; or nil
}

// Print prints a text to Stdout and returns the exit status.
func (e *Env) Print(text string) int {
	if _, err := io.WriteString(e.Stdout, text); err != nil {
		fmt.Fprintf(e.Stderr, "sockeye: %v\n", err)
		return ExitFailed
	}
	return ExitOK
}

// TerminalSize returns the size of the terminal that Stdout is, in characters, 0 where the terminal does not tell; false if it is none.
func (e *Env) TerminalSize() (size unix.Winsize, ok bool) {
	f, ok := e.Stdout.(interface{ Fd() uintptr })
	if !ok {
		return size, false
	}
	ws, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return size, false
	}
	return *ws, true
}
