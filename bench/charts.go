package bench

import (
	"fmt"
	"io"
	"strings"

	"github.com/sockeye-tools/sockeye/bench/chart"
)

// tones are the colours of the tools. Two that never answer the same question can have the same.
var tones = map[string]chart.Tone{
	toolFloor: chart.FloorTone, toolSS: chart.SockeyeTone, toolNetstat: chart.Sockeye2Tone, toolList: chart.SockeyeTone,
	"ss": chart.PeerTone, "netstat": chart.PeerTone + 1, "lsof": chart.PeerTone + 2,
	"mdlayher": chart.PeerTone + 3, "mdlayher-info": chart.PeerTone + 3,
	"procfs": chart.PeerTone + 4, "vishvananda": chart.PeerTone + 4, "gopsutil": chart.PeerTone + 4,
}

func tone(tool string) chart.Tone {
	if t, ok := tones[tool]; ok {
		return t
	}
	switch {
	case strings.HasSuffix(tool, noOwners):
		return chart.PeerTone + 1
	case strings.HasPrefix(tool, "ss | "):
		return chart.PeerTone
	}
	return chart.PeerTone + 5 // given by the user
}

// WriteSVG draws a bar of wall time for each tool, in a panel for each question.
func (r *Report) WriteSVG(w io.Writer) error {
	b := chart.Bars{
		Title: "Wall time, side by side",
		Note:  fmt.Sprintf("%s; medians of %d; logarithmic; ×: as a multiple of sockeye", r.where(), r.Rounds),
	}
	for i := range r.Comparisons {
		c := &r.Comparisons[i]
		p := chart.Panel{Title: c.title()}
		for j := range c.Results {
			p.Bars = append(p.Bars, c.Results[j].bar(r.Limit))
		}
		b.Panels = append(b.Panels, p)
	}
	_, err := io.WriteString(w, b.SVG())
	return err
}

// where says in few words what the host is.
func (r *Report) where() string {
	s := fmt.Sprintf("%s %s, %d CPUs", r.Machine.System, r.Machine.Kernel, r.Machine.CPUs)
	switch {
	case r.Lab != nil:
		return s + fmt.Sprintf("; %s sockets, shape %s", formatCount(int64(r.Lab.Sockets)), r.Lab.Shape)
	case r.Sockets != nil:
		return s + fmt.Sprintf("; %s TCP sockets", formatCount(int64(r.Sockets.TCP+r.Sockets.TimeWait)))
	}
	return s
}

func (r *Result) bar(limit float64) chart.Bar {
	b := chart.Bar{Label: r.Tool, Tone: tone(r.Tool)}
	switch {
	case r.Unfinished:
		b.Seconds, b.Unfinished, b.Text = limit, true, r.note(limit)
		if r.AtLeast != nil {
			b.Text += ", >" + formatRatio(r.AtLeast.Wall)
		}
	case r.Figures == nil:
		b.Text = "failed"
	default:
		b.Seconds, b.Text = r.Wall, formatSeconds(r.Wall)
		if r.Sockeye != nil && tone(r.Tool) >= chart.PeerTone {
			b.Text += ", " + formatRatio(r.Sockeye.Wall)
		}
	}
	return b
}

// growth draws how the wall time of a question grows. The reports are in the order of their sockets.
func growth(reports []*Report, question string) *chart.Growth {
	last := reports[len(reports)-1]
	g := &chart.Growth{
		Title: question,
		Note: fmt.Sprintf("wall time, medians of %d; %s %s, %d CPUs; both axes are logarithmic",
			last.Rounds, last.Machine.System, last.Machine.Kernel, last.Machine.CPUs),
	}
	at := map[string]int{}
	for _, r := range reports {
		c := r.comparison(question)
		if c == nil || r.Lab == nil {
			continue
		}
		g.Title = c.title()
		for i := range c.Results {
			res := &c.Results[i]
			p := chart.Point{Sockets: float64(r.Lab.Sockets), Seconds: r.Limit, Unfinished: res.Unfinished}
			text := ">" + formatLimit(r.Limit)
			if !res.Unfinished {
				if res.Figures == nil || res.Wall <= 0 {
					continue
				}
				p.Seconds, text = res.Wall, formatSeconds(res.Wall)
			}
			n, ok := at[res.Tool]
			if !ok {
				n = len(g.Lines)
				at[res.Tool] = n
				g.Lines = append(g.Lines, chart.Line{Tone: tone(res.Tool), Dashed: res.Tool == toolFloor})
			}
			g.Lines[n].Label = res.Tool + " " + text
			g.Lines[n].Points = append(g.Lines[n].Points, p)
		}
	}
	return g
}
