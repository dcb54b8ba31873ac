// Package cli is what the command faces of sockeye share: the world that they run in.
package cli

import (
	"context"
	"io"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/owner"
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
