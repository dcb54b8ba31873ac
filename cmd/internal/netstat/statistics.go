package netstat

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/counters"
	"github.com/sockeye-tools/sockeye/internal/getopt"
	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// statistics prints the counters of the protocols, once: -c has no effect. As in net-tools, files that cannot be read change nothing
// about the exit status.
//
// A file that is not as the kernel writes it ends at the section before, and that is said. net-tools takes a figure that is missing
// for 0, and is silent about snmp with -6.
func statistics(env *cli.Env, o *options) int {
	s := render.Statistics{Raw: o.raw, TCP: o.tcp, UDP: o.udp, SCTP: o.sctp}
	if !o.raw && !o.tcp && !o.udp && !o.sctp && !o.udplite {
		s = render.Statistics{Raw: true, TCP: true, UDP: true, SCTP: true}
	}
	type step struct {
		file     counters.File
		section  string // only this, or ""
		required bool   // where it cannot be opened it is said, and nothing follows
	}
	steps := []step{{counters.SNMP, "", true}, {counters.Netstat, "", false}, {counters.SCTP, "", false}}
	switch families := strings.Join(familyNames(env), ","); families {
	case "", "inet":
	case "inet6":
		steps = []step{{counters.SNMP6, "", true}, {counters.SNMP, "Tcp", true}}
	default:
		fmt.Fprintf(env.Stdout, "%s: No statistics support for specified address family: %s\n", program, families)
		return exitFailed
	}
	buf := make([]byte, 0, bufferSize)
	flush := func() error {
		_, err := env.Stdout.Write(buf)
		buf = buf[:0]
		return err
	}
	for _, step := range steps {
		sections, err := counters.Read(procRoot(env), step.file)
		for i := range sections {
			if step.section == "" || step.section == sections[i].Name {
				buf = s.Append(buf, &sections[i])
			}
		}
		if err == nil {
			continue
		}
		if err := flush(); err != nil { // in the order that people see
			return writeFailed(env, err)
		}
		path := "/proc/net/" + string(step.file)
		failed, _ := errors.AsType[*fs.PathError](err)
		switch {
		case failed == nil:
			complain(env, "Problem while parsing "+path)
		case failed.Op != "open":
			complain(env, path+": "+cError(failed))
		case step.required:
			complain(env, "cannot open "+path+": "+cError(failed))
			return exitOK
		}
	}
	if err := flush(); err != nil {
		return writeFailed(env, err)
	}
	return exitOK
}

// cError is strerror(3), which has a capital letter where Go has none.
func cError(err *fs.PathError) string {
	text := err.Err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// familyNames are the families that the command line names, as often as it does, and by net-tools' names.
func familyNames(env *cli.Env) (list []string) {
	p := getopt.New(env.Args[0], env.Args[1:], words)
	p.Posix = env.Getenv("POSIXLY_CORRECT") != ""
	for {
		id, arg, err := p.Next()
		if err != nil { // io.EOF: parse has been here before
			return list
		}
		switch id {
		case '4':
			arg = "inet"
		case '6':
			arg = "inet6"
		case 'x':
			arg = "unix"
		case 'A':
		case optFamily:
			arg = p.Name()
		default:
			continue
		}
		for name := range strings.SplitSeq(arg, ",") {
			switch name {
			case "ip", "tcpip":
				name = "inet"
			case "ip6":
				name = "inet6"
			case "appletalk":
				name = "ddp"
			case "econet":
				name = "ec"
			}
			list = append(list, name)
		}
	}
}
