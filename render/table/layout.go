package table

import (
	"bytes"
	"io"
	"unicode/utf8"
)

// block is how many lines are held to find the widths of columns; the next block can only widen them.
const block = 4096

// Head is the heading of a column.
type Head struct {
	Text  string
	Right bool // numbers stand right
}

// Layout lines up rows of cells in columns that fit what is in them.
type Layout struct {
	W        io.Writer
	Heads    []Head
	NoHeader bool
	// Width is where lines are cut, in characters, which three dots mark; 0: nowhere.
	Width int
	// Color shows the styles of headings and cells; without it they are dropped.
	Color bool

	text   []byte // the cells of the block, one behind the other
	ends   []int  // where each cell ends in text
	styles []Style
	widths []int
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
		l.widths[c] = max(l.widths[c], utf8.RuneCount(l.text[start:end]))
		start = end
	}
	l.out = l.out[:0]
	start = 0
	line := 0 // where the line begins in out
	for i, end := range l.ends {
		c := i % n
		cell := l.text[start:end]
		pad := l.widths[c] - utf8.RuneCount(cell)
		if l.Heads[c].Right {
			l.out = appendBlanks(l.out, pad)
		}
		if l.Color && l.styles[i] != Plain && len(cell) > 0 {
			l.out = append(append(append(l.out, escapes[l.styles[i]]...), cell...), resetStyle...)
		} else {
			l.out = append(l.out, cell...)
		}
		switch {
		case c == n-1:
			if l.Width > 0 {
				l.out = append(l.out[:line], cut(l.out[line:], l.Width)...)
			}
			l.out = append(l.out, '\n')
			line = len(l.out)
		case l.Heads[c].Right:
			l.out = appendBlanks(l.out, 2)
		default:
			l.out = appendBlanks(l.out, pad+2)
		}
		start = end
	}
	l.text, l.ends, l.styles = l.text[:0], l.ends[:0], l.styles[:0]
	_, err := l.W.Write(l.out)
	return err
}

// cut shortens a line to width characters. The escapes of styles have no width; one that is cut off from its end is ended.
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
		if n == max(width-3, 0) {
			keep, styled = i, open
		}
		_, size := utf8.DecodeRune(line[i:])
		i += size
		n++
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
