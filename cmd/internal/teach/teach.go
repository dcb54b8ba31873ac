// Package teach holds the verbs that explain: fields, explain, help and schema.
package teach

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/render/json"
	"github.com/sockeye-tools/sockeye/render/table"
)

func fail(env *cli.Env, status int, format string, args ...any) int {
	fmt.Fprintf(env.Stderr, "sockeye: "+format+"\n", args...)
	return status
}

// help reports whether the arguments ask for a verb's help, which it prints.
func help(env *cli.Env, usage string) bool {
	if len(env.Args) > 1 && (env.Args[1] == "-h" || env.Args[1] == "--help") {
		fmt.Fprint(env.Stdout, usage)
		return true
	}
	return false
}

// Schema is the verb that prints the JSON Schema of list's output.
func Schema(env *cli.Env) int {
	if help(env, "Usage: sockeye schema\n\nPrints the JSON Schema of what sockeye list, ss and netstat print with --output json;\nwith --output ndjson, each line is one of its items.\n") {
		return cli.ExitOK
	}
	if len(env.Args) > 1 {
		return fail(env, cli.ExitUsage, "schema takes no argument, but got %q", env.Args[1])
	}
	if _, err := env.Stdout.Write(json.Schema()); err != nil {
		return cli.ExitFailed
	}
	return cli.ExitOK
}

// Fields is the verb that lists the fields, or explains those that are named.
func Fields(env *cli.Env) int {
	if help(env, "Usage: sockeye fields [FIELD...]\n\nLists the fields of a socket and its owners, or explains those that are named.\n") {
		return cli.ExitOK
	}
	if len(env.Args) > 1 {
		for i, name := range env.Args[1:] {
			f, err := field.Lookup(name)
			if err != nil {
				return fail(env, cli.ExitUsage, "%v", err)
			}
			if i > 0 {
				fmt.Fprintln(env.Stdout)
			}
			one(env, f)
		}
		return cli.ExitOK
	}
	t := table.Layout{W: env.Stdout, Heads: []table.Head{{Text: "FIELD"}, {Text: "UNIT"}, {Text: "TYPE"}, {Text: "LINUX"}, {Text: "EVALUATED"}, {Text: "WHAT"}}}
	for _, f := range field.All {
		row := []string{f.Name, orDash(f.Unit.String()), f.Kind.String(), orDash(f.Since), f.Where.String(), f.Doc}
		if err := t.Row([]byte(strings.Join(row, "\x00") + "\x00")); err != nil {
			return cli.ExitFailed
		}
	}
	if t.Flush() != nil {
		return cli.ExitFailed
	}
	return cli.ExitOK
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func one(env *cli.Env, f *field.Field) {
	line := func(what, v string) {
		if v != "" {
			fmt.Fprintf(env.Stdout, "%-12s%s\n", what, v)
		}
	}
	line(f.Name, f.Doc)
	line("also", strings.Join(f.Aliases, ", "))
	line("type", f.Kind.String())
	line("unit", f.Unit.String())
	line("values", strings.ReplaceAll(f.Values, " ", ", "))
	line("in JSON", map[bool]string{false: f.Key}[f.Shown])
	line("group", f.Group.String())
	line("Linux", f.Since)
	line("evaluated", f.Where.String())
}

// Help is the verb that teaches a topic.
func Help(env *cli.Env) int {
	names := func() string {
		var all []string
		for _, t := range topics {
			all = append(all, t.name)
		}
		return strings.Join(all, ", ")
	}
	if len(env.Args) < 2 || help(env, "") {
		fmt.Fprintln(env.Stdout, "Usage: sockeye help TOPIC")
		fmt.Fprintln(env.Stdout)
		for _, t := range topics {
			fmt.Fprintf(env.Stdout, "  %-9s %s\n", t.name, t.what)
		}
		fmt.Fprintln(env.Stdout, "\nsockeye --help lists the verbs.")
		return cli.ExitOK
	}
	i := slices.IndexFunc(topics, func(t topic) bool { return t.name == env.Args[1] || t.name == env.Args[1]+"s" })
	if i < 0 {
		return fail(env, cli.ExitUsage, "there is no topic %q: the topics are %s", env.Args[1], names())
	}
	fmt.Fprint(env.Stdout, strings.TrimPrefix(topics[i].text, "\n"))
	return cli.ExitOK
}
