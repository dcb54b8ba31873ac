package list

import (
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
)

// documented finds command lines of the verb in Markdown, and in the topics of help.
var documented = regexp.MustCompile("`sockeye list ([^`]*)`" + `|(?m)  sockeye list (.*?)(?:      .*)?$`)

// words splits a line as a shell does that knows blanks and single quotes.
func words(line string) (all []string) {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			all = append(all, part)
		} else {
			all = append(all, strings.Fields(part)...)
		}
	}
	return all
}

// What the documentation says can be typed can be typed, and help has the same answers.
func TestDocumentedCommandLines(t *testing.T) {
	lines := map[string]int{}
	for _, file := range []string{"../../../docs/questions.md", "../../../README.md", "../teach/topics.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range documented.FindAllStringSubmatch(string(text), -1) {
			line := m[1] + m[2]
			if strings.HasPrefix(line, "[OPTIONS]") {
				continue
			}
			lines[line]++
			o, _, err := Parse(words(line))
			if err == nil {
				env := &cli.Env{Ctx: t.Context(), Stdout: io.Discard, Stderr: io.Discard, Getenv: func(string) string { return "" }}
				_, err = newLister(env, o, io.Discard)
			}
			if err != nil {
				t.Errorf("%s: sockeye list %s: %v", file, line, err)
			}
		}
	}
	twice := 0
	for _, n := range lines {
		if n > 1 {
			twice++
		}
	}
	if twice < 8 {
		t.Errorf("help and the documentation share %d answers: %v", twice, lines)
	}
}
