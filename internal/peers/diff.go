package peers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	// around is how many equal lines are shown before and after a difference.
	around = 2
	// shown is how many lines a diff has at most.
	shown = 80
)

// diffLines shows how b differs from a, line by line; empty if it does not. Lines end with $, so that blanks at the end are seen, and
// what does not print is escaped.
func diffLines(a, b []string) string {
	if slices.Equal(a, b) {
		return ""
	}
	// common[i][j] is the length of the longest common subsequence of a[i:] and b[j:].
	common := make([][]int32, len(a)+1)
	for i := range common {
		common[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var text []string
	var changed []bool
	add := func(sign, line string) {
		quoted := strconv.Quote(line)
		quoted = strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
		text = append(text, sign+" "+quoted+"$")
		changed = append(changed, sign != " ")
	}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			add(" ", a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			add("-", a[i])
			i++
		default:
			add("+", b[j])
			j++
		}
	}
	var out strings.Builder
	n, skipped := 0, 0
	for i, line := range text {
		if !slices.Contains(changed[max(0, i-around):min(len(changed), i+around+1)], true) {
			skipped++
			continue
		}
		if n == shown {
			fmt.Fprintf(&out, "... and more\n")
			break
		}
		if skipped > 0 {
			fmt.Fprintf(&out, "  ... %d equal lines\n", skipped)
			skipped = 0
		}
		out.WriteString(line + "\n")
		n++
	}
	return out.String()
}
