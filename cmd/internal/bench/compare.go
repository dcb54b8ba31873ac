package bench

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/bench"
	"github.com/sockeye-tools/sockeye/internal/getopt"
)

const (
	defaultRuns  = 5
	defaultLimit = 120 * time.Second
)

// contest is what "bench" and "bench run" have in common.
type contest struct {
	questions []string
	peers     []string // as they were given
	goPeers   string
	runs      int
	limit     time.Duration
}

func newContest() *contest { return &contest{runs: defaultRuns, limit: defaultLimit} }

func (c *contest) options() []option {
	return []option{
		{"question", getopt.Required, func(s string) error {
			c.questions = append(c.questions, s)
			_, err := bench.QuestionsByName(c.questions)
			return err
		}},
		{"peer", getopt.Required, func(s string) error {
			p, err := bench.ParsePeer(s)
			if err != nil {
				return err
			}
			name := p.Name + "="
			if slices.ContainsFunc(c.peers, func(other string) bool { return strings.HasPrefix(other, name) }) {
				return fmt.Errorf("there are two of the name %q", p.Name)
			}
			c.peers = append(c.peers, s)
			return nil
		}},
		{"go-peers", getopt.Required, func(s string) (err error) {
			if c.goPeers, err = exec.LookPath(s); err == nil {
				c.goPeers, err = filepath.Abs(c.goPeers)
			}
			return err
		}},
		{"runs", getopt.Required, number(&c.runs, 1, 1000)},
		{"limit", getopt.Required, func(s string) (err error) {
			if c.limit, err = time.ParseDuration(s); err == nil && c.limit <= 0 {
				err = fmt.Errorf("%s is no time to run", s)
			}
			return err
		}},
	}
}

// args are the options that give the same contest.
func (c *contest) args() []string {
	args := []string{"--runs", strconv.Itoa(c.runs), "--limit", c.limit.String()}
	for _, q := range c.questions {
		args = append(args, "--question", q)
	}
	for _, p := range c.peers {
		args = append(args, "--peer", p)
	}
	if c.goPeers != "" {
		args = append(args, "--go-peers", c.goPeers)
	}
	return args
}

// config finds the programs.
func (c *contest) config(f *face) (bench.Config, error) {
	cfg := bench.Config{Rounds: c.runs, Limit: c.limit, Progress: f.env.Stderr, Lab: f.env.Getenv("SOCKEYE_LAB")}
	var err error
	if cfg.Questions, err = bench.QuestionsByName(c.questions); err != nil {
		return cfg, usageError{err}
	}
	var peers []bench.Peer
	for _, s := range c.peers {
		p, err := bench.ParsePeer(s)
		if err != nil {
			return cfg, usageError{err}
		}
		peers = append(peers, p)
	}
	cfg.Programs = bench.FindPrograms(f.exe, f.env.Getenv("PATH"), peers)
	cfg.Programs.Sockeye = f.sockeye()
	cfg.Programs.GoPeers = c.goPeers
	if others := cfg.Programs.Others; len(others) > 0 && len(cfg.Questions) != 1 {
		return cfg, usagef("--peer %s is one command line, which answers one question: say with --question which one", others[0].Name)
	}
	return cfg, nil
}

func compareHelp() string {
	return `Usage: sockeye bench [OPTIONS]
       sockeye bench impact [OPTIONS]               (see sockeye bench impact --help)
       sockeye bench lab [OPTIONS] -- COMMAND...    (see sockeye bench lab --help)
       sockeye bench run [OPTIONS]                  (see sockeye bench run --help)

Times sockeye, and those of ss, netstat and lsof that are in PATH, with the sockets of this
host: median wall and CPU time, peak memory, lines and bytes printed. Runs alternate, after a
warm-up. The floor is a loop that sends the requests of ss, receives the answers, and does
nothing else.

  --question NAME    what to ask; can be repeated. One of ` + questionNames() + `
  --runs N           how often each is timed (` + strconv.Itoa(defaultRuns) + `)
  --limit TIME       how long a run may take (` + strconv.Itoa(int(defaultLimit.Seconds())) + `s); a program that takes longer is not run again
  --peer NAME=CMD    another program, with its arguments; can be repeated. As ss, netstat or
                     lsof it stands for that program, and gets the arguments of each question
  --go-peers FILE    the program built from bench/peers: Go libraries that read sockets
  --format FORMAT    table, json or svg (table)
  --out FILE         write to FILE
  -h, --help         this text
`
}

// compare is "sockeye bench".
func (f *face) compare(args []string) int {
	c := newContest()
	write, out := (*bench.Report).WriteText, ""
	options := append(c.options(),
		option{"format", getopt.Required, func(s string) error {
			switch s {
			case "table":
				write = (*bench.Report).WriteText
			case "json":
				write = (*bench.Report).WriteJSON
			case "svg":
				write = (*bench.Report).WriteSVG
			default:
				return fmt.Errorf("%q: want table, json or svg", s)
			}
			return nil
		}},
		option{"out", getopt.Required, text(&out)},
	)
	operands, err := parse(args, false, options)
	if err == nil && len(operands) > 0 {
		err = usagef("there is no verb %q: the verbs are impact, lab, run", operands[0])
	}
	if err != nil {
		return f.end(err, compareHelp())
	}
	return f.end(f.contest(c, write, out), "")
}

func (f *face) contest(c *contest, write func(*bench.Report, io.Writer) error, out string) error {
	cfg, err := c.config(f)
	if err == nil && out != "" {
		err = writable(out) // now, not when all is measured
	}
	if err != nil {
		return err
	}
	ctx, stop := f.stoppable()
	defer stop()
	r, err := bench.Compare(ctx, cfg)
	if err != nil {
		return err
	}
	if out == "" {
		return write(r, f.env.Stdout)
	}
	return bench.WriteFile(out, func(w io.Writer) error { return write(r, w) })
}

// writable tells why a file cannot be put in place.
func writable(file string) error {
	err := unix.Access(filepath.Dir(file)+"/.", unix.W_OK|unix.X_OK) // a directory
	if st, serr := os.Stat(file); err == nil && serr == nil && st.IsDir() {
		err = unix.EISDIR
	}
	if err != nil {
		return &os.PathError{Op: "write", Path: file, Err: err}
	}
	return nil
}
