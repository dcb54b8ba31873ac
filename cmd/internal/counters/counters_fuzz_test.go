package counters

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/check"
)

// FuzzCommandLine: any command line on any files comes to an end with one of the three statuses; what is printed is fit for a terminal.
func FuzzCommandLine(f *testing.F) {
	f.Add("retrans", "TcpExt: A TCPTimeouts\nTcpExt: 1 2\n", "Ip6InReceives 3\n")
	f.Add("--json --nonzero tcpext.*[a-z", "TcpExt: A\x1b B\nTcpExt: 1 -2\n", "x\n")
	f.Add("--watch 1ms *", "", "")
	f.Add("[", "Ip: A\nIp: 18446744073709551615\n", "\xff 1\n")
	proc := f.TempDir()
	if err := os.MkdirAll(filepath.Join(proc, "net"), 0o700); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line, pairs, lines string) {
		args := strings.Fields(line)
		if o, err := parse(args); err == nil && o.watch > 0 { // goes on for ever
			return
		}
		for name, text := range map[string]string{"snmp": pairs, "netstat": pairs, "snmp6": lines} {
			if err := os.WriteFile(filepath.Join(proc, "net", name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var stdout, stderr bytes.Buffer
		status := Main(&cli.Env{
			Ctx: t.Context(), Args: append([]string{"counters"}, args...), Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
			Getenv: func(string) string { return "" }, Owners: owner.Config{Proc: proc},
		})
		if !slices.Contains([]int{cli.ExitOK, cli.ExitFailed, cli.ExitUsage}, status) || status != cli.ExitOK && stderr.Len() == 0 {
			t.Errorf("counters %q: status %d, %q", args, status, &stderr)
		}
		if why := check.Terminal(stdout.Bytes()); why != "" {
			t.Errorf("counters %q: %s", args, why)
		}
		if o, err := parse(args); err == nil && o.json && stdout.Len() > 0 && !json.Valid(stdout.Bytes()) {
			t.Errorf("counters %q: %q", args, &stdout)
		}
	})
}
