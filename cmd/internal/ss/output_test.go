package ss

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/diag/owner"
)

// overRecording runs a command line over the recorded scene, with the owners of this host: none of its sockets has one.
func overRecording(t *testing.T, line string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	env := &cli.Env{
		Ctx: t.Context(), Args: append([]string{"ss"}, strings.Fields(line)...), Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		Getenv: func(string) string { return "" }, Owners: owner.Config{Backend: owner.Proc},
		Kernel: diagtest.Load(t, "../../../testdata/scene.nl").Replay(t).Config(),
	}
	status := Main(env)
	return result{stdout.String(), stderr.String(), status}
}

var cookies = regexp.MustCompile(` sk:([0-9a-f]+)`)

// Records are of the same sockets that the lines are of, in the same order, whatever picks them.
func TestOutputHasTheSameSockets(t *testing.T) {
	for _, line := range []string{
		"-tan", "-tuan", "-tln", "-t", "-tan4", "-tan6", "-uan", "-tan state close-wait", "-tan sport = :22 or dport = :22", "-tan dst 127.0.0.0/8", "-tanB",
	} {
		text := overRecording(t, line+" -e")
		var want []string
		for _, m := range cookies.FindAllStringSubmatch(text.stdout, -1) {
			want = append(want, m[1])
		}
		for _, format := range []string{"json", "ndjson"} {
			got := overRecording(t, "--output "+format+" "+line)
			if got.status != 0 || got.stderr != "" {
				t.Errorf("%s %s: status %d, %q", line, format, got.status, got.stderr)
			}
			var have []string
			for _, row := range rows(t, format, got.stdout) {
				have = append(have, fmt.Sprintf("%x", row["cookie"]))
			}
			if !slices.Equal(have, want) {
				t.Errorf("%s %s: %d sockets %q, want %d %q", line, format, len(have), have, len(want), want)
			}
		}
		if len(want) == 0 {
			t.Errorf("%s: the recording has no such socket", line)
		}
	}
}

func rows(t *testing.T, format, text string) (all []map[string]any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	read := func(v any) error {
		err := d.Decode(v)
		if err != nil && err != io.EOF {
			t.Fatalf("%v: %s", err, text)
		}
		return err
	}
	if format == "json" {
		read(&all)
	} else {
		for {
			var row map[string]any
			if read(&row) != nil {
				break
			}
			all = append(all, row)
		}
	}
	for _, row := range all {
		if c, ok := row["cookie"].(float64); ok {
			row["cookie"] = uint64(c)
		}
	}
	return all
}

// Options that widen the lines widen the records.
func TestOutputHasWhatOptionsAskFor(t *testing.T) {
	for _, tt := range []struct{ line, key string }{
		{"-tan -i", "rtt_us"}, {"-tan -i", "cong"}, {"-tan -m", "rcvbuf_bytes"}, {"-tan --tos", "class_id"}, {"-tan --inet-sockopt", "freebind"}, {"-tan -p", "no_owner"},
	} {
		has := func(line string) bool {
			return slices.ContainsFunc(rows(t, "json", overRecording(t, line+" --output=json").stdout), func(row map[string]any) bool { return row[tt.key] != nil })
		}
		if !has(tt.line) || has("-tan") {
			t.Errorf("%s of %s: %v; of -tan: %v", tt.key, tt.line, has(tt.line), has("-tan"))
		}
	}
}

// What has no records is refused, if it was asked for by name; abbreviations mean what they did.
func TestOutputMistakes(t *testing.T) {
	for _, tt := range []struct {
		line   string
		stderr string
		status int
	}{
		{"--output", "ss: option '--output' requires an argument\n" + usage, exitUsage},
		{"--output xml", "ss: --output xml: want json or ndjson\n" + usage, exitUsage},
		{"-s --output json", "ss: -s does not go with --output\n", exitUsage},
		{"-E --output json", "ss: -E does not go with --output\n", exitUsage},
		{"-D - --output json", "ss: -D does not go with --output\n", exitUsage},
		{"-b --output json", "ss: -b does not go with --output\n", exitUsage},
		{"-tpT --output json", "ss: -T does not go with --output\n", exitUsage},
		{"-tx --output json", "ss: --output json has sockets of IPv4 and IPv6 alone: choose of -t -u -w -S -M\n", exitUsage},
		{"--o", "ss: option '--o' is ambiguous; possibilities: '--options' '--oneline'\n" + usage, exitUsage},
	} {
		if got := overRecording(t, tt.line); got != (result{"", tt.stderr, tt.status}) {
			t.Errorf("%s: %+v", tt.line, got)
		}
	}
	if got := overRecording(t, "--op -tan"); got.status != 0 || !strings.Contains(got.stdout, "timer:(") {
		t.Errorf("--op: %+v", got)
	}
	got := overRecording(t, "-a --output ndjson")
	if got.status != 0 || !strings.HasPrefix(got.stderr, "ss: sockets of other families") || !strings.Contains(got.stdout, `"proto":"udp"`) {
		t.Errorf("-a: status %d, %q", got.status, got.stderr)
	}
}
