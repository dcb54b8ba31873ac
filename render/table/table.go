// Package table prints sockets as the list verb shows them: one line a socket, in columns that fit what is in them.
package table

import (
	"io"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/render/names"
)

// block is how many lines are held to find the widths of columns; the next block can only widen them.
const block = 4096

// Owners says who holds a socket; *owner.Table does.
type Owners interface {
	Owners(dst []owner.Owner, inode uint32) []owner.Owner
	Process(pid int32) *owner.Process
}

// Printer prints a table to W.
type Printer struct {
	W      io.Writer
	Owners Owners // nil: no owner column
	// Interface names a device; nil: by index.
	Interface func(index uint32) (string, bool)
	NoHeader  bool
	// Unowned counts the sockets that a process could hold, and none was found.
	Unowned int

	text   []byte // the cells of the block, one behind the other
	ends   []int  // where each cell ends in text
	widths []int
	out    []byte
	headed bool
	held   []owner.Owner
}

var heads = []string{"PROTO", "STATE", "RECV-Q", "SEND-Q", "LOCAL", "PEER", "TIMER", "OWNER"}

// right says which columns hold numbers.
var right = []bool{false, false, true, true, false, false, false, false}

func (p *Printer) columns() int {
	if p.Owners == nil {
		return len(heads) - 1
	}
	return len(heads)
}

// cell ends the cell that was being appended.
func (p *Printer) cell() { p.ends = append(p.ends, len(p.text)) }

// Socket prints a socket.
func (p *Printer) Socket(s *diag.InetSocket) error {
	if err := p.head(); err != nil {
		return err
	}
	p.text = append(p.text, s.Protocol.String()...)
	if s.Family == diag.IPv6 {
		p.text = append(p.text, '6')
	}
	p.cell()
	p.text = append(p.text, stateName(s)...)
	p.cell()
	p.text = strconv.AppendUint(p.text, uint64(s.RQueue), 10)
	p.cell()
	p.text = strconv.AppendUint(p.text, uint64(s.WQueue), 10)
	p.cell()
	p.text = p.address(p.text, s, true)
	p.cell()
	p.text = p.address(p.text, s, false)
	p.cell()
	p.text = appendTimer(p.text, s)
	p.cell()
	if p.Owners != nil {
		p.text = p.appendOwners(p.text, s.Inode)
		p.cell()
	}
	if len(p.ends) >= block*p.columns() {
		return p.Flush()
	}
	return nil
}

func (p *Printer) head() error {
	if p.headed {
		return nil
	}
	p.headed = true
	p.widths = make([]int, p.columns())
	if p.NoHeader {
		return nil
	}
	for _, h := range heads[:p.columns()] {
		p.text = append(p.text, h...)
		p.cell()
	}
	return nil
}

// Flush prints what is held. It must be called at the end; it prints the headings also when there was no socket.
func (p *Printer) Flush() error {
	if err := p.head(); err != nil {
		return err
	}
	n := p.columns()
	start := 0
	for i, end := range p.ends {
		c := i % n
		p.widths[c] = max(p.widths[c], utf8.RuneCount(p.text[start:end]))
		start = end
	}
	p.out = p.out[:0]
	start = 0
	for i, end := range p.ends {
		c := i % n
		cell := p.text[start:end]
		pad := p.widths[c] - utf8.RuneCount(cell)
		if right[c] {
			p.out = appendBlanks(p.out, pad)
		}
		p.out = append(p.out, cell...)
		switch {
		case c == n-1:
			p.out = append(p.out, '\n')
		case right[c]:
			p.out = appendBlanks(p.out, 2)
		default:
			p.out = appendBlanks(p.out, pad+2)
		}
		start = end
	}
	p.text, p.ends = p.text[:0], p.ends[:0]
	_, err := p.W.Write(p.out)
	return err
}

func appendBlanks(b []byte, n int) []byte {
	for range n {
		b = append(b, ' ')
	}
	return b
}

