package netstat

import (
	"errors"
	"io/fs"

	"github.com/sockeye-tools/sockeye/diag/counters"
	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// statistics prints the counters of the protocols that are wanted.
func (b *bsdRun) statistics() int {
	s := render.BSDStatistics{Nonzero: b.o.statistics > 1}
	status := exitOK
	for _, file := range []counters.File{counters.SNMP, counters.Netstat, counters.SNMP6} {
		sections, err := counters.Read(procRoot(b.env), file)
		for i := range sections {
			s.Add(&sections[i])
		}
		if err != nil && (file == counters.SNMP || !errors.Is(err, fs.ErrNotExist)) { // without IPv6 there is no snmp6
			complain(b.env, program+": "+err.Error())
			status = exitFailed
		}
	}
	for _, protocol := range render.BSDProtocols {
		if b.o.counts(protocol) {
			b.buf = s.Append(b.buf, protocol)
		}
	}
	if err := b.write(); err != nil {
		return writeFailed(b.env, err)
	}
	return status
}

// counts reports whether the counters of a protocol are wanted. Those of TCP and UDP are of both families.
func (o *bsdOptions) counts(protocol string) bool {
	if o.protocol != "" {
		return protocol == o.protocol
	}
	switch protocol {
	case "ip", "icmp":
		return o.family != "inet6"
	case "ip6", "icmp6":
		return o.family != "inet"
	}
	return true
}
