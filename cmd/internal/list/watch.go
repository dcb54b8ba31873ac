package list

import (
	"bytes"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/field"
)

// home puts the cursor home; clearLine clears to the end of a line, clearBelow the rest of the screen (ECMA-48).
const home, clearLine, clearBelow = "\x1b[H", "\x1b[K", "\x1b[J"

// watch shows the sockets again and again: on a terminal in the same place, otherwise one round behind the other.
func watch(env *cli.Env, o Options) error {
	tick := time.NewTicker(o.Watch)
	defer tick.Stop()
	w := &field.Watch{}
	if o.Summary || o.Group != "" {
		w = nil // sockets are not shown
	}
	for {
		var screen bytes.Buffer
		height := terminalHeight(env.Stdout)
		out := env.Stdout
		if height > 0 {
			out = &screen
		}
		l, err := newLister(env, o, out)
		if err != nil {
			return err
		}
		if w != nil {
			w.Begin(time.Now())
			l.context.Watch = w
		}
		err = l.run()
		if height > 0 {
			if _, err := env.Stdout.Write(redraw(screen.Bytes(), height)); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		select {
		case <-env.Ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// redraw writes as many lines over those of the round before as the terminal has.
func redraw(text []byte, height int) []byte {
	out := []byte(home)
	for range height - 1 {
		line, rest, ok := bytes.Cut(text, []byte{'\n'})
		if !ok {
			break
		}
		out = append(append(append(out, line...), clearLine...), '\n')
		text = rest
	}
	return append(out, clearBelow...)
}

// terminalHeight returns how many lines the terminal has that w is; 0 if it is none.
func terminalHeight(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	ws, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(ws.Row)
}
