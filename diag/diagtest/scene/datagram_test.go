package scene

import (
	"testing"

	"golang.org/x/sys/unix"
)

// What the names of the sockets promise, beyond what /proc/net knows.
func TestDatagrams(t *testing.T) {
	s := New(t)
	for name, ok := range map[string]func(*Expect) bool{
		"udp any v4":       func(e *Expect) bool { return e.State == Close && e.Local.Port() == 53 },
		"udp any v6":       func(e *Expect) bool { return !e.V6Only && e.Family == unix.AF_INET6 },
		"udp v6only":       func(e *Expect) bool { return e.V6Only },
		"udp device":       func(e *Expect) bool { return e.Device == "lo" },
		"udp mark":         func(e *Expect) bool { return e.Mark == 0x77 && e.TOS == 0xb8 },
		"udp connected v6": func(e *Expect) bool { return e.TClass == 0x40 && e.State == Established },
		"udp mapped":       func(e *Expect) bool { return e.Local.Addr().Is4In6() },
		"udp link-local":   func(e *Expect) bool { return e.Device == TUN },
		"udp unread":       func(e *Expect) bool { return e.RecvQ >= 2*200 },
		"udp corked":       func(e *Expect) bool { return e.SendQ >= 100 },
		"raw icmp":         func(e *Expect) bool { return e.Local.Port() == unix.IPPROTO_ICMP },
		"raw connected":    func(e *Expect) bool { return e.Local.Port() == 253 && e.State == Established },
	} {
		if e := s.Find(t, name); !ok(e) {
			t.Errorf("%+v", *e)
		}
	}
}
