package list

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/check"
)

// colours are what a terminal may get besides text, to set them.
var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// FuzzCommandLine: any command line, and any answer of the kernel, come to an end with one of the three statuses, and with words where it
// failed; what is printed is fit for a terminal, and JSON is JSON.
func FuzzCommandLine(f *testing.F) {
	listen := append([]byte{8, 0, 72, 0, 2, 10}, make([]byte, 70)...)
	for _, line := range []string{
		"", "-t -o json", "-o ndjson -c all", "-o csv -c local,peer,rtt", "-g state,peer/24 -c count,p99(rtt)", "-s rtt:desc,local -n 2", "--summary", "-l4u",
		"-g process --having count>1", "--having p99(rtt)>100ms -g proto -o json", "state = listen", "rtt > 100ms or not process = x", "-o tsv -H -c +cookie", "-w 1",
		"-n 0", "-c nothing", "-s", "--=", "-\xff", "-g local/64 -s count", "-o wide", "!!((", "state in (listen, close-wait)", "--color=always -g proto",
	} {
		f.Add(line, listen)
		f.Add(line, append(listen[:len(listen):len(listen)], 0, 0, 4, 0, 0, 0, 0, 0))
	}
	f.Add("-o json", []byte{1, 0, 20, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	proc := f.TempDir()
	f.Fuzz(func(t *testing.T, line string, answer []byte) {
		args := strings.Fields(line)
		if len(line) > 500 || check.Terminal([]byte(line)) != "" {
			return
		}
		o, _, err := Parse(args)
		// Other namespaces are the machine's own, --watch goes on for ever, and a host name would be looked up.
		if err == nil && (o.AllNetNS || o.Watch > 0) || strings.Contains(line, "src") || strings.Contains(line, "dst") || strings.Contains(line, "local") && strings.ContainsAny(line, "=<>!") ||
			strings.Contains(line, "peer") && strings.ContainsAny(line, "=<>!") {
			return
		}
		check.Time(t, time.Minute, func() string { return fmt.Sprintf("%q %x", args, answer) })
		var stdout, stderr bytes.Buffer
		status := Main(&cli.Env{
			Ctx: t.Context(), Args: append([]string{"list"}, args...), Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
			Getenv: func(string) string { return "" }, Owners: owner.Config{Backend: owner.Proc, Proc: proc},
			Kernel: diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram { return diagtest.Fuzzed(r, answer) }).Config(),
		})
		switch {
		case !slices.Contains([]int{cli.ExitOK, cli.ExitFailed, cli.ExitUsage}, status):
			t.Errorf("list %q: status %d", args, status)
		case status != cli.ExitOK && stderr.Len() == 0:
			t.Errorf("list %q: status %d without a word", args, status)
		}
		also := []rune{}
		if o.Format == "tsv" {
			also = append(also, '\t')
		}
		if o.Format == "csv" || o.Format == "tsv" { // RFC 4180 ends lines so
			also = append(also, '\r')
		}
		text := stdout.Bytes()
		if o.Color == "always" {
			text = colours.ReplaceAll(text, nil)
		}
		if why := check.Terminal(text, also...); why != "" {
			t.Errorf("list %q: %s", args, why)
		}
		if why := check.Terminal(stderr.Bytes()); why != "" {
			t.Errorf("list %q: stderr: %s", args, why)
		}
		if o.Format == "ndjson" && err == nil && status != cli.ExitUsage {
			for row := range bytes.Lines(stdout.Bytes()) {
				if !json.Valid(row) {
					t.Errorf("list %q: %q", args, row)
				}
			}
		}
		if o.Format == "json" && err == nil && status != cli.ExitUsage && stdout.Len() > 0 && !json.Valid(stdout.Bytes()) {
			t.Errorf("list %q: %q", args, &stdout)
		}
	})
}

// FuzzKeys: orders, groups and conditions on groups, of any words, are taken or refused with words.
func FuzzKeys(f *testing.F) {
	f.Add("rtt:desc,local", "peer/24,process", "count > 1000 and p99(rtt) > 100ms")
	f.Add(",", "/", ">")
	f.Add("rtt:up", "peer/999", "sum() = 1")
	f.Fuzz(func(t *testing.T, sort, group, having string) {
		var words bytes.Buffer
		env := &cli.Env{Ctx: t.Context(), Stdout: &words, Stderr: &words, Getenv: func(string) string { return "" }}
		for _, o := range []Options{{Sort: sort}, {Group: group, Having: having, Sort: sort}, {Columns: group}, {Group: group, Columns: having, Format: "json"}} {
			l, err := newLister(env, o, &words)
			if l == nil && err == nil {
				t.Errorf("%+v: nothing", o)
			}
			if _, ok := errors.AsType[*usageError](err); err != nil && (!ok || err.Error() == "") {
				t.Errorf("%+v: %#v is no error of usage", o, err)
			}
		}
	})
}
