package ss

import (
	"iter"
	"net/netip"

	"github.com/sockeye-tools/sockeye/diag"
)

// appendSCTP appends the addresses of an SCTP endpoint or association, and sctp_info.
func (p *Writer) appendSCTP(b []byte, s *diag.InetSocket) []byte {
	b = p.appendAddrs(b, " locals:", s.Locals())
	b = p.appendAddrs(b, " peers:", s.Peers())
	i := &p.sctp
	if !s.SCTPInfo(i) {
		return b
	}
	if i.Tag != 0 {
		b = appendHex(append(b, " tag:"...), uint64(i.Tag))
	}
	if i.State != 0 {
		b = append(append(b, " state:"...), assocState(diag.State(min(i.State, 255)))...)
	}
	b = count(b, " rwnd:", uint64(i.RWnd))
	b = count(b, " unackdata:", uint64(i.UnackData))
	b = count(b, " penddata:", uint64(i.PendData))
	b = count(b, " instrms:", uint64(i.InStrms))
	b = count(b, " outstrms:", uint64(i.OutStrms))
	b = count(b, " inqueue:", uint64(i.InQueue))
	b = count(b, " outqueue:", uint64(i.OutQueue))
	b = count(b, " overerr:", uint64(i.OverallError))
	b = count(b, " maxburst:", uint64(i.MaxBurst))
	b = count(b, " maxseg:", uint64(i.MaxSeg))
	b = count(b, " prwnd:", uint64(i.PeerRWnd))
	if i.PeerTag != 0 {
		b = appendHex(append(b, " ptag:"...), uint64(i.PeerTag))
	}
	b = count(b, " pcapable:", uint64(i.PeerCapable))
	b = count(b, " psack:", uint64(i.PeerSACK))
	b = count(b, " autoclose:", uint64(i.SockAutoclose))
	b = count(b, " adapind:", uint64(i.SockAdaptInd))
	b = count(b, " pdpoint:", uint64(i.SockPDPoint))
	b = count(b, " nodelay:", uint64(i.SockNoDelay))
	b = count(b, " nofrag:", uint64(i.SockDisableFrags))
	b = count(b, " v4mapped:", uint64(i.SockV4Mapped))
	return count(b, " fraginl:", uint64(i.SockFragInterlv))
}

func (p *Writer) appendAddrs(b []byte, name string, addrs iter.Seq[netip.AddrPort]) []byte {
	first := true
	for a := range addrs {
		if first {
			b = append(b, name...)
		} else {
			b = append(b, ',')
		}
		first = false
		b = p.appendHost(b, a.Addr())
	}
	return b
}
