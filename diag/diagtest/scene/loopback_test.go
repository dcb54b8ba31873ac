package scene

import "testing"

// What the names of the sockets promise, beyond what /proc/net knows.
func TestLoopback(t *testing.T) {
	s := New(t)
	for name, ok := range map[string]func(*Expect) bool{
		"listen any v4":        func(e *Expect) bool { return e.Backlog == 128 && e.Local.Port() == 22 },
		"listen any v6":        func(e *Expect) bool { return !e.V6Only && e.Local.Addr().IsUnspecified() },
		"listen v6only":        func(e *Expect) bool { return e.V6Only },
		"listen device":        func(e *Expect) bool { return e.Device == TUN },
		"listen link-local":    func(e *Expect) bool { return e.Device == TUN && e.Local.Addr().IsLinkLocalUnicast() },
		"listen reno":          func(e *Expect) bool { return e.Congestion == "reno" },
		"listen mark":          func(e *Expect) bool { return e.Mark == 0x2a },
		"listen md5":           func(e *Expect) bool { return e.MD5Key != "" || s.Lacks("TCP_MD5SIG") },
		"mark client":          func(e *Expect) bool { return e.Mark == 0xbeef },
		"mark server":          func(e *Expect) bool { return e.Mark == 0x2a },
		"https client":         func(e *Expect) bool { return e.TClass == 0x20 && e.Congestion == "reno" },
		"ssh client":           func(e *Expect) bool { return e.TOS == 0x10 && e.Timer == TimerKeepalive },
		"http mapped client":   func(e *Expect) bool { return e.Local.Addr().Is4In6() && e.Remote.Addr().Is4In6() },
		"http mixed client":    func(e *Expect) bool { return e.Local.Addr().Is4() },
		"http mixed server":    func(e *Expect) bool { return e.Local.Addr().Is4In6() },
		"device client":        func(e *Expect) bool { return e.Device == "lo" },
		"fastopen client":      func(e *Expect) bool { return e.FastOpen || s.Lacks("TCP_FASTOPEN") },
		"fastopen server":      func(e *Expect) bool { return e.FastOpen || s.Lacks("TCP_FASTOPEN") },
		"full client":          func(e *Expect) bool { return e.SendQ > 0 },
		"full server":          func(e *Expect) bool { return e.RecvQ > 0 },
		"queueing child v4 2":  func(e *Expect) bool { return e.Inode == 0 && e.RecvQ == 20 },
		"queueing listener v4": func(e *Expect) bool { return e.RecvQ == 3 && e.Backlog == 5 },
	} {
		if e := s.Find(t, name); !ok(e) {
			t.Errorf("%+v", *e)
		}
	}
}
