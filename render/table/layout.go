package table

import (
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/sockeye-tools/sockeye/internal/textwidth"
)

// block is how many lines are held to find the widths of columns; the next block can only widen them.
const block = 4096

// Head is the heading of a column.
type Head struct {
	Text  string
	Right bool // numbers stand right
	// Keep has the column seen: where lines are cut, it stands in front of the columns that are.
	Keep bool
}

// Layout lines up rows of cells in columns that fit what is in them.
type Layout struct {
	W        io.Writer
	Heads    []Head
	NoHeader bool
	// Width is where lines are cut, in cells of a terminal, which three dots mark; 0: nowhere.
	Width int
	// Color shows the styles of headings and cells; without it they are dropped.
	Color bool

	text   []byte // the cells of the block, one behind the other
	ends   []int  // where each cell ends in text
	styles []Style
	widths []int
	order  []int // of the columns
	out    []byte
	headed bool
}

func (l *Layout) head() {
	if l.headed {
		return
	}
	l.headed = true
	l.widths = make([]int, len(l.Heads))
	if l.NoHeader {
		return
	}
	for _, h := range l.Heads {
		l.add(Strong, []byte(h.Text))
	}
}

func (l *Layout) add(s Style, text []byte) {
	l.text = append(l.text, text...)
	l.ends = append(l.ends, len(l.text))
	if l.Color {
		l.styles = append(l.styles, s)
	}
}

// Row prints a row: its cells, each with a NUL behind it, and AppendStyle's mark before it if it has a style, one for each heading.
// Control characters must have been escaped.
func (l *Layout) Row(cells []byte) error {
	l.head()
	for len(cells) > 0 {
		n := bytes.IndexByte(cells, 0)
		l.add(takeStyle(cells[:n]))
		cells = cells[n+1:]
	}
	if len(l.ends) >= block*len(l.Heads) {
		return l.Flush()
	}
	return nil
}

// Flush prints what is held, and the headings also when there was no row.
func (l *Layout) Flush() error {
	l.head()
	n := len(l.Heads)
	start := 0
	for i, end := range l.ends {
		c := i % n
		l.widths[c] = max(l.widths[c], textwidth.Of(l.text[start:end]))
		start = end
	}
	if l.order == nil {
		l.arrange()
	}
	l.out = l.out[:0]
	for row := 0; row < len(l.ends); row += n {
		line := len(l.out)
		for place, c := range l.order {
			start := 0
			if row+c > 0 {
				start = l.ends[row+c-1]
			}
			cell := l.text[start:l.ends[row+c]]
			pad := l.widths[c] - textwidth.Of(cell)
			if l.Heads[c].Right {
				l.out = appendBlanks(l.out, pad)
				pad = 0
			}
			if l.Color && l.styles[row+c] != Plain && len(cell) > 0 {
				l.out = append(append(append(l.out, escapes[l.styles[row+c]]...), cell...), resetStyle...)
			} else {
				l.out = append(l.out, cell...)
			}
			if place < n-1 {
				l.out = appendBlanks(l.out, pad+2)
			}
		}
		if l.Width > 0 {
			l.out = append(l.out[:line], cut(l.out[line:], l.Width)...)
		}
		l.out = append(l.out, '\n')
	}
	l.text, l.ends, l.styles = l.text[:0], l.ends[:0], l.styles[:0]
	_, err := l.W.Write(l.out)
	return err
}

// arrange settles the order of columns: as they come, but where lines are cut, those to be kept before those that are.
func (l *Layout) arrange() {
	whole, kept := -2, 0
	for c, w := range l.widths {
		whole += w + 2
		if l.Heads[c].Keep {
			kept += w + 2
		}
	}
	cuts, room := l.Width > 0 && whole > l.Width, l.Width-len("...")-kept
	var seen, cut []int
	for c, w := range l.widths {
		keep := l.Heads[c].Keep
		if !keep {
			room -= w + 2
		}
		if cuts && !keep && room < 0 {
			cut = append(cut, c)
		} else {
			seen = append(seen, c)
		}
	}
	l.order = append(seen, cut...)
}

// Width returns how many cells of a terminal a line takes. The escapes of styles have none.
func Width(line []byte) (n int) {
	for {
		i := bytes.IndexByte(line, '\x1b')
		if i < 0 {
			return n + textwidth.Of(line)
		}
		n += textwidth.Of(line[:i])
		_, line, _ = bytes.Cut(line[i:], []byte{'m'})
	}
}

// cut shortens a line to width cells. The escapes of styles have no width; one that is cut off from its end is ended.
func cut(line []byte, width int) []byte {
	n, keep, styled := 0, 0, false // keep is where the dots may stand
	open := false
	for i := 0; i < len(line); {
		if line[i] == '\x1b' {
			end := i + bytes.IndexByte(line[i:], 'm') + 1
			open = string(line[i:end]) != resetStyle
			i = end
			continue
		}
		if n <= max(width-3, 0) {
			keep, styled = i, open
		}
		r, size := utf8.DecodeRune(line[i:])
		i += size
		n += textwidth.OfRune(r)
	}
	if n <= width {
		return line
	}
	line = line[:keep]
	if styled {
		line = append(line, resetStyle...)
	}
	return append(line, "..."[:min(3, width)]...)
}

func appendBlanks(b []byte, n int) []byte {
	for range n {
		b = append(b, ' ')
	}
	return b
}
