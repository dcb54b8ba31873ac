package bench

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/sockeye-tools/sockeye/bench"
	"github.com/sockeye-tools/sockeye/bench/lab"
	"github.com/sockeye-tools/sockeye/internal/getopt"
)

func runHelp() string {
	return `Usage: sockeye bench run [OPTIONS]

Builds labs of growing size, runs the comparison of "sockeye bench" in each, and writes to a
directory: SHAPE-SIZE.json for each size, SHAPE-results.md with tables of all,
SHAPE-QUESTION.svg with how times grow, and SHAPE-SIZE.svg with bars for the largest size.
Sizes whose JSON is there are not run again. Needs root.

  --sizes N,...    numbers of sockets (1000,10000,100000,1000000)
  --shape S        what kind of host: ` + shapeNames() + ` (pairs)
  --dir DIR        where the results go (bench/results)
  --force          run all sizes anew

--question, --runs, --limit, --peer and --go-peers are those of sockeye bench.
`
}

// run is "sockeye bench run".
func (f *face) run(args []string) int {
	c := newContest()
	s := bench.Sizes{Sizes: []int{1000, 10_000, 100_000, 1_000_000}, Shape: string(lab.Pairs), Dir: "bench/results", Progress: f.env.Stderr}
	kind := lab.Pairs
	operands, err := parse(args, false, append(c.options(),
		option{"sizes", getopt.Required, func(v string) (err error) {
			s.Sizes, err = parseSizes(v)
			return err
		}},
		option{"shape", getopt.Required, shape(&kind)},
		option{"dir", getopt.Required, text(&s.Dir)},
		option{"force", getopt.None, func(string) error {
			s.Force = true
			return nil
		}},
	))
	if err == nil && len(operands) > 0 {
		err = usagef("run takes no operand, but got %q", operands[0])
	}
	if err == nil {
		var cfg bench.Config
		cfg, err = c.config(f)
		s.Questions = cfg.Questions
	}
	if err != nil {
		return f.end(err, runHelp())
	}
	s.Shape = string(kind)
	s.Compare = func(ctx context.Context, sockets int, file string) error {
		return f.inLab(ctx, lab.Config{Sockets: sockets, Shape: kind}, c, file)
	}
	return f.end(s.Run(f.env.Ctx), "")
}

func parseSizes(v string) ([]int, error) {
	var sizes []int
	for s := range strings.SplitSeq(v, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > lab.MaxSockets {
			return nil, fmt.Errorf("%q is not a number from 1 to %d", s, lab.MaxSockets)
		}
		sizes = append(sizes, n)
	}
	return sizes, nil
}

// inLab runs the comparison inside a lab. The lab passes signals on, and comes down when it is over.
func (f *face) inLab(ctx context.Context, cfg lab.Config, c *contest, file string) error {
	argv := append(append(f.sockeye(), "bench", "--format", "json", "--out", file), c.args()...)
	exit, err := lab.Run(ctx, cfg, argv, nil, f.env.Stderr, f.env.Stderr)
	switch {
	case err != nil:
		return err
	case slices.Contains(stopSignals, syscall.Signal(exit-128)):
		return stopped{syscall.Signal(exit - 128)}
	case exit != 0:
		return fmt.Errorf("the comparison ended with status %d", exit)
	}
	return nil
}
