package teach

import (
	"fmt"
	"strings"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/diag/filter"
	"github.com/sockeye-tools/sockeye/diag/filter/lang"
)

// Explain is the verb that shows how a filter is carried out.
func Explain(env *cli.Env) int {
	if help(env, "Usage: sockeye explain FILTER\n\nShows what of a filter the kernel evaluates, and what is left to this program.\n") {
		return cli.ExitOK
	}
	text := strings.Join(env.Args[1:], " ")
	fenv := filter.SystemEnv()
	x, err := lang.Parse(text, &lang.Env{Filter: fenv, Context: &field.Context{}})
	if err != nil {
		return fail(env, cli.ExitUsage, "%v", err)
	}
	w := env.Stdout
	tree := "everything"
	if x.Tree != nil {
		tree = filter.New(x.Tree, 0).String()
	}
	fmt.Fprintf(w, "filter      %s\n", tree)
	ext := "nothing beyond the basic message"
	if e := x.Ext(); e != 0 {
		ext = strings.Join(extNames(e), ", ")
	}
	fmt.Fprintf(w, "asks for    %s\n", ext)
	if x.Owners() {
		fmt.Fprintf(w, "owners      are looked up, for the sockets that the rest of the filter leaves\n")
	} else {
		fmt.Fprintf(w, "owners      the filter does not need them\n")
	}
	base := []diag.InetQuery{{Protocol: diag.TCP}, {Protocol: diag.UDP}}
	parts := x.Plan(base, fenv.Ops)
	if len(parts) == 0 {
		fmt.Fprintf(w, "\nno query: nothing can match\n")
	}
	for i, p := range parts {
		q := p.Query
		fmt.Fprintf(w, "\nquery %d     %s, %s\n", i+1, q.Protocol, familyName(q.Family))
		fmt.Fprintf(w, "  states    %s\n", stateNames(q.States, q.Protocol))
		if q.Bytecode == nil {
			fmt.Fprintf(w, "  kernel    no bytecode\n")
		} else {
			fmt.Fprintf(w, "  kernel    bytecode, %d bytes\n", len(q.Bytecode))
			for line := range strings.Lines(filter.Disassemble(q.Bytecode)) {
				fmt.Fprintf(w, "    %s\n", strings.TrimRight(line, "\n"))
			}
		}
		switch {
		case p.Rest == nil || p.Exact:
			fmt.Fprintf(w, "  here      nothing is left to evaluate\n")
		default:
			fmt.Fprintf(w, "  here      %s\n", filter.New(p.Rest, 0))
		}
	}
	return cli.ExitOK
}

func familyName(f diag.Family) string {
	switch f {
	case diag.IPv4:
		return "IPv4"
	case diag.IPv6:
		return "IPv6"
	}
	return "IPv4 and IPv6"
}

func stateNames(m diag.States, p diag.Protocol) string {
	if m == diag.AllStates {
		return "all"
	}
	var all []string
	for st := diag.Established; st <= diag.BoundInactive; st++ {
		if !m.Has(st) || st == diag.NewSynRecv {
			continue
		}
		if p == diag.UDP && st != diag.Established && st != diag.Close {
			continue
		}
		if p == diag.TCP && st == diag.Close && m.Has(diag.BoundInactive) {
			continue
		}
		all = append(all, strings.ToLower(strings.ReplaceAll(st.String(), "_", "-")))
	}
	return strings.Join(all, ", ")
}

func extNames(e diag.Ext) []string {
	var all []string
	for _, x := range []struct {
		bit  diag.Ext
		name string
	}{
		{diag.ExtMemInfo, "meminfo"}, {diag.ExtInfo, "tcp_info"}, {diag.ExtVegasInfo, "vegasinfo"}, {diag.ExtCong, "the congestion algorithm"},
		{diag.ExtTOS, "tos"}, {diag.ExtTClass, "tclass"}, {diag.ExtSKMemInfo, "skmeminfo"}, {diag.ExtShutdown, "shutdown"},
	} {
		if e&x.bit != 0 {
			all = append(all, x.name)
		}
	}
	return all
}
