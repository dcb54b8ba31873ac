package list

import (
	"strings"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
)

func TestParse(t *testing.T) {
	o, help, err := Parse([]string{"state", "listen", "-tlH4", "-c", "rtt", "--sort=rtt:desc", "and", "-n5", "--", "sport", ">", "80"})
	want := Options{TCP: true, Listening: true, NoHeader: true, IPv4: true, Columns: "rtt", Sort: "rtt:desc", Limit: 5, Filter: "state listen and sport > 80"}
	if err != nil || help || o != want {
		t.Errorf("%+v, %v", o, err)
	}
	if o, _, err := Parse([]string{"--watch", "1500ms", "-A", "--output", "ndjson", "-g", "state", "--having", "count > 3"}); err != nil || o.Watch != 1500*time.Millisecond || !o.AllNetNS || o.Format != "ndjson" {
		t.Errorf("%+v, %v", o, err)
	}
	if _, help, _ := Parse([]string{"-t", "--help"}); !help {
		t.Error("no help")
	}
}

// Mistakes: status 2, nothing on stdout, words that say what would be right.
func TestMistakes(t *testing.T) {
	for _, tt := range []struct{ args, words string }{
		{"--frobnicate", "unrecognized option '--frobnicate'"},
		{"--color=blue", "want auto, always, never"},
		{"-o xml", "want table, wide, json, ndjson, csv, tsv"},
		{"-n 0", "want a number from 1 on"},
		{"-w 5", "such as 2s"},
		{"--owners bpf", "write --owners=bpf, in one word"},
		{"-c rttt", "did you mean rtt?"},
		{"-s rtt:up", "want FIELD, FIELD:asc or FIELD:desc"},
		{"-g state -c avg(state)", "state is no number"},
		{"-g state -c foo(rtt)", "no figure of a group"},
		{"-g rtt/24", "only local and peer have prefixes"},
		{"-g peer/99/999", "want a prefix"},
		{"-g state --having 5", "--having"},
		{"--having count>5", "say --group-by"},
		{"--summary -o json", "use --group-by"},
		{"--summary -n 5", "--summary has its own"},
		{"rtt > 5", "needs its unit"},
		{"80", `there is no field "80"`},
	} {
		out, words, status := verb(t, nil, strings.Fields(tt.args)...)
		if status != cli.ExitUsage || out != "" || !strings.HasPrefix(words, "sockeye: ") || !strings.Contains(words, tt.words) {
			t.Errorf("%s: %d %q %q", tt.args, status, out, words)
		}
	}
}
