package guest

import (
	"bufio"
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// A Verdict is what a test binary's output (-test.v) says, subtests and all.
type Verdict struct {
	Passed  int
	Failed  []string // the names of tests
	Skipped []Skip
	Facts   map[string]string // what tests logged as "fact: NAME: VALUE"
}

// A Skip is a test that was skipped, with the reason that it gave.
type Skip struct{ Test, Reason string }

var (
	turnLine = regexp.MustCompile(`^=== (?:RUN|NAME|CONT)\s+(\S+)$`)
	endLine  = regexp.MustCompile(`^\s*--- (PASS|FAIL|SKIP): (\S+) \([0-9.]+s\)$`)
	logLine  = regexp.MustCompile(`^\s+[\w.-]+\.go:\d+: (.*)$`)
	factText = regexp.MustCompile(`^fact: ([^:]+): (.*)$`)
)

// ParseVerdict reads the output of a test binary. A test that began and never ended (a panic, the time limit) has
// failed. Lines can have up to 1 MiB; a longer one is a failure, too.
func ParseVerdict(output []byte) Verdict {
	v := Verdict{Facts: map[string]string{}}
	var order []string
	open := map[string]bool{}
	said := map[string]string{} // the last log line of a test
	current := ""
	lines := bufio.NewScanner(bytes.NewReader(output))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if m := turnLine.FindStringSubmatch(line); m != nil {
			current = m[1]
			if _, known := open[current]; !known {
				order = append(order, current)
				open[current] = true
			}
			continue
		}
		if m := endLine.FindStringSubmatch(line); m != nil {
			open[m[2]] = false
			switch m[1] {
			case "PASS":
				v.Passed++
			case "FAIL":
				v.Failed = append(v.Failed, m[2])
			case "SKIP":
				v.Skipped = append(v.Skipped, Skip{m[2], said[m[2]]})
			}
			continue
		}
		if m := logLine.FindStringSubmatch(line); m != nil {
			said[current] = m[1]
			if f := factText.FindStringSubmatch(m[1]); f != nil {
				v.Facts[f[1]] = strings.TrimSpace(f[2])
			}
		}
	}
	if err := lines.Err(); err != nil { // a line is too long: what comes after it was not read
		v.Failed = append(v.Failed, fmt.Sprintf("(output: %v)", err))
	}
	for _, name := range order {
		if open[name] {
			v.Failed = append(v.Failed, name)
		}
	}
	return v
}
