// Command sockeye shows the sockets of a Linux host. Called by the name ss or netstat, it is that tool.
package main

import (
	"context"
	"os"

	"github.com/sockeye-tools/sockeye/bench/lab"
	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
)

func main() {
	lab.ChildMain() // the lab of the benchmark starts this program again as its workers
	// SIGINT ends the program at once and SIGPIPE quietly: both are left as the runtime has them.
	os.Exit(run(&cli.Env{
		Ctx:    context.Background(),
		Args:   os.Args,
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
		Getenv: os.Getenv,
	}))
}
