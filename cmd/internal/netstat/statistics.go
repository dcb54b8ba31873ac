package netstat

import (
	"errors"
	"io/fs"

	"github.com/sockeye-tools/sockeye/diag/counters"
	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// statistics prints the counters of the protocols, once: -c has no effect. As in net-tools, files that cannot be read change nothing
// about the exit status.
//
// A file that is not as the kernel writes it ends at the section before, and that is said. net-tools takes a figure that is missing
// for 0, and is silent about snmp with -6.
func (r *run) statistics() int {
	o := r.o
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
	switch o.families {
	case "", "inet":
	case "inet6":
		steps = []step{{counters.SNMP6, "", true}, {counters.SNMP, "Tcp", true}}
	default:
		r.buf = append(r.buf, program+": No statistics support for specified address family: "+o.families+"\n"...)
		if err := r.write(); err != nil {
			return writeFailed(r.env, err)
		}
		return exitFailed
	}
	for _, step := range steps {
		sections, err := counters.Read(procRoot(r.env), step.file)
		for i := range sections {
			if step.section == "" || step.section == sections[i].Name {
				r.buf = s.Append(r.buf, &sections[i])
			}
		}
		if err == nil {
			continue
		}
		if err := r.write(); err != nil { // in the order that people see
			return writeFailed(r.env, err)
		}
		path := "/proc/net/" + string(step.file)
		failed, _ := errors.AsType[*fs.PathError](err)
		switch {
		case failed == nil:
			complain(r.env, "Problem while parsing "+path)
		case failed.Op != "open":
			perror(r.env, path, failed)
		case step.required:
			perror(r.env, "cannot open "+path, failed)
			return exitOK
		}
	}
	if err := r.write(); err != nil {
		return writeFailed(r.env, err)
	}
	return exitOK
}
