package bench

import (
	"fmt"
	"strings"

	"github.com/sockeye-tools/sockeye/bench/lab"
	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/internal/getopt"
)

func labHelp() string {
	return `Usage: sockeye bench lab [OPTIONS] [--] COMMAND [ARG]...

Runs a command in a network namespace of its own with many real sockets, and takes that down
again, with all that the command left running there. What is in it is written to standard error, and to the file that SOCKEYE_LAB in the
command's environment names. The exit status is the command's. Needs root.

  --sockets N    how many, 1 to ` + fmt.Sprint(lab.MaxSockets) + ` (100000)
  --shape S      what kind of host: ` + shapeNames() + ` (pairs)
  --ipv6 P       percentage of IPv6 (0)
  --procs N      how many processes hold them, at least (as many as are needed)
`
}

func shapeNames() string {
	var names []string
	for _, s := range lab.Shapes() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

// lab is "sockeye bench lab".
func (f *face) lab(args []string) int {
	cfg := lab.Config{Sockets: 100_000, Shape: lab.Pairs}
	command, err := parse(args, true, []option{
		{"sockets", getopt.Required, number(&cfg.Sockets, 1, lab.MaxSockets)},
		{"shape", getopt.Required, shape(&cfg.Shape)},
		{"ipv6", getopt.Required, number(&cfg.IPv6, 0, 100)},
		{"procs", getopt.Required, number(&cfg.Procs, 0, 1<<16)},
	})
	if err == nil && len(command) == 0 {
		err = usagef("lab: no command to run")
	}
	if err != nil {
		return f.end(err, labHelp())
	}
	exit, err := lab.Run(f.env.Ctx, cfg, command, f.env.Stdin, f.env.Stdout, f.env.Stderr)
	if err != nil {
		fmt.Fprintf(f.env.Stderr, "sockeye: bench: %v\n", err)
		if exit == cli.ExitOK { // the command is content, but the lab was not what it should be
			exit = cli.ExitFailed
		}
	}
	return exit
}
