package bench

import (
	"fmt"
	"io"
	"strings"

	"github.com/sockeye-tools/sockeye/render/names"
)

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, line := range r.preface() {
		b.WriteString(line + "\n")
	}
	for i := range r.Comparisons {
		c := &r.Comparisons[i]
		fmt.Fprintf(&b, "\n%s\n", c.title())
		c.grid(r.Limit).text(&b)
	}
	b.WriteString("\n")
	for _, line := range r.legend() {
		b.WriteString(line + "\n")
	}
	// What tools said when they failed is among it, and a report may come from anywhere.
	var out []byte
	for line := range strings.Lines(b.String()) {
		out = append(names.AppendEscaped(out, strings.TrimSuffix(line, "\n")), '\n')
	}
	_, err := w.Write(out)
	return err
}

// preface says what was compared, where and when.
func (r *Report) preface() []string {
	m := &r.Machine
	host := fmt.Sprintf("%s %s %s, %d CPUs", m.System, m.Kernel, m.Arch, m.CPUs)
	if m.CPUs == 1 {
		host = strings.TrimSuffix(host, "s")
	}
	if m.CPU != "" {
		host += " (" + m.CPU + ")"
	}
	if m.Memory != 0 {
		host += ", " + formatBytes(m.Memory) + " of memory"
	}
	if m.Load != "" {
		host += ", load " + m.Load
	}
	if m.Root {
		host += ", as root"
	} else {
		host += ", not as root"
	}
	lines := []string{"Date: " + r.Date.Format("2006-01-02 15:04 MST"), "Host: " + host}
	if s := r.Sockets; s != nil {
		lines = append(lines, fmt.Sprintf("Sockets of the network namespace: %s TCP, %s TIME_WAIT, %s UDP",
			formatCount(int64(s.TCP)), formatCount(int64(s.TimeWait)), formatCount(int64(s.UDP))))
	}
	if l := r.Lab; l != nil {
		lines = append(lines, fmt.Sprintf("Lab: %s sockets, shape %s, %d processes", formatCount(int64(l.Sockets)), l.Shape, l.Processes))
	}
	var programs []string
	for _, p := range r.Programs {
		switch {
		case p.Version == "":
			programs = append(programs, p.Name+" (version unknown)")
		case strings.HasPrefix(p.Version, p.Name):
			programs = append(programs, p.Version)
		default:
			programs = append(programs, p.Name+": "+p.Version)
		}
	}
	lines = append(lines, "Programs: "+strings.Join(programs, "; "))
	return append(lines, fmt.Sprintf("Medians of %d, after a warm-up; a run may take %s", r.Rounds, formatLimit(r.Limit)))
}

// title is the question as a heading, with the command line of the first tool that has the usual one.
func (c *Comparison) title() string {
	for _, r := range c.Results {
		if (r.Tool == toolSS || r.Tool == toolList) && len(r.Command) > 0 {
			return fmt.Sprintf("%s: %s (%s)", c.Question, c.Text, commandLine(r.Command[1:]))
		}
	}
	return c.Question + ": " + c.Text
}

func (c *Comparison) grid(limit float64) *grid {
	g := &grid{notes: true}
	g.add("TOOL", "WALL", "CPU", "PEAK RSS", "LINES", "BYTES", "WALL/SOCKEYE", "CPU/SOCKEYE", "WALL/FLOOR", "CPU/FLOOR", "NOTES")
	for i := range c.Results {
		r := &c.Results[i]
		row := []string{r.Tool, "-", "-", "-", "-", "-", "-", "-", "-", "-", r.note(limit)}
		if r.PeakRSS > 0 {
			row[3] = formatBytes(r.PeakRSS)
		}
		if f := r.Figures; f != nil {
			row[1], row[2], row[5] = formatSeconds(f.Wall), formatSeconds(f.CPU), formatBytes(f.Bytes)
			row[4] = formatCount(f.Lines)
			row[6], row[7] = f.Sockeye.format()
			row[8], row[9] = f.Floor.format()
		}
		if r.Unfinished {
			row[1] = ">" + formatLimit(limit)
			if r.AtLeast != nil {
				row[6] = ">" + formatRatio(r.AtLeast.Wall)
			}
		}
		g.add(row...)
	}
	return g
}

func (m *Multiple) format() (wall, cpu string) {
	if m == nil {
		return "-", "-"
	}
	return formatRatio(m.Wall), formatRatio(m.CPU)
}

func (r *Result) note(limit float64) string {
	switch {
	case r.Unfinished:
		return "unfinished after " + formatLimit(limit)
	case r.Error != "":
		return "failed: " + r.Error
	case r.Exit != 0:
		return fmt.Sprintf("exit status %d", r.Exit)
	case r.Figures != nil && r.Counted != nil:
		return "counts only: " + formatCount(*r.Counted)
	}
	return ""
}

// legend says what the columns are.
func (r *Report) legend() []string {
	return []string{
		"WALL is from start to end; CPU is user and system time, with that of child processes; kB, MB, GB are powers of 1000.",
		"/SOCKEYE: as a multiple of sockeye netstat for netstat and sockeye netstat, and of sockeye ss, or list, for all others.",
		"/FLOOR: as a multiple of the floor, which sends the requests of ss, receives the answers, and looks up no owner (with --scan, one that is not there).",
	}
}
