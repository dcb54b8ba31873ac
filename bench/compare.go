package bench

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Config says what to compare.
type Config struct {
	Programs  Programs
	Questions []Question
	// Rounds is how often each program is timed, at least 1.
	Rounds int
	// Limit is how long one run may take.
	Limit time.Duration
	// Progress takes a line for each question and each failure; nil: none.
	Progress io.Writer
	// Lab is the file in which a lab tells what it holds; "": there is no lab.
	Lab string
	// Now returns the date of the report; nil: time.Now.
	Now func() time.Time
}

// Compare runs all programs. Its error is that of ctx or of cfg; a program that fails is a result.
func Compare(ctx context.Context, cfg Config) (*Report, error) {
	if cfg.Rounds < 1 || cfg.Limit <= 0 {
		return nil, fmt.Errorf("compare: %d rounds of at most %v", cfg.Rounds, cfg.Limit)
	}
	if cfg.Progress == nil {
		cfg.Progress = io.Discard
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	r := &Report{
		Version: formatVersion, Date: cfg.Now().UTC().Truncate(time.Second),
		Machine: readMachine("/proc"), Sockets: readSockets("/proc"), Lab: readLab(cfg.Lab),
		Rounds: cfg.Rounds, Limit: cfg.Limit.Seconds(), Programs: cfg.Programs.versions(ctx),
	}
	for _, q := range cfg.Questions {
		c := &contest{cfg: &cfg, question: q}
		for _, t := range cfg.Programs.tools(q) {
			c.entries = append(c.entries, &entry{tool: t})
		}
		if err := c.run(ctx); err != nil {
			return nil, err
		}
		r.Comparisons = append(r.Comparisons, c.comparison())
	}
	return r, nil
}

// contest is one question while it is asked.
type contest struct {
	cfg      *Config
	question Question
	entries  []*entry
}

type entry struct {
	tool
	runs       []Run
	peak       int64
	exit       int
	unfinished bool
	failure    string
}

func (c *contest) run(ctx context.Context) error {
	for round := range c.cfg.Rounds + 1 {
		warmup := round == 0
		if !warmup {
			fmt.Fprintf(c.cfg.Progress, "bench: %s: round %d of %d\n", c.question.Name, round, c.cfg.Rounds)
		}
		for _, e := range c.entries {
			if e.unfinished || e.failure != "" {
				continue
			}
			if warmup {
				fmt.Fprintf(c.cfg.Progress, "bench: %s: warm-up: %s\n", c.question.Name, commandLine(e.shown()))
			}
			if err := c.once(ctx, e, warmup); err != nil {
				return fmt.Errorf("compare: %w", err)
			}
			switch {
			case e.unfinished:
				fmt.Fprintf(c.cfg.Progress, "bench: %s: %s: unfinished after %s\n", c.question.Name, e.name, formatLimit(c.cfg.Limit.Seconds()))
			case e.failure != "":
				fmt.Fprintf(c.cfg.Progress, "bench: %s: %s: %s\n", c.question.Name, e.name, e.failure)
			}
		}
	}
	return nil
}

// once runs a tool one time.
func (c *contest) once(ctx context.Context, e *entry, warmup bool) error {
	r, err := runChild(ctx, e.argv, c.cfg.Limit, warmup)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		e.failure = printable(err.Error()) // it cannot be started
		return nil
	}
	e.peak = max(e.peak, r.PeakRSS)
	e.exit, e.unfinished, e.failure = r.Exit, r.Unfinished, r.failure()
	if e.counts && !e.unfinished && e.failure == "" {
		if r.Counted = number(r.stdout); r.Counted == nil {
			e.failure = fmt.Sprintf("printed %q, which is not a number of sockets", printable(r.stdout))
		}
	}
	if !warmup && e.failure == "" {
		e.runs = append(e.runs, *r)
	}
	return nil
}

// number is the number that a line consists of, or nil.
func number(line string) *int64 {
	n, err := strconv.ParseInt(line, 10, 64)
	if err != nil || n < 0 {
		return nil
	}
	return &n
}

func (c *contest) comparison() Comparison {
	results := make([]Result, len(c.entries))
	figures := map[string]*Figures{}
	for i, e := range c.entries {
		results[i] = e.result()
		figures[e.name] = results[i].Figures
	}
	for i, e := range c.entries {
		r := &results[i]
		if f := r.Figures; f != nil {
			f.Sockeye = f.times(e.against, figures[e.against])
			if e.name != toolFloor {
				f.Floor = f.times(toolFloor, figures[toolFloor])
			}
		}
		if of := figures[e.against]; of != nil && r.Unfinished {
			r.AtLeast = &Multiple{Of: e.against, Wall: ratio(c.cfg.Limit.Seconds(), of.Wall)}
		}
	}
	return Comparison{c.question.Name, c.question.Text, results}
}

func (e *entry) result() Result {
	r := Result{
		Tool: e.name, Command: e.shown(), Unfinished: e.unfinished, Error: e.failure, PeakRSS: e.peak, Exit: e.exit, Runs: e.runs,
	}
	if !e.unfinished && e.failure == "" {
		r.Figures = figuresOf(e.runs)
	}
	return r
}

// shown is the command without the place where its program is.
func (e *entry) shown() []string {
	if e.tool.shown != nil {
		return e.tool.shown
	}
	argv := slices.Clone(e.argv)
	argv[0] = filepath.Base(argv[0])
	return argv
}

// figuresOf takes the medians of one run or more.
func figuresOf(runs []Run) *Figures {
	var wall, cpu []float64
	var lines, size, counted []int64
	for i := range runs {
		r := &runs[i]
		wall, cpu = append(wall, r.Wall), append(cpu, r.CPU())
		lines, size = append(lines, r.Lines), append(size, r.Bytes)
		if r.Counted != nil {
			counted = append(counted, *r.Counted)
		}
	}
	f := &Figures{Wall: median(wall), CPU: median(cpu), Lines: middle(lines), Bytes: middle(size)}
	if len(counted) > 0 {
		n := middle(counted)
		f.Counted = &n
	}
	return f
}

// times is f as a multiple of another tool's figures, or nil where that has none.
func (f *Figures) times(name string, of *Figures) *Multiple {
	if of == nil {
		return nil
	}
	return &Multiple{Of: name, Wall: ratio(f.Wall, of.Wall), CPU: ratio(f.CPU, of.CPU)}
}

// commandLine shows a command as one would type it. A single word is a line of the shell.
func commandLine(argv []string) string {
	if len(argv) == 1 {
		return printable(argv[0])
	}
	words := slices.Clone(argv)
	for i, w := range words {
		if w == "" || strings.ContainsAny(w, " \t\n'\"\\$`*?[]#~=%|&;<>()") {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return printable(strings.Join(words, " "))
}
