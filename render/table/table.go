// Package table prints sockets as the list verb shows them: one line a socket, in columns that fit what is in them.
package table

import (
	"io"
	"strconv"
	"time"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/render/names"
)

// Printer prints a table to W.
type Printer struct {
	W        io.Writer
	NoHeader bool
	Columns  []Column
	// Width is that of the terminal: lines are cut to it. 0: they are not.
	Width int
	// Color shows the styles of headings and columns.
	Color bool

	layout *Layout
}

// Column is one column of a table.
type Column struct {
	Head   string
	Right  bool // numbers stand right
	Append func(dst []byte, s *diag.InetSocket) []byte
	Style  func(s *diag.InetSocket) Style // nil: Plain
	Keep   bool                           // see Head
}

// Default returns the column of a name, as the list verb shows it by default: netid, state, recv_q, send_q, local, peer, timer
// or owner.
func Default(c *field.Context, name string) (Column, bool) {
	switch name {
	case "netid":
		return Column{Head: "PROTO", Append: func(b []byte, s *diag.InetSocket) []byte {
			b = append(b, s.Protocol.String()...)
			if s.Family == diag.IPv6 {
				b = append(b, '6')
			}
			return b
		}}, true
	case "state":
		return Column{Head: "STATE", Append: appendState,
			Style: func(s *diag.InetSocket) Style { return StateStyle(field.StateName(s)) }}, true
	case "recv_q":
		return Column{Head: "RECV-Q", Right: true, Append: func(b []byte, s *diag.InetSocket) []byte { return strconv.AppendUint(b, uint64(s.RQueue), 10) },
			Style: func(s *diag.InetSocket) Style { return queueStyle(s, s.RQueue, true) }}, true
	case "send_q":
		return Column{Head: "SEND-Q", Right: true, Append: func(b []byte, s *diag.InetSocket) []byte { return strconv.AppendUint(b, uint64(s.WQueue), 10) },
			Style: func(s *diag.InetSocket) Style { return queueStyle(s, s.WQueue, false) }}, true
	case "local":
		return Column{Head: "LOCAL", Append: func(b []byte, s *diag.InetSocket) []byte { return appendAddress(c, b, s, true) }}, true
	case "peer":
		return Column{Head: "PEER", Append: func(b []byte, s *diag.InetSocket) []byte { return appendAddress(c, b, s, false) }}, true
	case "timer":
		return Column{Head: "TIMER", Append: appendTimer, Style: timerStyle}, true
	case "owner":
		var text []byte
		return Column{Head: "OWNER", Append: func(b []byte, s *diag.InetSocket) []byte {
			var ok bool
			if text, ok = field.AppendOwners(c, text[:0], s, most); !ok {
				return append(b, '-')
			}
			return names.AppendEscaped(b, text)
		}}, true
	}
	return Column{}, false
}

// DefaultNames are the columns that are shown when nothing else is asked for.
var DefaultNames = []string{"netid", "state", "recv_q", "send_q", "local", "peer", "timer", "owner"}

// start settles the layout.
func (p *Printer) start() {
	if p.layout != nil {
		return
	}
	p.layout = &Layout{W: p.W, NoHeader: p.NoHeader, Width: p.Width, Color: p.Color}
	for _, c := range p.Columns {
		p.layout.Heads = append(p.layout.Heads, Head{c.Head, c.Right, c.Keep})
	}
}

// AppendRow appends the cells of a socket, each with a NUL behind it, for Row.
func (p *Printer) AppendRow(dst []byte, s *diag.InetSocket) []byte {
	p.start()
	for i := range p.Columns {
		c := &p.Columns[i]
		if p.Color && c.Style != nil {
			dst = AppendStyle(dst, c.Style(s))
		}
		dst = append(c.Append(dst, s), 0)
	}
	return dst
}

// Row prints what AppendRow made.
func (p *Printer) Row(cells []byte) error {
	p.start()
	return p.layout.Row(cells)
}

// Flush prints what is held. It must be called at the end; it prints the headings also when there was no socket.
func (p *Printer) Flush() error {
	p.start()
	return p.layout.Flush()
}

// appendState appends ss's name of the state, but that ss calls a TCP socket that is bound, and nothing else, unconnected too.
func appendState(b []byte, s *diag.InetSocket) []byte {
	name := field.StateName(s)
	switch name {
	case "established":
		return append(b, "ESTAB"...)
	case "unconnected":
		return append(b, "UNCONN"...)
	case "":
		return append(b, s.State.String()...)
	}
	for _, c := range []byte(name) {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

// appendAddress prints ADDRESS:PORT, the device that the socket is bound to behind the local address, and a star where there is no
// peer.
func appendAddress(c *field.Context, b []byte, s *diag.InetSocket, local bool) []byte {
	ap := s.Remote
	if local {
		ap = s.Local
	} else if field.NoPeer(s) {
		return append(b, '*')
	}
	v6 := ap.Addr().Is6()
	if v6 {
		b = append(b, '[')
	}
	b = field.AppendAddr(b, ap.Addr())
	if local && s.Interface != 0 {
		b = append(b, '%')
		name, ok := "", false
		if c.Device != nil {
			name, ok = c.Device(s.Interface)
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
