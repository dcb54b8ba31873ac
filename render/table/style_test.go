package table

import (
	"bytes"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
)

// Styles have no width, and are dropped where colours are not wanted.
func TestStyles(t *testing.T) {
	for color, want := range map[bool]string{
		false: "NAME    N\nab      1\nc     123\n",
		true:  "\x1b[1mNAME\x1b[0m    \x1b[1mN\x1b[0m\n\x1b[31mab\x1b[0m      1\nc     \x1b[35m123\x1b[0m\n",
	} {
		var out bytes.Buffer
		l := Layout{W: &out, Heads: []Head{{Text: "NAME"}, {Text: "N", Right: true}}, Color: color}
		row := AppendStyle(nil, Problem)
		row = append(row, "ab\x001\x00"...)
		if err := l.Row(row); err != nil {
			t.Fatal(err)
		}
		row = AppendStyle(append(AppendStyle(row[:0], Plain), "c\x00"...), Notice)
		if err := l.Row(append(row, "123\x00"...)); err != nil {
			t.Fatal(err)
		}
		if err := l.Flush(); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("colours %v: %q, want %q", color, out.String(), want)
		}
	}
	if Problem.Paint("7") != "\x1b[31m7\x1b[0m" || Plain.Paint("7") != "7" {
		t.Error("Paint")
	}
}

func TestCut(t *testing.T) {
	const red, end = "\x1b[31m", "\x1b[0m"
	for _, tt := range []struct {
		line  string
		width int
		want  string
	}{
		{"abcdef", 6, "abcdef"},
		{"abcdef", 5, "ab..."},
		{"abcdef", 2, ".."},
		{red + "abcdef" + end, 6, red + "abcdef" + end},
		{red + "abcdef" + end, 5, red + "ab" + end + "..."},
		{"ab" + red + "cdef" + end, 5, "ab" + red + end + "..."},
		{red + "ab" + end + "cdef", 5, red + "ab" + end + "..."},
		{"\u65e5\u672c\u8a9e", 6, "\u65e5\u672c\u8a9e"}, // two cells each
		{"\u65e5\u672c\u8a9e", 5, "\u65e5..."},
		{"a\u65e5\u672c\u8a9e", 5, "a..."},
		{"e\u0301e\u0301e\u0301e\u0301", 4, "e\u0301e\u0301e\u0301e\u0301"}, // combining: none
		{"e\u0301e\u0301cdef", 5, "e\u0301e\u0301..."},
		{"\u00fc" + red + "\u00fc" + end + "cdef", 5, "\u00fc" + red + "\u00fc" + end + "..."},
	} {
		if got := string(cut([]byte(tt.line), tt.width)); got != tt.want {
			t.Errorf("%q to %d: %q, want %q", tt.line, tt.width, got, tt.want)
		} else if n := Width([]byte(got)); n > tt.width {
			t.Errorf("%q is %d wide, not %d", got, n, tt.width)
		}
	}
}

// What somebody has to look at stands out.
func TestColumnStyles(t *testing.T) {
	style := func(column string, s diag.InetSocket) Style {
		c, ok := Default(&field.Context{}, column)
		if !ok || c.Style == nil {
			t.Fatalf("%s has no style", column)
		}
		return c.Style(&s)
	}
	tcp := diag.InetSocket{Protocol: diag.TCP, State: diag.Established}
	with := func(change func(*diag.InetSocket)) diag.InetSocket {
		s := tcp
		change(&s)
		return s
	}
	for _, tt := range []struct {
		column string
		socket diag.InetSocket
		want   Style
	}{
		{"state", tcp, Plain},
		{"state", with(func(s *diag.InetSocket) { s.State = diag.CloseWait }), Problem},
		{"state", with(func(s *diag.InetSocket) { s.State = diag.SynSent }), Notice},
		{"state", with(func(s *diag.InetSocket) { s.State = diag.TimeWait }), Faint},
		{"state", with(func(s *diag.InetSocket) { s.State = diag.Listen }), Strong},
		{"recv_q", tcp, Plain},
		{"recv_q", with(func(s *diag.InetSocket) { s.RQueue = 1 }), Notice},
		{"recv_q", with(func(s *diag.InetSocket) { s.State, s.RQueue, s.WQueue = diag.Listen, 5, 5 }), Notice},
		{"recv_q", with(func(s *diag.InetSocket) { s.State, s.RQueue, s.WQueue = diag.Listen, 6, 5 }), Problem},
		{"recv_q", with(func(s *diag.InetSocket) { s.State, s.RQueue, s.Source = diag.Listen, 6, diag.FromProc }), Notice}, // the limit is not told
		{"send_q", with(func(s *diag.InetSocket) { s.State, s.WQueue = diag.Listen, 5 }), Plain},
		{"send_q", with(func(s *diag.InetSocket) { s.WQueue = 5 }), Notice},
		{"timer", tcp, Plain},
		{"timer", with(func(s *diag.InetSocket) { s.Timer = diag.TimerOn }), Plain},
		{"timer", with(func(s *diag.InetSocket) { s.Timer, s.Retrans = diag.TimerOn, 1 }), Problem},
		{"timer", with(func(s *diag.InetSocket) { s.Timer, s.Retrans = diag.TimerKeepalive, 1 }), Problem},
		{"timer", with(func(s *diag.InetSocket) { s.Timer = diag.TimerKeepalive }), Plain},
		{"timer", with(func(s *diag.InetSocket) { s.Timer = diag.TimerProbe }), Problem},
		{"timer", with(func(s *diag.InetSocket) { s.Timer = diag.TimerTimeWait }), Faint},
	} {
		if got := style(tt.column, tt.socket); got != tt.want {
			t.Errorf("%s of %v: %v, want %v", tt.column, tt.socket.State, got, tt.want)
		}
	}
}
