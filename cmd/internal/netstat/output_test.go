package netstat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag/diagtest"
)

// overRecording runs a command line over the recorded scene.
func overRecording(t *testing.T, line string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	env := newEnv(t.Context(), strings.Fields(line)...)
	env.Stdout, env.Stderr = &stdout, &stderr
	env.Kernel = diagtest.Load(t, "../../../testdata/scene.nl").Replay(t).Config()
	status := Main(env)
	return result{stdout.String(), stderr.String(), status}
}

// Records are of the same sockets that the table's rows are of, in the same order.
func TestOutputHasTheSameSockets(t *testing.T) {
	for _, line := range []string{"-tanW", "-tuanW", "-tlnW", "-tnW", "-uanW", "-tan4W", "-tan6W", "-tanWe"} {
		var want []string
		for row := range strings.Lines(overRecording(t, line).stdout) {
			f := strings.Fields(row)
			if strings.HasPrefix(row, "tcp") || strings.HasPrefix(row, "udp") {
				want = append(want, strings.TrimSuffix(f[0], "6")+" "+lastColon(f[3])+" "+lastColon(f[4]))
			}
		}
		var have []string
		got := overRecording(t, line+" --output json")
		var rows []map[string]any
		if err := json.Unmarshal([]byte(got.stdout), &rows); err != nil || got.status != 0 || got.stderr != "" {
			t.Fatalf("%s: %v, status %d, %q", line, err, got.status, got.stderr)
		}
		for _, row := range rows {
			have = append(have, fmt.Sprintf("%v %s %s", row["proto"], portWord(row["local_port"]), portWord(row["peer_port"])))
		}
		if !slices.Equal(have, want) || len(want) == 0 {
			t.Errorf("%s: %d sockets %q, want %d %q", line, len(have), have, len(want), want)
		}
	}
}

func lastColon(s string) string { return s[strings.LastIndexByte(s, ':')+1:] }

func portWord(v any) string {
	if v == nil {
		return "*"
	}
	return fmt.Sprint(v)
}

func TestOutputOwners(t *testing.T) {
	for line, want := range map[string]bool{"-tanp": true, "-tan": false} {
		if got := overRecording(t, line+" --output ndjson"); strings.Contains(got.stdout, `"no_owner":`) != want || got.status != 0 {
			t.Errorf("%s: status %d, %s", line, got.status, got.stdout)
		}
	}
}

func TestOutputMistakes(t *testing.T) {
	for _, tt := range []struct {
		line, stderr string
		status       int
	}{
		{"--output", "netstat: option '--output' requires an argument\n", exitUsage},
		{"--output xml", "netstat: --output xml: want json or ndjson\n", exitUsage},
		{"-r --output json", "netstat: -r does not go with --output json", exitUsage},
		{"-s --output json", "netstat: -s does not go with --output json", exitUsage},
		{"-tx --output json", "netstat: -x does not go with --output json", exitUsage},
		{"-g --output json", "netstat: -g does not go with --output json", exitUsage},
	} {
		if got := overRecording(t, tt.line); got.stdout != "" || !strings.HasPrefix(got.stderr, tt.stderr) || got.status != tt.status {
			t.Errorf("%s: %+v", tt.line, got)
		}
	}
	got := overRecording(t, "-an --output ndjson")
	if got.status != 0 || !strings.Contains(got.stderr, "sockets of other families") || !strings.Contains(got.stdout, `"proto":"udp"`) {
		t.Errorf("-an: status %d, %q", got.status, got.stderr)
	}
}
