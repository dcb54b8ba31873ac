package main

import (
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
	env.Args = slices.Clone(env.Args)
	if len(env.Args) == 0 {
		env.Args = []string{"sockeye"}
	}
	if err := takeCommon(env); err != nil {
		return usage(env, err)
	}
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
	case len(args) == 1 || strings.HasPrefix(args[1], "-") && !slices.Contains([]string{"-h", "--help", "-V", "--version"}, args[1]):
		args = slices.Insert(args, 1, "list")
	case args[1] == "-V" || args[1] == "--version":
		args = slices.Replace(args, 1, 2, "version")
	case !strings.HasPrefix(args[1], "-") && app.Command(args[1]) == nil:
		return usage(env, fmt.Errorf("there is no verb %q: %s", args[1], verbs(app)))
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

func verbs(app *urfave.App) string {
	var names []string
	for _, c := range app.Commands {
		if c.Name != "" {
			names = append(names, c.Name)
		}
	}
	return "the verbs are " + strings.Join(names, ", ")
}

// takeCommon takes --owners=WHERE and --plan out of the arguments, which all verbs that show sockets and both faces know.
func takeCommon(env *cli.Env) error {
	const owners = "--owners="
	for i := 1; i < len(env.Args) && env.Args[i] != "--"; {
		v, ok := strings.CutPrefix(env.Args[i], owners)
		switch {
		case ok:
			b, err := owner.ParseBackend(v)
			if err != nil {
				return fmt.Errorf("%s%s: want auto, bpf, proc or none", owners, v)
			}
			env.Owners.Backend = b
		case env.Args[i] == "--plan":
			env.Plan, env.Stdout = env.Stdout, io.Discard // what a face prints besides is not the plan
		default:
			i++
			continue
		}
		env.Args = slices.Delete(env.Args, i, i+1)
	}
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
			{
				Name: "list", Usage: "TCP and UDP sockets, listeners first, with their owners", HideHelpCommand: true,
				UsageText:              "sockeye list [OPTIONS]",
				UseShortOptionHandling: true,
				OnUsageError:           onUsage,
				Flags: []urfave.Flag{
					&urfave.BoolFlag{Name: "tcp", Aliases: []string{"t"}, Usage: "TCP only"},
					&urfave.BoolFlag{Name: "udp", Aliases: []string{"u"}, Usage: "UDP only"},
					&urfave.BoolFlag{Name: "ipv4", Aliases: []string{"4"}, Usage: "IPv4 only"},
					&urfave.BoolFlag{Name: "ipv6", Aliases: []string{"6"}, Usage: "IPv6 only"},
					&urfave.BoolFlag{Name: "listening", Aliases: []string{"l"}, Usage: "only sockets that wait for peers"},
					&urfave.BoolFlag{Name: "no-header", Aliases: []string{"H"}, Usage: "leave out the headings"},
					// Those two are taken out of the arguments before they come here; they stand here for the help text.
					&urfave.BoolFlag{Name: "plan", Usage: "say what would be asked of the kernel, and why, and do not ask"},
					&urfave.StringFlag{Name: "owners", Usage: "`WHERE` owners are looked up: --owners=auto, bpf, proc or none"},
				},
				Action: func(c *urfave.Context) error {
					if c.Args().Present() {
						return fmt.Errorf("list takes no operand, but got %q", c.Args().First())
					}
					if c.IsSet("owners") {
						return fmt.Errorf("write --owners=%s, in one word", c.String("owners"))
					}
					err := list.Run(env, list.Options{
						TCP: c.Bool("tcp"), UDP: c.Bool("udp"), IPv4: c.Bool("ipv4"), IPv6: c.Bool("ipv6"),
						Listening: c.Bool("listening"), NoHeader: c.Bool("no-header"),
					})
					if err != nil {
						fmt.Fprintf(env.Stderr, "sockeye: %v\n", err)
						*status = exitFailed
					}
					return nil
				},
			},
			face("ss", "what ss(8) of iproute2 prints, with its options", ss.Main),
			face("netstat", "what netstat(8) of net-tools prints, with its options", netstat.Main),
			face("counters", "the protocol counters behind netstat -s, with meanings and rates", counters.Main),
			face("bench", "time sockeye, ss, netstat and lsof on this host, side by side", bench.Main),
			{
				Name: "version", Usage: "which sockeye this is", HideHelp: true,
				Action: func(*urfave.Context) error {
					fmt.Fprintln(env.Stdout, versionText())
					return nil
				},
			},
		},
	}
}

func versionText() string {
	v := version
	if info, ok := debug.ReadBuildInfo(); ok && v == "" {
		v = info.Main.Version
	}
	return fmt.Sprintf("sockeye %s %s/%s %s", v, runtime.GOOS, runtime.GOARCH, runtime.Version())
}
