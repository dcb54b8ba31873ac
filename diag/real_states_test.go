package diag_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
)

// The states of real TCP sockets, over IPv4, IPv6, and IPv4 on an IPv6 socket.
func TestRealStates(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	for _, over := range []struct {
		name           string
		family, client int
		listen         string
		to             func(netip.AddrPort) netip.AddrPort
	}{
		{"IPv4", unix.AF_INET, unix.AF_INET, "127.0.0.1:0", func(a netip.AddrPort) netip.AddrPort { return a }},
		{"IPv6", unix.AF_INET6, unix.AF_INET6, "[::1]:0", func(a netip.AddrPort) netip.AddrPort { return a }},
		{"IPv4-mapped", unix.AF_INET6, unix.AF_INET, "[::]:0", func(a netip.AddrPort) netip.AddrPort { return loopback(a.Port()) }},
	} {
		t.Log(over.name)
		want := map[*sock]diag.State{}
		listen := func(backlog int) *sock {
			l := newSock(t, over.family, unix.SOCK_STREAM, 0).bind(over.listen).listen(backlog)
			want[l] = diag.Listen
			return l
		}
		client := func() *sock { return newSock(t, over.client, unix.SOCK_STREAM, 0) }
		connect := func(l *sock) (client_, server *sock) {
			client_ = client().connect(over.to(l.local()))
			server = l.accept()
			want[client_], want[server] = diag.Established, diag.Established
			return client_, server
		}
		l := listen(8)
		connect(l)

		active, passive := connect(l)
		unix.Shutdown(active.fd, unix.SHUT_WR)
		want[active], want[passive] = diag.FinWait2, diag.CloseWait

		// The peer does not read: what was written, and the FIN behind it, wait.
		stuck, _ := connect(l)
		unix.SetNonblock(stuck.fd, true)
		for n := 0; n >= 0; {
			n, _ = unix.Write(stuck.fd, make([]byte, 64<<10))
		}
		unix.Shutdown(stuck.fd, unix.SHUT_WR)
		want[stuck] = diag.FinWait1

		full := listen(0) // room for one
		queued := client().connect(over.to(full.local()))
		want[queued] = diag.Established
		full.awaitQueue(1)
		waiting := client()
		unix.SetNonblock(waiting.fd, true)
		if err := unix.Connect(waiting.fd, sockaddr(over.to(full.local()).String())); err != unix.EINPROGRESS {
			t.Fatalf("connect: %v", err)
		}
		want[waiting] = diag.SynSent

		deferred := listen(8)
		deferred.set(unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 60)
		silent := client().connect(over.to(deferred.local()))
		want[silent] = diag.Established

		closer, closed := connect(l)
		gone := map[string]netip.AddrPort{"local": closer.local(), "remote": closer.remote()}
		delete(want, closer)
		delete(want, closed)
		closer.close()
		closed.close()

		var socks []*diag.InetSocket
		eventually(t, "sockets are in their states", func() bool {
			socks = mustAll(t, c, diag.InetQuery{Ext: 0xff})
			n := 0
			for s, st := range want {
				for _, d := range socks {
					if d.Cookie == s.cookie() && d.State == st {
						n++
					}
				}
			}
			for _, d := range socks { // a timer that is due now says 0
				if (d.State == diag.SynSent || d.State == diag.SynRecv) && d.Expires == 0 {
					return false
				}
			}
			for _, d := range socks {
				if d.State == diag.TimeWait && d.Local == gone["local"] {
					n++
				}
			}
			return n == len(want)+1
		})
		for s, st := range want {
			d := find(t, socks, s)
			local := s.local()
			var remote netip.AddrPort
			switch {
			case st == diag.SynSent:
				remote = over.to(full.local())
			case st != diag.Listen:
				remote = s.remote()
			case local.Addr().Is4():
				remote = netip.MustParseAddrPort("0.0.0.0:0")
			default:
				remote = netip.MustParseAddrPort("[::]:0")
			}
			if d.Local != local || d.Remote != remote || d.Inode != s.inode() || d.UID != 0 || d.Interface != 0 {
				t.Errorf("%v: %+v\nwant %v > %v inode %d", st, d, local, remote, s.inode())
			}
			if f := diag.Family(s.get(unix.SOL_SOCKET, unix.SO_DOMAIN)); d.Family != f || d.Protocol != diag.TCP || d.Source != diag.FromNetlink {
				t.Errorf("%v: %v %v %v", st, d.Family, d.Protocol, d.Source)
			}
			var info diag.TCPInfo
			if !d.TCPInfo(&info) || diag.State(info.State) != st {
				t.Errorf("%v: tcp_info says %v", st, diag.State(info.State))
			}
		}
		if d := find(t, socks, waiting); d.Timer != diag.TimerOn || d.Expires <= 0 || d.Expires > 130*time.Second {
			t.Errorf("SYN_SENT: timer %v, %v", d.Timer, d.Expires)
		}
		// An accept queue: one connection waits, and the limit is what listen(2) was given.
		if d := find(t, socks, full); d.RQueue != 1 || d.WQueue != 0 {
			t.Errorf("LISTEN: queue %d of %d, want 1 of 0", d.RQueue, d.WQueue)
		}
		if d := find(t, socks, l); d.RQueue != 0 || d.WQueue != 8 {
			t.Errorf("LISTEN: queue %d of %d, want 0 of 8", d.RQueue, d.WQueue)
		}

		// Those without a file: TIME_WAIT, and the request socket behind TCP_DEFER_ACCEPT.
		synRecv := 0
		for _, d := range socks {
			var info diag.TCPInfo
			switch d.State {
			case diag.TimeWait:
				if d.Local == gone["local"] && (d.Remote != gone["remote"] || d.Timer != diag.TimerTimeWait || d.Expires <= 0 || d.Expires > time.Minute ||
					d.Inode != 0 || d.Cookie == 0 || d.TCPInfo(&info)) {
					t.Errorf("TIME_WAIT: %+v", d)
				}
			case diag.SynRecv:
				if d.Remote.Port() == silent.local().Port() && d.Inode == 0 && d.Timer == diag.TimerOn && d.Expires > 0 && !d.TCPInfo(&info) {
					synRecv++
				}
			}
		}
		if synRecv != 1 {
			t.Errorf("SYN_RECV: %d of %s", synRecv, text(socks))
		}

		// The mask picks: each state alone gives what all states together give, once the last of those that were closed have come to rest.
		inState := func(st diag.State) []uint64 {
			var cookies []uint64
			for _, d := range socks {
				if d.State == st {
					cookies = append(cookies, d.Cookie)
				}
			}
			slices.Sort(cookies)
			return cookies
		}
		for st := diag.Established; st <= diag.Closing; st++ {
			eventually(t, "each state alone gives what all states together give: "+st.String(), func() bool {
				socks = mustAll(t, c, diag.InetQuery{})
				var cookies []uint64
				for _, d := range mustAll(t, c, diag.InetQuery{States: diag.StatesOf(st)}) {
					if d.State != st {
						t.Fatalf("%v was asked for, %v came", st, d.State)
					}
					cookies = append(cookies, d.Cookie)
				}
				slices.Sort(cookies)
				return slices.Equal(cookies, inState(st))
			})
		}

		// An orphan keeps its cookie, and has no inode.
		cookie := stuck.cookie()
		stuck.close()
		orphans := 0
		for _, d := range mustAll(t, c, diag.InetQuery{States: diag.StatesOf(diag.FinWait1)}) {
			if d.Cookie == cookie && d.Inode == 0 && d.WQueue > 0 {
				orphans++
			}
		}
		if orphans != 1 {
			t.Errorf("%d orphans, want 1", orphans)
		}
		for s := range want {
			s.close()
		}
		passive.close()
	}
}

