package teach

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/cmd/internal/list"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/diag/filter"
	"github.com/sockeye-tools/sockeye/diag/filter/lang"
)

func run(main func(*cli.Env) int, args ...string) (stdout, stderr string, status int) {
	var out, words bytes.Buffer
	status = main(&cli.Env{Ctx: context.Background(), Args: append([]string{"verb"}, args...), Stdout: &out, Stderr: &words, Getenv: func(string) string { return "" }})
	return out.String(), words.String(), status
}

func TestFields(t *testing.T) {
	out, _, status := run(Fields)
	if status != 0 {
		t.Fatal(status)
	}
	for _, f := range field.All {
		if !regexp.MustCompile(`(?m)^` + f.Name + ` .*` + regexp.QuoteMeta(f.Doc) + `$`).MatchString(out) {
			t.Errorf("%s is not listed", f.Name)
		}
	}
	out, _, _ = run(Fields, "snd_cwnd", "rtt")
	for _, want := range []string{"cwnd ", "also        snd_cwnd", "in JSON     rtt_us", "unit        us"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if out, words, status := run(Fields, "rttt"); status != cli.ExitUsage || out != "" || words != "sockeye: there is no field \"rttt\": did you mean rtt?\n" {
		t.Errorf("%d %q %q", status, out, words)
	}
}

func TestSchema(t *testing.T) {
	out, _, status := run(Schema)
	if status != 0 || !json.Valid([]byte(out)) || !strings.Contains(out, `"rtt_us"`) {
		t.Errorf("%d: %s", status, out)
	}
	if _, _, status := run(Schema, "x"); status != cli.ExitUsage {
		t.Error(status)
	}
}

func TestExplain(t *testing.T) {
	out, _, status := run(Explain, "state close-wait and dport = :443", "and rtt > 100ms and process = nginx")
	if status != 0 {
		t.Fatal(status)
	}
	for _, want := range []string{
		"asks for    tcp_info\n", "owners      are looked up", "query 1     tcp, IPv4 and IPv6\n", "states    close-wait\n", "bytecode, ", "here      dport = 443 and rtt > 100ms and process = nginx\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "udp") {
		t.Errorf("UDP is asked for close-wait:\n%s", out)
	}
	out, _, _ = run(Explain, "state listen and sport = 22")
	if !strings.Contains(out, "here      nothing is left to evaluate\n") || !strings.Contains(out, "does not need them") {
		t.Error(out)
	}
	if out, _, _ := run(Explain, "proto udp and proto tcp"); !strings.Contains(out, "no query: nothing can match") {
		t.Error(out)
	}
	if _, words, status := run(Explain, "state lisen"); status != cli.ExitUsage || !strings.Contains(words, "^^^^^\n  did you mean listen?") {
		t.Errorf("%d %s", status, words)
	}
}

func TestHelp(t *testing.T) {
	out, _, _ := run(Help)
	for _, topic := range topics {
		text, _, status := run(Help, topic.name)
		if status != 0 || len(text) < 500 || !strings.Contains(out, topic.name) {
			t.Errorf("%s: %d", topic.name, status)
		}
	}
	if out, _, status := run(Help, "timer"); status != 0 || !strings.Contains(out, "keepalive (6176.47/0/0)") {
		t.Error(out)
	}
	if _, words, status := run(Help, "weather"); status != cli.ExitUsage || !strings.Contains(words, "the topics are states, timers, queues, fields, filters") {
		t.Errorf("%d %s", status, words)
	}
	for _, st := range []string{"listen", "syn-sent", "syn-recv", "established", "fin-wait-1", "fin-wait-2", "closing", "time-wait", "close-wait", "last-ack", "bound", "unconnected"} {
		if !strings.Contains(helpStates, "\n"+st+" ") {
			t.Errorf("the state %s is not explained", st)
		}
	}
}

// Each command line that the help shows is one that is understood.
func TestAnswersParse(t *testing.T) {
	n := 0
	for _, m := range regexp.MustCompile(`(?m)sockeye list (.*?)(?:\.|  .*)?$`).FindAllStringSubmatch(helpFilters+helpQueues, -1) {
		if strings.HasPrefix(m[1], "[") {
			continue
		}
		var args []string
		for _, w := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(m[1], -1) {
			args = append(args, strings.Trim(w, "'"))
		}
		o, _, err := list.Parse(args)
		if err == nil {
			_, err = lang.Parse(o.Filter, &lang.Env{Filter: filter.Env{TCP: true}, Context: &field.Context{}})
		}
		if err != nil {
			t.Errorf("%q: %v", args, err)
		}
		n++
	}
	if n < 9 {
		t.Errorf("%d command lines found", n)
	}
}
