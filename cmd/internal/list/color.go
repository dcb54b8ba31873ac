package list

import (
	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/render/table"
)

// colors are the values of --color.
var colors = []string{"auto", "always", "never"}

// wantsColor reports whether tables are coloured. Unless --color says so they are on a terminal only; NO_COLOR (no-color.org) and
// TERM=dumb keep them plain, CLICOLOR_FORCE (bixense.com/clicolors) colours them anywhere.
func wantsColor(env *cli.Env, when string) bool {
	switch when {
	case "always":
		return true
	case "never":
		return false
	}
	force := env.Getenv("CLICOLOR_FORCE")
	switch {
	case env.Getenv("NO_COLOR") != "":
		return false
	case force != "" && force != "0":
		return true
	case env.Getenv("CLICOLOR") == "0" || env.Getenv("TERM") == "dumb" || env.Getenv("TERM") == "":
		return false
	}
	_, ok := env.TerminalSize()
	return ok
}

// telling are the fields whose numbers, and flags, stand out when they are not 0.
var telling = map[string]table.Style{
	"accept_full": table.Problem, "drops": table.Problem, "lost": table.Problem, "backoff": table.Problem, "probes": table.Problem,
	"retransmits": table.Problem, "retrans": table.Problem, "recv_q": table.Notice, "send_q": table.Notice, "accept_q": table.Notice,
	"notsent": table.Notice, "retrans_total": table.Notice, "retrans_rate": table.Problem, "total_rto": table.Notice, "bytes_retrans": table.Notice,
}

// styleOf returns how the values of a field stand out; nil: they do not.
func styleOf(c *field.Context, f *field.Field) func(*diag.InetSocket) table.Style {
	switch f.Name {
	case "state":
		return func(s *diag.InetSocket) table.Style { return table.StateStyle(field.StateName(s)) }
	case "change":
		return func(s *diag.InetSocket) table.Style {
			switch word, _ := f.Word()(c, s); word {
			case "new":
				return table.Strong
			case "gone":
				return table.Faint
			}
			return table.Plain
		}
	}
	style, ok := telling[f.Name]
	if !ok {
		return nil
	}
	return func(s *diag.InetSocket) table.Style {
		if v, ok := f.Plain(c, s); ok && v > 0 {
			return style
		}
		return table.Plain
	}
}
