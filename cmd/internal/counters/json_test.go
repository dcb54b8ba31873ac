package counters

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
)

func TestWatchJSON(t *testing.T) {
	type counter struct {
		Key   string
		Value json.Number
		Delta *int64
		Rate  *float64 `json:"rate_per_s"`
		Kind  string
	}
	var got []map[string]counter
	d := json.NewDecoder(strings.NewReader(watch(t, "--json", "--watch=20ms")))
	for d.More() {
		var r struct {
			Interval *float64 `json:"interval_s"`
			Counters []counter
		}
		if err := d.Decode(&r); err != nil {
			t.Fatal(err)
		}
		if first := len(got) == 0; first != (r.Interval == nil) || !first && (*r.Interval < 0.02 || *r.Interval > 60) {
			t.Errorf("round %d: interval_s %v", len(got)+1, r.Interval)
		}
		m := map[string]counter{}
		for _, c := range r.Counters {
			m[c.Key] = c
			switch known := c.Delta != nil; {
			case known != (c.Rate != nil) && c.Kind != "gauge":
				t.Errorf("round %d: %s has a difference or a rate", len(got)+1, c.Key)
			case len(got) == 0 && known:
				t.Errorf("the first round knows how %s has changed", c.Key)
			case known && c.Rate != nil && (*c.Delta == 0) != (*c.Rate == 0):
				t.Errorf("%s: difference %d, rate %v", c.Key, *c.Delta, *c.Rate)
			case c.Kind == "gauge" && c.Rate != nil:
				t.Errorf("%s is a gauge and has a rate", c.Key)
			}
		}
		got = append(got, m)
	}
	if len(got) != 3 {
		t.Fatalf("%d rounds", len(got))
	}
	if c := got[1]["Tcp.RetransSegs"]; c.Value != "17" || *c.Delta != 10 || c.Kind != "counter" {
		t.Errorf("got %+v", c)
	}
	if c := got[1]["IcmpMsg.InType3"]; c.Delta != nil {
		t.Errorf("a counter that is new has grown by %d", *c.Delta)
	}
	if c := got[2]["Tcp.CurrEstab"]; c.Value != "1" || *c.Delta != 0 || c.Kind != "gauge" {
		t.Errorf("got %+v", c)
	}
}

func TestJSON(t *testing.T) {
	proc := t.TempDir()
	odd := maps.Clone(small)
	odd["netstat"] = "Odd\x1b\xff: Q\"<\nOdd\x1b\xff: 1\n" + small["netstat"]
	odd.write(t, proc)
	got := run(t, proc, "--json")
	if got.status != cli.ExitOK || got.stderr != "" || strings.Count(got.stdout, "\n") != 1 {
		t.Fatalf("%+v", got)
	}
	var r map[string]json.RawMessage
	if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
		t.Fatal(err)
	}
	if keys := slices.Sorted(maps.Keys(r)); !slices.Equal(keys, []string{"counters", "time"}) {
		t.Errorf("keys %q", keys)
	}
	var rows []json.RawMessage
	if err := json.Unmarshal(r["counters"], &rows); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"key":"Ip.InReceives","file":"snmp","section":"Ip","name":"InReceives","kind":"counter","value":18446744073709551615,"meaning":"packets received, those with errors included"}`,
		`{"key":"Tcp.MaxConn","file":"snmp","section":"Tcp","name":"MaxConn","kind":"gauge","value":-1,"meaning":"most connections there can be; -1: no limit"}`,
		`{"key":"TcpExt.TCPTimeouts","file":"netstat","section":"TcpExt","name":"TCPTimeouts","kind":"counter","value":9007199254740993,"meaning":"retransmission timeouts that nothing had announced"}`,
		`{"key":"TcpExt.BrandNew","file":"netstat","section":"TcpExt","name":"BrandNew","value":4}`,
		`{"key":"Udp6.NoPorts","file":"snmp6","section":"Udp6","name":"Udp6NoPorts","kind":"counter","value":0,"meaning":"datagrams received for a port that no socket had"}`,
		`{"key":"Odd\u001b\ufffd.Q\"<","file":"netstat","section":"Odd\u001b\ufffd","name":"Q\"<","value":1}`,
	} {
		if !slices.ContainsFunc(rows, func(r json.RawMessage) bool { return string(r) == want }) {
			t.Errorf("no %s in\n%s", want, got.stdout)
		}
	}
	if got := run(t, proc, "--json", "noports", "--nonzero"); !strings.HasSuffix(got.stdout, `"counters":[]}`+"\n") {
		t.Errorf("no counters: %+v", got)
	}
	if got := run(t, proc, "odd"); !strings.Contains(got.stdout, `Odd\033\377.Q"<`) {
		t.Errorf("control characters: %+v", got)
	}
}
