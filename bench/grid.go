package bench

import (
	"strings"
	"unicode/utf8"
)

// grid is a table of words: the first row is the head. The first column is aligned to the left, and so is the column notes, the
// last one; all others hold numbers.
type grid struct {
	rows  [][]string
	notes bool
}

func (g *grid) add(cells ...string) { g.rows = append(g.rows, cells) }

func (g *grid) left(column int) bool {
	return column == 0 || g.notes && column == len(g.rows[0])-1
}

// widths are those of the columns, in characters, and at least least.
func (g *grid) widths(least int) []int {
	w := make([]int, len(g.rows[0]))
	for i := range w {
		w[i] = least
	}
	for _, row := range g.rows {
		for i, cell := range row {
			w[i] = max(w[i], utf8.RuneCountInString(cell))
		}
	}
	return w
}

func (g *grid) pad(b *strings.Builder, column, width int, cell string) {
	blanks := strings.Repeat(" ", width-utf8.RuneCountInString(cell))
	if g.left(column) {
		b.WriteString(cell + blanks)
	} else {
		b.WriteString(blanks + cell)
	}
}

// text writes the grid for a terminal.
func (g *grid) text(b *strings.Builder) {
	widths := g.widths(0)
	for _, row := range g.rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString("  ")
			g.pad(&line, i, widths[i], cell)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// markdown writes the grid as a table of GitHub's Markdown.
func (g *grid) markdown(b *strings.Builder) {
	widths := g.widths(3)
	for n, row := range g.rows {
		for i, cell := range row {
			b.WriteString("| ")
			g.pad(b, i, widths[i], strings.ReplaceAll(cell, "|", "/"))
			b.WriteByte(' ')
		}
		b.WriteString("|\n")
		if n > 0 {
			continue
		}
		for i, width := range widths {
			if g.left(i) {
				b.WriteString("|" + strings.Repeat("-", width+2))
			} else {
				b.WriteString("|" + strings.Repeat("-", width+1) + ":")
			}
		}
		b.WriteString("|\n")
	}
}