// A socket that is bound and does nothing else is seen from Linux 6.8 on.
func TestRealBoundInactive(t *testing.T) {
	newNetNS(t)
	s := newSock(t, unix.AF_INET, unix.SOCK_STREAM, 0).bind("127.0.0.1:0")
	c := dial(t, nil)
	got := mustAll(t, c, diag.InetQuery{States: diag.StatesOf(diag.BoundInactive)})
	if len(got) == 0 {
		t.Skip("needs Linux 6.8: bound sockets in dumps")
	}
	if d := find(t, got, s); d.State != diag.Close || d.Local != s.local() || d.Inode != s.inode() {
		t.Errorf("%s", text(got))
	}
}

func TestRealAnyOrder(t *testing.T) {
	newNetNS(t)
	p4, p6 := newPair(t, unix.AF_INET, "127.0.0.1:0"), newPair(t, unix.AF_INET6, "[::1]:0")
	c := dial(t, nil)
	socks := mustAll(t, c, diag.InetQuery{AnyOrder: true, Ext: diag.ExtInfo | diag.ExtCong})
	if len(socks) != 6 {
		t.Errorf("%s\nwant 6", text(socks))
	}
	for _, s := range []*sock{p4.listener, p4.client, p4.server, p6.listener, p6.client, p6.server} {
		d := find(t, socks, s)
		var info diag.TCPInfo
		if _, ok := d.Cong(); !ok || !d.TCPInfo(&info) || d.Local != s.local() || d.Inode != s.inode() {
			t.Errorf("%+v", d)
		}
	}
	if got := mustAll(t, c, diag.InetQuery{AnyOrder: true, States: diag.StatesOf(diag.Listen)}); len(got) != 2 {
		t.Errorf("%s\nwant the listeners", text(got))
	}
}

