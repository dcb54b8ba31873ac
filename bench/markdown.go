package bench

import (
	"fmt"
	"strings"
)

// comparison returns that of a question, or nil.
func (r *Report) comparison(question string) *Comparison {
	for i := range r.Comparisons {
		if r.Comparisons[i].Question == question {
			return &r.Comparisons[i]
		}
	}
	return nil
}

func (c *Comparison) result(tool string) *Result {
	for i := range c.Results {
		if c.Results[i].Tool == tool {
			return &c.Results[i]
		}
	}
	return nil
}

// markdown puts reports of labs of one shape, in the order of their sockets, into one page. The charts lie beside it: chart
// returns the name of that of a question.
func markdown(reports []*Report, chart func(question string) string) string {
	last := reports[len(reports)-1]
	var b strings.Builder
	fmt.Fprintf(&b, "# Side by side, %s\n\n", sizeNames(reports))
	for _, line := range last.preface() {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	b.WriteString("\nWritten by `sockeye bench run`. The files beside this one hold every single run.\n")
	for i := range last.Comparisons {
		c := &last.Comparisons[i]
		fmt.Fprintf(&b, "\n## %s\n\n![Wall time over the number of sockets](%s)\n\nWall time, and CPU time in parentheses:\n\n", c.title(), chart(c.Question))
		sizes(reports, c).markdown(&b)
		fmt.Fprintf(&b, "\nWith %s sockets:\n\n", formatCount(int64(last.Lab.Sockets)))
		c.grid(last.Limit).markdown(&b)
	}
	b.WriteString("\n## What the columns are\n\n")
	for _, line := range last.legend() {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	return b.String()
}

func sizeNames(reports []*Report) string {
	var names []string
	for _, r := range reports {
		names = append(names, formatSize(r.Lab.Sockets))
	}
	return fmt.Sprintf("%s sockets, shape %s", strings.Join(names, ", "), reports[0].Lab.Shape)
}

// sizes is a table of one question: a row for each tool, a column for each report.
func sizes(reports []*Report, c *Comparison) *grid {
	g := &grid{}
	head := []string{"TOOL"}
	for _, r := range reports {
		head = append(head, formatSize(r.Lab.Sockets))
	}
	g.add(head...)
	for i := range c.Results {
		row := []string{c.Results[i].Tool}
		for _, r := range reports {
			cell := "-"
			if there := r.comparison(c.Question); there != nil {
				if res := there.result(c.Results[i].Tool); res != nil {
					cell = res.cell(r.Limit)
				}
			}
			row = append(row, cell)
		}
		g.add(row...)
	}
	return g
}

func (r *Result) cell(limit float64) string {
	switch {
	case r.Unfinished:
		return ">" + formatLimit(limit)
	case r.Figures == nil:
		return "failed"
	}
	return fmt.Sprintf("%s (%s)", formatSeconds(r.Wall), formatSeconds(r.CPU))
}
