package ss

import "github.com/sockeye-tools/sockeye/diag"

// ProcRow is what a line of /proc/net/tcp tells beyond diag.InetSocket (Documentation/networking/proc_net_tcp.rst).
type ProcRow struct {
	SK uint64 // the socket's address in the kernel, or what it shows instead
	// RTO and ATO are the timeouts of retransmissions and of delayed acknowledgements, in 1/100 s.
	RTO, ATO uint32
	// QAck holds quick acknowledgements that are left, times two, and in bit 0 whether data goes both ways.
	QAck     uint32
	Cwnd     uint32
	SSThresh uint32 // 0: not known yet
	Opt      []byte // what follows on the line; kernels of today have nothing there
}

// InetProc prints a socket whose row was read from a file like /proc/net/tcp. The error is the writer's.
func (p *Writer) InetProc(s *diag.InetSocket, row *ProcRow) error {
	p.row = row
	err := p.Inet(s)
	p.row = nil
	return err
}

// appendProcRow appends the details that only the line has.
func (p *Writer) appendProcRow(b []byte, s *diag.InetSocket) []byte {
	r := p.row
	if p.opt.Extended {
		b = appendHex(append(b, " sk:"...), r.SK)
		if len(r.Opt) > 0 {
			b = append(appendASCII(append(b, ` opt:"`...), r.Opt), '"')
		}
	}
	if !p.opt.Info {
		return b
	}
	const perTick = 10 // appendMillis prints thousandths of what it is given: 1/100 s come out as seconds
	if r.RTO != 300 && r.RTO != 300_000 {
		b = millis(b, " rto:", r.RTO*perTick)
	}
	b = millis(b, " ato:", r.ATO*perTick)
	b = count(b, " qack:", uint64(r.QAck/2))
	if r.QAck/2&1 != 0 { // ss looks at the bit once it has been shifted out
		b = append(b, " bidir"...)
	}
	b = count(b, " cwnd:", uint64(r.Cwnd))
	b = count(b, " ssthresh:", uint64(r.SSThresh))
	if s.Retrans != 0 {
		b = append(appendUint(append(b, " retrans:"...), uint64(s.Retrans)), "/0"...)
	}
	return append(b, " reordering:0"...)
}
