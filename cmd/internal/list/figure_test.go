package list

import (
	"testing"

	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/internal/shape"
)

func TestFigure(t *testing.T) {
	g := &grouper{l: &lister{}}
	for word, json := range map[string]string{
		"count": "count", "sum(rtt)": "sum_rtt_us", "avg(cwnd)": "avg_cwnd_segments", "p1(rtt)": "p1_rtt_us", "p99(rtt)": "p99_rtt_us", "max( send-q )": "max_send_q_bytes",
	} {
		f, err := g.figure(word)
		if err != nil || f.json != json {
			t.Errorf("%s: %q, %v", word, f.json, err)
		}
	}
	if len(g.fields) != 3 || len(g.groups.Values) != 3 { // rtt, cwnd, send_q
		t.Errorf("%d fields, %v", len(g.fields), g.groups.Values)
	}
	for _, word := range []string{"", "sum", "sum(", "sum(rtt", "sum(nothing)", "sum(state)", "sum(pid)", "p0(rtt)", "p100(rtt)", "p-1(rtt)", "p+1(rtt)", "median(rtt)", "count(rtt)"} {
		if f, err := g.figure(word); err == nil {
			t.Errorf("%q: %+v", word, f)
		}
	}
}

// A figure of numbers that no socket of the group has is absent.
func TestFigureValue(t *testing.T) {
	groups := shape.Groups{Figures: 1, Values: []bool{true}}
	some, none := groups.Of([]byte("some")), groups.Of([]byte("none"))
	for _, v := range []uint64{10, 20, 60} {
		groups.Add(some, 0, v)
	}
	for fn, want := range map[string]uint64{"sum": 90, "min": 10, "max": 60, "avg": 30, "p": 20} {
		f := figure{fn: fn, pct: 50, unit: field.None}
		if v, ok := f.value(some); !ok || v != want {
			t.Errorf("%s: %d, %v, want %d", fn, v, ok, want)
		}
		if v, ok := f.value(none); ok {
			t.Errorf("%s of nothing: %d", fn, v)
		}
	}
	if v, ok := (&figure{fn: "count"}).value(none); !ok || v != 1 {
		t.Errorf("count: %d, %v", v, ok)
	}
}
