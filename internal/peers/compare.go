package peers

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A Runner runs a command in some network namespace and waits for it, as [exec.Cmd.Run] does.
type Runner interface {
	Run(*exec.Cmd) error
}

// Options are what a comparison needs beyond the two commands.
type Options struct {
	// Env is the environment of both commands besides PATH and LC_ALL=C: COLUMNS, TCPDIAG_FILE, ...
	Env []string
	// Stdin is what both commands read.
	Stdin string
	// KeepBlanks compares the blanks of ss too: for what has no volatile figures, and so shows the widths of columns.
	KeepBlanks bool
	// DropOwn leaves out the lines with a netlink socket of the command itself: those whose port is its process id.
	DropOwn bool
	// Masks are applied besides those of the program.
	Masks []Mask
	// Peer changes the peer's standard output before it is compared: it states where sockeye is meant to differ.
	Peer func(stdout string) string

	patience time.Duration // 0: patience
}

const (
	// strikes is how many times ours has to differ from a peer that is like itself.
	strikes = 2
	// patience is how long the commands may differ until one such time is enough; none is after five times as long.
	patience = time.Minute
	// timeout is the longest that a command may take; ss -p takes its time on a host with many sockets.
	timeout = 2 * time.Minute
)

// Compare runs peer (whose base name is ss or netstat) and ours in the namespace and compares exit status, standard output and
// standard error, line by line. The peer runs before and after ours, which has to be like either: where the peer differs from itself,
// something happened in between, and the comparison is made again.
func Compare(t testing.TB, ns Runner, peer, ours []string, opts Options) {
	t.Helper()
	switch diff, err := compare(t.Context(), ns, peer, ours, &opts); {
	case err != nil:
		t.Error("peers:", err)
	case diff != "":
		t.Errorf("%s (-) and %s (+) differ:\n%s", command(peer), command(ours), diff)
	}
}

func command(argv []string) string {
	return strings.Join(append([]string{filepath.Base(argv[0])}, argv[1:]...), " ")
}

var errRestless = errors.New("differs from itself")

func compare(ctx context.Context, ns Runner, peer, ours []string, opts *Options) (diff string, err error) {
	p := programs[filepath.Base(peer[0])]
	if p == nil {
		return "", fmt.Errorf("%s is no peer", peer[0])
	}
	longest := cmp.Or(opts.patience, patience)
	var before, after, our output
	for try, differed, begin := 0, 0, time.Now(); ; try++ {
		// Whatever happened is over the sooner the longer one waits: retransmissions become ever more seldom.
		time.Sleep(time.Duration(min(try, 20)) * 100 * time.Millisecond)
		if before, err = run(ctx, ns, peer, p, opts, true); err != nil {
			return "", err
		}
		if our, err = run(ctx, ns, ours, p, opts, false); err != nil {
			return "", err
		}
		if after, err = run(ctx, ns, peer, p, opts, true); err != nil {
			return "", err
		}
		if slices.Equal(our, before) || slices.Equal(our, after) {
			return "", nil
		}
		if slices.Equal(before, after) {
			diff = diffLines(before, our)
			differed++
		}
		switch since := time.Since(begin); {
		case differed == strikes || differed > 0 && since > longest:
			return diff, nil
		case since > 5*longest:
			return "", fmt.Errorf("%s %w %d times:\n%s", command(peer), errRestless, try+1, diffLines(before, after))
		}
	}
}

// An output is all that a command said, in lines: standard output, then what is not part of it with a prefix.
type output []string

func run(ctx context.Context, ns Runner, argv []string, p *program, opts *Options, isPeer bool) (output, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}, opts.Env...)
	cmd.Stdin = strings.NewReader(opts.Stdin)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := ns.Run(cmd)
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || !exit.Exited()) {
		return nil, fmt.Errorf("run %s: %w: %s", command(argv), errors.Join(err, ctx.Err()), stderr.String())
	}
	text := stdout.String()
	if isPeer && opts.Peer != nil {
		text = opts.Peer(text)
	}
	var own *regexp.Regexp
	if opts.DropOwn {
		own = regexp.MustCompile(`[:/]` + strconv.Itoa(cmd.Process.Pid) + `\b`)
	}
	out := lines("", text, p, opts, own)
	out = append(out, lines("standard error: ", stderr.String(), p, opts, nil)...)
	return append(out, "exit status "+strconv.Itoa(cmd.ProcessState.ExitCode())), nil
}

// lines cuts a text into lines and normalises them. A last line without newline is told from one with.
func lines(prefix, text string, p *program, opts *Options, drop *regexp.Regexp) (out output) {
	for line := range strings.Lines(text) {
		line, complete := strings.CutSuffix(line, "\n")
		if drop != nil && drop.MatchString(line) {
			continue
		}
		for _, m := range slices.Concat(p.masks, opts.Masks) {
			line = m.Pattern.ReplaceAllString(line, m.With)
		}
		if p.fold && !opts.KeepBlanks {
			line = foldBlanks(line)
		}
		if !complete {
			line += " (no newline)"
		}
		out = append(out, prefix+line)
	}
	return out
}
