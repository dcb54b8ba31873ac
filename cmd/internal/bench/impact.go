package bench

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/sockeye-tools/sockeye/bench"
	"github.com/sockeye-tools/sockeye/internal/getopt"
)

const impactHelp = `Usage: sockeye bench impact [OPTIONS]

What a query costs the host: how long a server on the loopback device takes to answer while
sockeye, ss and netstat show all TCP sockets again and again, and while nothing does. Prints a
table of Markdown.

  --seconds N            how long each is watched, in each round (5)
  --rounds N             (3)
  --requests N           requests a second on one connection (2000)
  --connects N           requests a second on connections of their own (200)
  --peer NAME=COMMAND    runs COMMAND as well; ss and netstat take the place of those in PATH
`

// impact is "sockeye bench impact".
func (f *face) impact(args []string) int {
	cfg := bench.ImpactConfig{Progress: f.env.Stderr, Rounds: 3, Requests: 2000, Connects: 200}
	seconds := 5
	var peers []bench.Peer
	operands, err := parse(args, false, []option{
		{"seconds", getopt.Required, number(&seconds, 1, 3600)},
		{"rounds", getopt.Required, number(&cfg.Rounds, 1, 1000)},
		{"requests", getopt.Required, number(&cfg.Requests, 1, 100_000)},
		{"connects", getopt.Required, number(&cfg.Connects, 1, 10_000)},
		{"peer", getopt.Required, func(s string) error {
			p, err := bench.ParsePeer(s)
			peers = append(peers, p)
			return err
		}},
	})
	if err == nil && len(operands) > 0 {
		err = usagef("impact takes no operand, but got %q", operands[0])
	}
	if err != nil {
		return f.end(err, impactHelp)
	}
	cfg.Time = time.Duration(seconds) * time.Second
	programs := bench.FindPrograms(f.exe, f.env.Getenv("PATH"), peers)
	add := func(name string, command []string, args ...string) {
		if len(command) > 0 {
			cfg.Tools = append(cfg.Tools, bench.Peer{Name: name, Command: slices.Concat(command, args)})
		}
	}
	add("sockeye ss -tan", f.sockeye(), "ss", "-tan")
	add("ss -tan", programs.SS, "-tan")
	add("netstat -tan", programs.Netstat, "-tan")
	add("sockeye ss -tani", f.sockeye(), "ss", "-tani")
	add("ss -tani", programs.SS, "-tani")
	for _, p := range programs.Others {
		add(p.Name, p.Command)
	}
	ctx, stop := f.stoppable()
	defer stop()
	impacts, err := bench.MeasureImpact(ctx, cfg)
	if err == nil {
		_, err = io.WriteString(f.env.Stdout, bench.ImpactTable(impacts))
	}
	if err != nil {
		err = fmt.Errorf("impact: %w", err)
	}
	return f.end(err, "")
}
