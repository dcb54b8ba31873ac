package table

import "github.com/sockeye-tools/sockeye/diag"

// Style is how a cell stands out where colours are wanted. One that is not Plain stands as a byte in front of the cell; the text of a
// cell begins with no control character.
type Style byte

// Styles.
const (
	Plain   Style = iota
	Problem       // somebody has to act
	Notice        // worth a look
	Faint         // over, and only remembered
	Strong        // headings

	styles // their number
)

// escapes are ECMA-48 SGR sequences. Red, magenta, bold and faint can be read on dark and on light backgrounds alike; yellow, white and
// the bright colours cannot.
var escapes = [styles]string{Problem: "\x1b[31m", Notice: "\x1b[35m", Faint: "\x1b[2m", Strong: "\x1b[1m"}

const resetStyle = "\x1b[0m"

// AppendStyle appends the mark of a style that a cell follows.
func AppendStyle(dst []byte, s Style) []byte {
	if s == Plain {
		return dst
	}
	return append(dst, byte(s))
}

// Paint returns a text in a style, for what stands in no table.
func (s Style) Paint(text string) string {
	if s == Plain {
		return text
	}
	return escapes[s] + text + resetStyle
}

// takeStyle cuts the mark off a cell.
func takeStyle(cell []byte) (Style, []byte) {
	if len(cell) > 0 && cell[0] > 0 && Style(cell[0]) < styles {
		return Style(cell[0]), cell[1:]
	}
	return Plain, cell
}

// StateStyle is how the state of a socket stands out, by its name in package field.
func StateStyle(state string) Style {
	switch state {
	case "close-wait": // the process has to close it
		return Problem
	case "syn-sent", "syn-recv", "fin-wait-1", "last-ack", "closing": // the peer has to answer
		return Notice
	case "time-wait", "fin-wait-2":
		return Faint
	case "listen":
		return Strong
	}
	return Plain
}

// queueStyle: what waits is worth a look; an accept queue that overflows is a problem.
func queueStyle(s *diag.InetSocket, n uint32, recv bool) Style {
	switch {
	case s.State == diag.Listen && !recv: // the limit
		return Plain
	case s.State == diag.Listen && s.Source == diag.FromNetlink && n > s.WQueue:
		return Problem
	case n > 0:
		return Notice
	}
	return Plain
}

// timerStyle: retransmissions, probes without an answer, and closed windows are problems.
func timerStyle(s *diag.InetSocket) Style {
	switch s.Timer {
	case diag.TimerOff:
		return Plain
	case diag.TimerProbe:
		return Problem
	case diag.TimerTimeWait:
		return Faint
	}
	if s.Retrans > 0 {
		return Problem
	}
	return Plain
}