func TestRealUDP(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	for _, f := range []struct {
		family int
		addr   string
	}{{unix.AF_INET, "127.0.0.1:0"}, {unix.AF_INET6, "[::1]:0"}} {
		server := newSock(t, f.family, unix.SOCK_DGRAM, 0).bind(f.addr)
		client := newSock(t, f.family, unix.SOCK_DGRAM, 0).connect(server.local())
		var socks []*diag.InetSocket
		var s, k *diag.InetSocket
		eventually(t, "a datagram is there", func() bool { // on a busy processor it comes a little after it is sent, or is lost
			client.write(500)
			socks = mustAll(t, c, diag.InetQuery{Protocol: diag.UDP, Ext: 0xff})
			s, k = find(t, socks, server), find(t, socks, client)
			return s.RQueue != 0
		})
		if s.State != diag.Close || k.State != diag.Established || k.Remote != client.remote() || s.Local != server.local() {
			t.Errorf("%s", text(socks))
		}
		if s.RQueue < 500 || k.RQueue != 0 { // the memory that a datagram takes
			t.Errorf("%d and %d bytes of memory, want 500 or more, and 0", s.RQueue, k.RQueue)
		}
		var info diag.TCPInfo
		if opt, ok := s.SockOpt(); !ok || opt&diag.OptIsICSK != 0 || s.TCPInfo(&info) {
			t.Errorf("sockopt %#x, %v", opt, ok)
		}
		if got := mustAll(t, c, diag.InetQuery{Protocol: diag.UDP, Family: diag.Family(f.family), States: diag.StatesOf(diag.Established)}); len(got) != 1 || got[0].Cookie != client.cookie() {
			t.Errorf("connected ones: %s", text(got))
		}
	}
}

// Allocations of a dump of the real kernel do not grow with the sockets.
func TestRealDumpDoesNotAllocatePerSocket(t *testing.T) {
	newNetNS(t)
	withoutGC(t)
	setSysctl(t, "ipv4/ip_local_port_range", "1024 65535")
	c := dial(t, nil)
	count := func() (n int) {
		for _, err := range c.Inet(t.Context(), diag.InetQuery{Protocol: diag.UDP, Ext: 0xff}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	per := func(n int) float64 {
		for count() < n {
			for range 500 {
				newSock(t, unix.AF_INET, unix.SOCK_DGRAM, 0).bind("127.0.0.1:0")
			}
		}
		return testing.AllocsPerRun(3, func() {
			if got := count(); got != n {
				t.Fatalf("%d sockets, want %d", got, n)
			}
		})
	}
	few, many := per(2000), per(4000)
	if many > few+2 {
		t.Errorf("%v allocations for 2,000 sockets, %v for 4,000", few, many)
	}
}