// stateName is ss's name of the state, but that ss calls a TCP socket that is bound, and nothing else, unconnected too.
func stateName(s *diag.InetSocket) string {
	switch s.State {
	case diag.Established:
		return "ESTAB"
	case diag.SynSent:
		return "SYN-SENT"
	case diag.SynRecv, diag.NewSynRecv:
		return "SYN-RECV"
	case diag.FinWait1:
		return "FIN-WAIT-1"
	case diag.FinWait2:
		return "FIN-WAIT-2"
	case diag.TimeWait:
		return "TIME-WAIT"
	case diag.Close:
		if s.Protocol == diag.TCP || s.Protocol == diag.MPTCP {
			return "BOUND"
		}
		return "UNCONN"
	case diag.CloseWait:
		return "CLOSE-WAIT"
	case diag.LastAck:
		return "LAST-ACK"
	case diag.Listen:
		return "LISTEN"
	case diag.Closing:
		return "CLOSING"
	}
	return s.State.String()
}

// address prints ADDRESS:PORT, the device that the socket is bound to behind the local address, and a star where there is no
// peer.
func (p *Printer) address(b []byte, s *diag.InetSocket, local bool) []byte {
	ap := s.Remote
	if local {
		ap = s.Local
	} else if ap.Addr().IsUnspecified() && ap.Port() == 0 {
		return append(b, '*')
	}
	v6 := ap.Addr().Is6()
	if v6 {
		b = append(b, '[')
	}
	b = ap.Addr().AppendTo(b)
	if local && s.Interface != 0 {
		b = append(b, '%')
		name, ok := "", false
		if p.Interface != nil {
			name, ok = p.Interface(s.Interface)
		}
		if ok {
			b = append(b, name...)
		} else {
			b = strconv.AppendUint(b, uint64(s.Interface), 10)
		}
	}
	if v6 {
		b = append(b, ']')
	}
	b = append(b, ':')
	if ap.Port() == 0 {
		return append(b, '*')
	}
	return strconv.AppendUint(b, uint64(ap.Port()), 10)
}

// appendTimer prints the kind of timer, the time until it fires, and how often it has fired in vain.
func appendTimer(b []byte, s *diag.InetSocket) []byte {
	if s.Timer == diag.TimerOff {
		return append(b, '-')
	}
	b = append(b, s.Timer.String()...)
	b = append(b, ' ')
	b = appendDuration(b, s.Expires)
	if s.Retrans > 0 {
		b = append(b, " x"...)
		b = strconv.AppendUint(b, uint64(s.Retrans), 10)
	}
	return b
}

func appendDuration(b []byte, d time.Duration) []byte {
	num := func(n time.Duration, unit string) {
		b = strconv.AppendInt(b, int64(n), 10)
		b = append(b, unit...)
	}
	switch {
	case d < time.Second:
		num(d/time.Millisecond, "ms")
	case d < time.Minute:
		num(d/time.Second, ".")
		num(d%time.Second/(100*time.Millisecond), "s")
	case d < time.Hour:
		num(d/time.Minute, "m")
		num(d%time.Minute/time.Second, "s")
	default:
		num(d/time.Hour, "h")
		num(d%time.Hour/time.Minute, "m")
	}
	return b
}

// most is how many owners are named.
const most = 4

// appendOwners prints NAME[PID] of each process that holds the socket.
func (p *Printer) appendOwners(b []byte, inode uint32) []byte {
	if inode == 0 {
		return append(b, '-')
	}
	p.held = p.Owners.Owners(p.held[:0], inode)
	p.held = slices.CompactFunc(p.held, func(a, b owner.Owner) bool { return a.PID == b.PID })
	if len(p.held) == 0 {
		p.Unowned++
		return append(b, '-')
	}
	for i, o := range p.held {
		if i == most {
			b = append(b, " +"...)
			return strconv.AppendInt(b, int64(len(p.held)-most), 10)
		}
		if i > 0 {
			b = append(b, ' ')
		}
		if proc := p.Owners.Process(o.PID); proc.Known {
			b = names.AppendEscaped(b, proc.Comm)
		} else {
			b = append(b, '?')
		}
		b = append(b, '[')
		b = strconv.AppendInt(b, int64(o.PID), 10)
		b = append(b, ']')
	}
	return b
}
