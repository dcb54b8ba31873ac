package bench

import (
	"testing"

	"github.com/sockeye-tools/sockeye/bench/chart"
)

func TestWriteSVG(t *testing.T) {
	golden(t, "report.svg", written(t, testReport(1_000_000).WriteSVG))
}

func TestGrowth(t *testing.T) {
	g := growth([]*Report{testReport(1000), testReport(100_000), testReport(1_000_000)}, "tanp")
	golden(t, "growth.svg", g.SVG())
	lines := map[string]chart.Line{}
	for _, l := range g.Lines {
		lines[l.Label] = l
	}
	ss, ok := lines["ss >120 s"]
	if !ok || len(ss.Points) != 3 || ss.Points[1].Unfinished || !ss.Points[2].Unfinished || ss.Points[2].Seconds != 120 || ss.Points[2].Sockets != 1e6 {
		t.Errorf("ss: %+v of %v", ss, lines)
	}
	if l, ok := lines["sockeye ss 1.71 s"]; !ok || l.Tone != chart.SockeyeTone || l.Dashed {
		t.Errorf("sockeye ss: %+v of %v", l, lines)
	}
	if len(lines) != 3 {
		t.Errorf("%d lines, want those of ss, sockeye ss and mine: lsof has no figures", len(lines))
	}
	g = growth([]*Report{testReport(1000)}, "tan")
	if !g.Lines[0].Dashed || g.Lines[0].Tone != chart.FloorTone {
		t.Errorf("floor: %+v", g.Lines[0])
	}
}

// Tools that answer the same question do not share a colour.
func TestTones(t *testing.T) {
	one := []string{"/x"}
	p := Programs{Sockeye: one, SS: one, Netstat: one, Lsof: one, GoPeers: "/x", Others: []Peer{{"mine", one}}}
	for _, q := range Questions() {
		seen := map[chart.Tone]string{}
		for _, tl := range p.tools(q) {
			if other := seen[tone(tl.name)]; other != "" {
				t.Errorf("%s: %s and %s have the same colour", q.Name, tl.name, other)
			}
			seen[tone(tl.name)] = tl.name
		}
	}
}
