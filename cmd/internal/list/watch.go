package list

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/render/table"
)

// ECMA-48: clearAll clears the screen, home puts the cursor home, clearLine clears to the end of a line, clearBelow the rest of the
// screen.
const clearAll, home, clearLine, clearBelow = "\x1b[2J", "\x1b[H", "\x1b[K", "\x1b[J"

// watch shows the sockets again and again: on a terminal in the same place, and at once when its size changes; otherwise one round
// behind the other.
func watch(env *cli.Env, o Options) error {
	tick := time.NewTicker(o.Watch)
	defer tick.Stop()
	resized := make(chan os.Signal, 1)
	if _, ok := env.TerminalSize(); ok {
		signal.Notify(resized, unix.SIGWINCH)
		defer signal.Stop(resized)
	}
	w := &field.Watch{}
	var last unix.Winsize
	for {
		round, out := *env, env.Stdout
		var screen, words bytes.Buffer
		size, terminal := env.TerminalSize()
		if terminal {
			round.Stderr, out = &words, &screen
		}
		l, err := newLister(&round, o, out)
		if err != nil {
			return err
		}
		w.Begin(time.Now())
		l.context.Watch = w
		err = l.run()
		if o.Format == "csv" || o.Format == "tsv" {
			o.NoHeader = true // they have one
		}
		if errors.Is(err, diag.ErrPartial) { // the next may be whole
			complain(round.Stderr, err)
			err = nil
		}
		if terminal {
			text := redraw(screen.Bytes(), words.Bytes(), size)
			if size != last {
				text = append([]byte(clearAll), text...)
			}
			last = size
			if _, err := env.Stdout.Write(text); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		if now, _ := env.TerminalSize(); now != size { // Linux sends the signal before the size is another
			continue
		}
		select {
		case <-env.Ctx.Done():
			return nil
		case <-tick.C:
		case <-resized:
		}
	}
}

// redraw writes over the round before: as many lines as there are rows for, and below them the words, which go to stderr otherwise. A
// line is cleared before it is written: behind one that is as long as a row, the cursor is on its last character.
func redraw(text, words []byte, size unix.Winsize) []byte {
	lines := bytes.SplitAfter(text, []byte{'\n'})
	lines = lines[:len(lines)-1] // behind the last line feed
	said := bytes.SplitAfter(words, []byte{'\n'})
	said = said[:len(said)-1]
	room := int(size.Row) - 1
	for _, line := range said {
		room -= height(line, size)
	}
	fit, left := 0, max(room, 1) // left are the rows below those that fit
	for fit < len(lines) && left >= height(lines[fit], size) {
		left -= height(lines[fit], size)
		fit++
	}
	if fit < len(lines) && size.Row > 0 { // 0: a terminal that does not tell
		if left == 0 {
			fit--
		}
		fit = max(fit, 0)
		lines = append(lines[:fit:fit], fmt.Appendf(nil, "... and %d more\n", len(lines)-fit))
	}
	out := []byte(home)
	for _, line := range append(lines[:len(lines):len(lines)], said...) {
		out = append(append(out, clearLine...), line...)
	}
	return append(out, clearBelow...)
}

// height is how many rows of the terminal a line takes.
func height(line []byte, size unix.Winsize) int {
	if size.Col == 0 {
		return 1
	}
	return max(1, (table.Width(line[:len(line)-1])+int(size.Col)-1)/int(size.Col))
}
