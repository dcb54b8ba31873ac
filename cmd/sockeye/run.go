package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/sockeye-tools/sockeye/cmd/internal/bench"
	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/cmd/internal/counters"
	"github.com/sockeye-tools/sockeye/cmd/internal/list"
	"github.com/sockeye-tools/sockeye/cmd/internal/netstat"
	"github.com/sockeye-tools/sockeye/cmd/internal/ss"
	"github.com/sockeye-tools/sockeye/cmd/internal/teach"
	"github.com/sockeye-tools/sockeye/diag/owner"
)

// version is set by the linker; without it the module's version is shown.
var version string

// Exit statuses of sockeye's own verbs. The ss and netstat faces have those of the originals.
const (
	exitOK     = 0
	exitFailed = 1 // the kernel could not be asked, or the answer is not whole
	exitUsage  = 2 // the command line
)

// run runs a command line and returns the exit status.
func run(env *cli.Env) int {
	if len(env.Args) == 0 {
		env.Args = []string{"sockeye"}
	}
	if err := takeCommon(env); err != nil {
		return usage(env, err)
	}
	if env.Plan == nil {
		return runVerb(env)
	}
	// What a face prints besides is not the plan.
	e, plan := *env, &text{to: env.Plan}
	e.Plan, e.Stdout = plan, io.Discard
	status := runVerb(&e)
	if status == exitOK && !plan.wrote {
		return usage(env, errors.New("--plan has nothing to say: this does not ask for IPv4 or IPv6 sockets"))
	}
	return status
}

func runVerb(env *cli.Env) int {
	switch filepath.Base(env.Args[0]) {
	case "ss":
		return ss.Main(env)
	case "netstat":
		return netstat.Main(env)
	}
	status := exitOK
	app := newApp(env, &status)
	args := env.Args
	switch {
	case len(args) == 1:
		args = append(args, "list")
	case args[1] == "-h" || args[1] == "--help":
		return written(func(env *cli.Env) int {
			app.Writer = env.Stdout
			app.Setup()
			if err := urfave.ShowAppHelp(urfave.NewContext(app, nil, nil)); err != nil {
				return exitFailed
			}
			return exitOK
		})(env)
	case args[1] == "-V" || args[1] == "--version":
		args = slices.Replace(args, 1, 2, "version")
	case app.Command(args[1]) != nil:
	case !word(args[1]): // an option, or a filter
		args = slices.Insert(args, 1, "list")
	default:
		return usage(env, fmt.Errorf("there is no verb %q: %s", args[1], verbs(app)))
	}
	if verb := args[1]; (env.Exact || env.Plan != nil) && !slices.Contains([]string{"list", "ss", "netstat"}, verb) {
		return usage(env, fmt.Errorf("%s takes neither --exact nor --plan", verb))
	}
	if err := app.RunContext(env.Ctx, args); err != nil {
		return usage(env, err)
	}
	return status
}

func usage(env *cli.Env, err error) int {
	fmt.Fprintf(env.Stderr, "sockeye: %v\n", err)
	return exitUsage
}

// text is a writer that knows whether anything was written, and the first error.
type text struct {
	to    io.Writer
	wrote bool
	err   error
}

func (t *text) Write(b []byte) (int, error) {
	t.wrote = true
	n, err := t.to.Write(b)
	t.err = cmp.Or(t.err, err)
	return n, err
}

// written is a verb that only prints text, and fails where that cannot be written.
func written(main func(*cli.Env) int) func(*cli.Env) int {
	return func(env *cli.Env) int {
		e, out := *env, &text{to: env.Stdout}
		e.Stdout = out
		status := main(&e)
		if out.err != nil {
			fmt.Fprintf(env.Stderr, "sockeye: %v\n", out.err)
			return exitFailed
		}
		return status
	}
}

// word reports whether s could be meant as a verb.
func word(s string) bool {
	for _, c := range []byte(s) {
		if c < 'a' || c > 'z' {
			return false
		}
	}
	return s != ""
}

