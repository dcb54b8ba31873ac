package ss

import (
	"github.com/sockeye-tools/sockeye/diag"
)

// appendExt appends what stands behind the columns.
func (p *Writer) appendExt(b []byte, s *diag.InetSocket, kind diag.Protocol) []byte {
	if s.Source == diag.FromProc {
		return p.appendProcExt(b, s)
	}
	if p.opt.Timers || p.opt.Extended {
		b = appendTimer(b, s, kind)
	}
	if p.opt.Extended {
		b = p.appendDetails(b, s)
	}
	if p.opt.TOS {
		b = appendTOS(b, s)
	}
	if p.opt.Cgroup {
		b = p.appendCgroup(b, s)
	}
	if p.opt.SockOpt {
		b = p.appendSockOpt(b, s)
	}
	if p.opt.Memory || p.opt.Info && kind != diag.UDP {
		if !p.opt.OneLine {
			b = append(b, "\n\t"...)
		}
		b = appendMemory(b, s)
		switch kind {
		case diag.SCTP:
			b = p.appendSCTP(b, s)
		case diag.MPTCP:
			b = p.appendMPTCP(b, s)
		default:
			b = p.appendTCP(b, s)
		}
	}
	if p.opt.BPFMaps != nil {
		for id, value := range s.BPFStorages() {
			b = p.appendStorages(b, id, value)
		}
	}
	return b
}

// appendProcExt appends what a row of /proc/net tells: ss shows it for TCP alone.
func (p *Writer) appendProcExt(b []byte, s *diag.InetSocket) []byte {
	if s.Protocol != diag.TCP {
		return b
	}
	if p.opt.Timers || p.opt.Extended {
		b = appendTimer(b, s, diag.TCP)
	}
	if p.opt.Extended {
		b = appendUser(b, s.UID, s.Inode)
	}
	if p.row != nil {
		b = p.appendProcRow(b, s)
	}
	return b
}

var timers = [...]string{"off", "on", "keepalive", "timewait", "persist", "delack", "unknown"}

func appendTimer(b []byte, s *diag.InetSocket, kind diag.Protocol) []byte {
	if s.Timer == diag.TimerOff {
		return b
	}
	name := timers[min(int(s.Timer), len(timers)-1)]
	if kind == diag.SCTP {
		name = "T3_RTX"
	}
	b = append(append(append(b, " timer:("...), name...), ',')
	b = append(appendDelay(b, s.Expires), ',')
	return append(appendUint(b, uint64(s.Retrans)), ')')
}

func (p *Writer) appendDetails(b []byte, s *diag.InetSocket) []byte {
	b = appendIdentity(b, s.UID, s.Inode, s.Cookie)
	if m, ok := s.Mark(); ok && m != 0 {
		b = appendHex(append(b, " fwmark:0x"...), uint64(m))
	}
	b = p.appendCgroup(b, s)
	if v6only, ok := s.V6Only(); ok && s.Family == diag.IPv6 {
		b = append(b, " v6only:0"...)
		if v6only {
			b[len(b)-1] = '1'
		}
	}
	if shut, ok := s.Shutdown(); ok {
		b = appendShutdown(b, shut)
	}
	return b
}

// appendShutdown appends an arrow, without the points of directions that were shut down.
func appendShutdown(b []byte, shut uint8) []byte {
	b = append(b, " <->"...)
	if shut&diag.RcvShutdown != 0 {
		b[len(b)-3] = '-'
	}
	if shut&diag.SendShutdown != 0 {
		b[len(b)-1] = '-'
	}
	return b
}

func (p *Writer) appendCgroup(b []byte, s *diag.InetSocket) []byte {
	id, ok := s.CgroupID()
	if !ok {
		return b
	}
	b = append(b, " cgroup:"...)
	if path, ok := p.opt.Cgroups.Lookup(id); ok {
		return append(b, path...)
	}
	return appendHex(append(b, "unreachable:"...), id)
}

func appendTOS(b []byte, s *diag.InetSocket) []byte {
	if v, ok := s.TOS(); ok {
		b = appendSharpHex(append(b, " tos:"...), uint64(v))
	}
	if v, ok := s.TClass(); ok {
		b = appendSharpHex(append(b, " tclass:"...), uint64(v))
	}
	if v, ok := s.ClassID(); ok {
		b = appendSharpHex(append(b, " class_id:"...), uint64(v))
	}
	return b
}

// sockOpts are the names of the bits of diag.SockOpt.
var sockOpts = [...]string{
	" recverr", " is_icsk", " freebind", " hdrincl", " mc_loop", " transparent", " mc_all", " nodefrag",
	" bind_addr_no_port", " recverr_rfc4884", " defer_connect",
}

func (p *Writer) appendSockOpt(b []byte, s *diag.InetSocket) []byte {
	o, ok := s.SockOpt()
	if !ok {
		return b
	}
	if p.opt.OneLine {
		b = append(b, ' ')
	} else {
		b = append(b, "\n\t"...)
	}
	b = append(b, "inet-sockopt: ("...)
	for i, name := range sockOpts {
		if o&(1<<i) != 0 {
			b = append(b, name...)
		}
	}
	return append(b, ')')
}

func appendMemory(b []byte, s *diag.InetSocket) []byte {
	if m, ok := s.SKMemInfo(); ok {
		return appendSKMem(b, &m)
	}
	if m, ok := s.MemInfo(); ok {
		b = appendUint(append(b, " mem:(r"...), uint64(m.RMem))
		b = appendUint(append(b, ",w"...), uint64(m.WMem))
		b = appendUint(append(b, ",f"...), uint64(m.FMem))
		b = appendUint(append(b, ",t"...), uint64(m.TMem))
		b = append(b, ')')
	}
	return b
}

func appendSKMem(b []byte, m *diag.SKMemInfo) []byte {
	b = appendUint(append(b, " skmem:(r"...), uint64(m.RMemAlloc))
	b = appendUint(append(b, ",rb"...), uint64(m.RcvBuf))
	b = appendUint(append(b, ",t"...), uint64(m.WMemAlloc))
	b = appendUint(append(b, ",tb"...), uint64(m.SndBuf))
	b = appendUint(append(b, ",f"...), uint64(m.FwdAlloc))
	b = appendUint(append(b, ",w"...), uint64(m.WMemQueued))
	b = appendUint(append(b, ",o"...), uint64(m.OptMem))
	if m.HasBacklog() {
		b = appendUint(append(b, ",bl"...), uint64(m.Backlog))
	}
	if m.HasDrops() {
		b = appendUint(append(b, ",d"...), uint64(m.Drops))
	}
	return append(b, ')')
}
