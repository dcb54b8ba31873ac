package records

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
)

func TestTake(t *testing.T) {
	for _, tt := range []struct{ args, rest, format, err string }{
		{"ss -tan", "ss -tan", "", ""},
		{"ss --output json -tan", "ss -tan", "json", ""},
		{"ss -tan --output=ndjson state listen", "ss -tan state listen", "ndjson", ""},
		{"ss --output json --output=ndjson", "ss", "ndjson", ""},
		{"ss -tan -- --output json", "ss -tan -- --output json", "", ""},
		{"--output json", "--output json", "", ""}, // the program's name
		{"ss --o", "ss --o", "", ""},
		{"ss --outpu json", "ss --outpu json", "", ""},
		{"ss --output", "", "", "option '--output' requires an argument"},
		{"ss --output=", "", "", "--output : want json or ndjson"},
		{"ss --output csv", "", "", "--output csv: want json or ndjson"},
	} {
		args := strings.Fields(tt.args)
		rest, format, err := Take(args)
		if tt.err != "" {
			if err == nil || err.Error() != tt.err {
				t.Errorf("%s: %v, want %s", tt.args, err, tt.err)
			}
			continue
		}
		if err != nil || strings.Join(rest, " ") != tt.rest || format != tt.format {
			t.Errorf("%s: %q, %q, %v", tt.args, rest, format, err)
		}
		if strings.Join(args, " ") != tt.args {
			t.Errorf("%s: the arguments were changed: %q", tt.args, args)
		}
	}
}

// each calls f with the TCP sockets of the recorded scene.
func each(t *testing.T, f func(*diag.InetSocket)) {
	t.Helper()
	c, err := diag.Dial(diagtest.Load(t, "../../../testdata/scene.nl").Replay(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for s, err := range c.Inet(t.Context(), diag.InetQuery{Protocol: diag.TCP, Ext: 0xff}) {
		if err != nil {
			t.Fatal(err)
		}
		f(s)
	}
}

// What is wanted is there, and what is not wanted is not.
func TestWants(t *testing.T) {
	probes := map[string]func(Wants) bool{
		"state":               func(Wants) bool { return true },
		"cookie":              func(Wants) bool { return true },
		"rtt_us":              func(w Wants) bool { return w.Info },
		"cong":                func(w Wants) bool { return w.Info },
		"rcvbuf_bytes":        func(w Wants) bool { return w.Memory },
		"class_id":            func(w Wants) bool { return w.TOS },
		"freebind":            func(w Wants) bool { return w.Options },
		"no_owner":            func(w Wants) bool { return w.Owners },
		"out_rate_per_second": func(Wants) bool { return false },
	}
	for _, wants := range []Wants{{}, {Owners: true}, {Info: true}, {Memory: true}, {TOS: true}, {Options: true}, {true, true, true, true, true, ""}} {
		var out bytes.Buffer
		p := New(&out, "json", wants)
		n := 0
		each(t, func(s *diag.InetSocket) {
			n++
			if err := p.Socket(s); err != nil {
				t.Fatal(err)
			}
		})
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		var rows []map[string]any
		if err := json.Unmarshal(out.Bytes(), &rows); err != nil {
			t.Fatal(err)
		}
		if len(rows) != n || n < 30 {
			t.Errorf("%d of %d sockets", len(rows), n)
		}
		all := map[string]any{}
		for _, row := range rows {
			maps.Copy(all, row)
		}
		for key, want := range probes {
			if _, got := all[key]; got != want(wants) {
				t.Errorf("%+v: %s: %v; there are %q", wants, key, got, slices.Sorted(maps.Keys(all)))
			}
		}
	}
}

func TestNoAllocation(t *testing.T) {
	var out bytes.Buffer
	p := New(&out, "ndjson", Wants{Owners: true})
	n := 0
	each(t, func(s *diag.InetSocket) {
		if n++; n%10 != 0 {
			return
		}
		if err := p.Socket(s); err != nil {
			t.Fatal(err)
		}
		if a := testing.AllocsPerRun(10, func() {
			out.Reset()
			p.Socket(s)
		}); a != 0 {
			t.Errorf("%v allocations", a)
		}
	})
}
