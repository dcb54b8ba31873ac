package ss

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/filter"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/render/ss"
)

// actions are what a command line asks for besides a list of sockets, or in the place of it.
type actions struct {
	summary                  bool     // -s
	events                   bool     // -E
	kill                     bool     // -K
	record                   string   // -D
	filters                  string   // -F; "-" is stdin
	file                     *os.File // -F, unless it is stdin
	contexts, socketContexts bool     // -Z and -z, -z
	maps                     *bpfMaps // --bpf-maps, --bpf-map-id
	ports                    string   // the file that tells the ports that the kernel hands out; "": the system's
}

// action takes an option that is none of those that say what is listed, and how.
func (o *options) action(id int, arg string) error {
	switch id {
	case 's':
		o.summary = true
	case 'E':
		o.events = true
	case 'K':
		o.kill = true
	case 'b':
		o.render.Timers, o.render.Filters = true, true
	case 'T':
		o.render.Threads = true
	case 'D':
		if o.record = arg; arg == "" {
			return &exit{text: "fopen dump file: " + strerror(unix.ENOENT), status: exitUsage}
		}
	case 'F':
		return o.filterFile(arg)
	case optBPFMaps:
		return o.allBPFMaps()
	case optBPFMapID:
		return o.bpfMap(arg)
	case 'N':
		return enterNetNS(arg)
	case 'Z', 'z':
		if !selinuxEnabled() {
			return &exit{text: "ss: SELinux is not enabled.", status: exitFailed}
		}
		o.contexts, o.socketContexts = true, o.socketContexts || id == 'z'
	}
	return nil
}

// filterFile opens the argument of -F. As in ss, everything that begins with a hyphen is stdin.
func (o *options) filterFile(name string) (err error) {
	if o.filters != "" {
		return &exit{text: "More than one filter file", status: exitUsage}
	}
	if o.filters = name; strings.HasPrefix(name, "-") {
		o.filters = "-"
		return nil
	}
	if o.file, err = os.Open(name); err != nil {
		return &exit{text: "fopen filter file: " + strerror(err), status: exitUsage}
	}
	return nil
}

// takeExplain takes --explain out of the arguments. It is no option of getopt's, because "--ex" has to go on meaning "--extended".
func takeExplain(args []string) ([]string, bool) {
	end := slices.Index(args, "--")
	if end < 0 {
		end = len(args)
	}
	i := slices.Index(args[:end], "--explain")
	if i < 1 {
		return args, false
	}
	return slices.Delete(slices.Clone(args), i, i+1), true
}

// strerror returns what strerror(3) says to an error of a system call.
func strerror(err error) string {
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return err.Error()
	}
	text := errno.Error() // the same words, but for the first letter
	return strings.ToUpper(text[:1]) + text[1:]
}

// procRoot returns where procfs is: PROC_ROOT, "" if that is not set.
func procRoot(env *cli.Env) string { return env.Getenv("PROC_ROOT") }

// procPath returns the path of a file of procfs, such as "net/tcp": that in the environment variable, else below PROC_ROOT. Without
// either it is that of the calling thread's network namespace.
func procPath(env *cli.Env, variable, name string) string {
	if path := env.Getenv(variable); path != "" {
		return path
	}
	if root := procRoot(env); root != "" {
		return root + "/" + name
	}
	if rest, ok := strings.CutPrefix(name, "net/"); ok {
		return "/proc/thread-self/net/" + rest
	}
	return "/proc/" + name
}

// portRange returns the file that tells the ports that the kernel hands out.
func portRange(env *cli.Env) string {
	return procPath(env, "PROC_IP_LOCAL_PORT_RANGE", "sys/net/ipv4/ip_local_port_range")
}

// readFilters puts the lines of -F's file behind the words of the command line.
func (o *options) readFilters(stdin io.Reader) error {
	in := stdin
	switch {
	case o.filters == "":
		return nil
	case o.file != nil:
		defer o.file.Close()
		in = o.file
	}
	lines, err := filter.SSFileLines(in)
	o.words = append(o.words, lines...)
	return err
}

// withThreads returns the owners as the printer wants them.
func (s *show) withThreads(t *owner.Table) ss.Owners {
	if s.o.render.Threads {
		return newThreads(t, s.env.Owners.Proc)
	}
	return t
}
