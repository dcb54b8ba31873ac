package lab

import "testing"

func TestParseShape(t *testing.T) {
	for _, sh := range Shapes() {
		if got, err := ParseShape(string(sh)); got != sh || err != nil {
			t.Errorf("%q: %q, %v", sh, got, err)
		}
	}
	for _, s := range []string{"", "pair", "PAIRS"} {
		if got, err := ParseShape(s); err == nil {
			t.Errorf("%q: no error, %q", s, got)
		}
	}
}

func TestConfigCheck(t *testing.T) {
	for _, ok := range []Config{{Sockets: 1}, {Sockets: MaxSockets, Shape: Mixed, IPv6: 100, Procs: maxProcs}} {
		if _, err := ok.check(); err != nil {
			t.Errorf("%+v: %v", ok, err)
		}
	}
	if c, _ := (Config{Sockets: 1}).check(); c.Shape != Pairs {
		t.Errorf("zero shape is %q", c.Shape)
	}
	for _, bad := range []Config{{}, {Sockets: -1}, {Sockets: MaxSockets + 1}, {Sockets: 1, IPv6: 101}, {Sockets: 1, IPv6: -1},
		{Sockets: 1, Procs: -1}, {Sockets: 1, Procs: maxProcs + 1}, {Sockets: 1, Shape: "ring"}} {
		if _, err := bad.check(); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}
