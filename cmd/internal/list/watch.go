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
	if o.Summary || o.Group != "" {
		w = nil // sockets are not shown
	}
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
		if w != nil {
			w.Begin(time.Now())
			l.context.Watch = w
		}
		err = l.run()
		if errors.Is(err, diag.ErrPartial) { // the next may be whole
			complain(round.Stderr, err)
			err = nil
		}
		if terminal {
			text := redraw(screen.Bytes(), words.Bytes(), int(size.Row))
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

// redraw writes over the round before: as many lines as the terminal has rows, and below them the words, which go to stderr otherwise.
func redraw(text, words []byte, rows int) []byte {
	lines := bytes.SplitAfter(text, []byte{'\n'})
	lines = lines[:len(lines)-1] // behind the last line feed
	said := bytes.SplitAfter(words, []byte{'\n'})
	said = said[:len(said)-1]
	room := max(rows-1-len(said), 1)
	if n := len(lines) - room; n > 0 && rows > 0 { // 0: a terminal that does not tell
		lines = append(lines[:room-1:room-1], fmt.Appendf(nil, "... and %d more\n", n+1))
	}
	out := []byte(home)
	for _, line := range append(lines[:len(lines):len(lines)], said...) {
		out = append(append(append(out, line[:len(line)-1]...), clearLine...), '\n')
	}
	return append(out, clearBelow...)
}