func verbs(app *urfave.App) string {
	var names []string
	for _, c := range app.Commands {
		if c.Name != "" {
			names = append(names, c.Name)
		}
	}
	return "the verbs are " + strings.Join(names, ", ")
}

// takeCommon takes --owners=WHERE, --exact and --plan out of the arguments, which all verbs that show sockets and both faces know.
func takeCommon(env *cli.Env) error {
	const owners = "--owners="
	rest := env.Args[:1:1]
	for i, arg := range env.Args[1:] {
		if arg == "--" {
			rest = append(rest, env.Args[1+i:]...)
			break
		}
		v, ok := strings.CutPrefix(arg, owners)
		switch {
		case ok:
			b, err := owner.ParseBackend(v)
			if err != nil {
				return fmt.Errorf("%s%s: want auto, bpf, proc or none", owners, v)
			}
			env.Owners.Backend = b
		case arg == "--exact":
			env.Exact = true
		case arg == "--plan":
			env.Plan = env.Stdout
		default:
			rest = append(rest, arg)
		}
	}
	env.Args = rest
	return nil
}

func newApp(env *cli.Env, status *int) *urfave.App {
	// A face parses its own arguments, flags included.
	face := func(name, text string, main func(*cli.Env) int) *urfave.Command {
		return &urfave.Command{
			Name: name, Usage: text, SkipFlagParsing: true, HideHelp: true,
			Action: func(c *urfave.Context) error {
				e := *env
				e.Args = append([]string{name}, c.Args().Slice()...)
				*status = main(&e)
				return nil
			},
		}
	}
	onUsage := func(_ *urfave.Context, err error, _ bool) error { return err }
	return &urfave.App{
		Name:      "sockeye",
		Usage:     "show the sockets of a Linux host, with owners and timers",
		UsageText: "sockeye [VERB] [OPTIONS]\n\nWithout a verb: list. Called by the name ss or netstat, sockeye is that tool.",
		Writer:    env.Stdout, ErrWriter: env.Stderr,
		HideVersion: true, HideHelpCommand: true,
		OnUsageError:   onUsage,
		ExitErrHandler: func(*urfave.Context, error) {},
		Commands: []*urfave.Command{
			face("list", "the sockets of the host: filtered, sorted, grouped, as table, JSON or CSV", list.Main),
			face("ss", "what ss(8) of iproute2 prints, with its options", ss.Main),
			face("netstat", "what netstat(8) of net-tools prints, with its options", netstat.Main),
			face("fields", "the fields that filters, columns and sorting know", written(teach.Fields)),
			face("explain", "what a filter means, and what of it the kernel evaluates", written(teach.Explain)),
			face("help", "what states, timers, queues, fields and filters are", written(teach.Help)),
			face("schema", "the JSON Schema of --output json of list, ss and netstat", written(teach.Schema)),
			face("counters", "the protocol counters behind netstat -s, with meanings and rates", counters.Main),
			face("bench", "time sockeye, ss, netstat and lsof on this host, side by side", bench.Main),
			face("version", "which sockeye this is", written(showVersion)),
		},
	}
}

// showVersion is the verb that says which sockeye this is.
func showVersion(env *cli.Env) int {
	switch {
	case len(env.Args) == 1:
		fmt.Fprintln(env.Stdout, versionText())
	case env.Args[1] == "-h" || env.Args[1] == "--help":
		fmt.Fprint(env.Stdout, "Usage: sockeye version\n\nPrints the version of sockeye, and what it was built for and with.\n")
	default:
		return usage(env, fmt.Errorf("version takes no argument, but got %q", env.Args[1]))
	}
	return exitOK
}

func versionText() string {
	v := version
	if info, ok := debug.ReadBuildInfo(); ok && v == "" {
		v = info.Main.Version
	}
	return fmt.Sprintf("sockeye %s %s/%s %s", v, runtime.GOOS, runtime.GOARCH, runtime.Version())
}
