// Command table puts what tests counted into a document, between the lines <!-- counts --> and <!-- /counts -->.
//
//	go run ./internal/counts/table COUNTS docs/trust.md
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/sockeye-tools/sockeye/internal/counts"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: table COUNTS DOCUMENT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "table: %v\n", err)
		os.Exit(1)
	}
}

func run(from, into string) error {
	lines, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	sums, err := add(lines)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	document, err := os.ReadFile(into)
	if err != nil {
		return err
	}
	table := render(sums)
	if document, err = replace(document, table); err != nil {
		return fmt.Errorf("%s: %w", into, err)
	}
	os.Stdout.Write(table)
	return os.WriteFile(into, document, 0o644)
}

// sum is what all tests counted of one thing.
type sum struct{ n, tests int }

// add sums up lines as package counts writes them.
func add(lines []byte) (map[string]sum, error) {
	sums := map[string]sum{}
	tests := map[string]bool{}
	for line := range bytes.Lines(lines) {
		f := strings.Split(strings.TrimSuffix(string(line), "\n"), "\t")
		if len(f) != 3 {
			return nil, fmt.Errorf("%q has %d fields, want 3", line, len(f))
		}
		n, err := strconv.Atoi(f[1])
		if err != nil {
			return nil, err
		}
		s := sums[f[0]]
		s.n += n
		// The subtests of a test are one.
		if test, _, _ := strings.Cut(f[2], "/"); !tests[f[0]+"\t"+test] {
			tests[f[0]+"\t"+test] = true
			s.tests++
		}
		sums[f[0]] = s
	}
	return sums, nil
}

// render makes a Markdown table. What was not counted has a dash: it is not 0.
func render(sums map[string]sum) []byte {
	b := []byte("| what | how many | tests |\n|---|--:|--:|\n")
	for _, name := range counts.Names {
		if s, ok := sums[name]; ok {
			b = fmt.Appendf(b, "| %s | %s | %d |\n", name, grouped(s.n), s.tests)
		} else {
			b = fmt.Appendf(b, "| %s | - | |\n", name)
		}
	}
	return b
}

// grouped writes a number with a comma before each three digits.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

var begin, end = []byte("<!-- counts -->\n"), []byte("<!-- /counts -->\n")

var errMarks = errors.New("no lines <!-- counts --> and <!-- /counts -->")

// replace puts the table between the marks.
func replace(document, table []byte) ([]byte, error) {
	head, rest, ok := bytes.Cut(document, begin)
	_, tail, closed := bytes.Cut(rest, end)
	if !ok || !closed {
		return nil, errMarks
	}
	return bytes.Join([][]byte{head, begin, []byte("\n"), table, []byte("\n"), end, tail}, nil), nil
}
