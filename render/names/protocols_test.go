package names

import "testing"

func TestProtocols(t *testing.T) {
	path := file(t, "ip 0 IP # internet\nicmp 1 ICMP\nicmp-again 1\nhuge 300 X\ntcp 6 TCP\n")
	for _, tt := range []struct {
		num  uint8
		last bool
		want string
		ok   bool
	}{
		{0, false, "ip", true},
		{1, false, "icmp", true},
		{1, true, "icmp-again", true},
		{6, false, "tcp", true},
		{44, false, "", false}, // 300 modulo 256
	} {
		p := Protocols{File: path, Last: tt.last}
		if got, ok := p.Lookup(tt.num); got != tt.want || ok != tt.ok {
			t.Errorf("Lookup(%d), last %v = %q, %v, want %q, %v", tt.num, tt.last, got, ok, tt.want, tt.ok)
		}
	}
	none := Protocols{File: "/nonexistent/protocols"}
	if name, ok := none.Lookup(6); ok {
		t.Errorf("a missing file named 6 %q", name)
	}
}
