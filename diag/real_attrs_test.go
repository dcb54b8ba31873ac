package diag_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
)

// dumped returns the sockets as the kernel reports them, in the order given.
func dumped(t *testing.T, c *diag.Conn, p diag.Protocol, socks ...*sock) []*diag.InetSocket {
	t.Helper()
	all := mustAll(t, c, diag.InetQuery{Protocol: p, Ext: 0xff})
	out := make([]*diag.InetSocket, len(socks))
	for i, s := range socks {
		out[i] = find(t, all, s)
	}
	return out
}

// getsockopt returns the bytes of a socket option.
func (s *sock) bytes(level, opt, n int) []byte {
	s.t.Helper()
	b := make([]byte, n)
	size := uint32(n)
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(s.fd), uintptr(level), uintptr(opt),
		uintptr(unsafe.Pointer(&b[0])), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		s.t.Fatalf("getsockopt(%d, %d): %v", level, opt, errno)
	}
	return b[:size]
}

func TestRealTCPInfo(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	const small = 20000 // no window scale is needed for it
	l := newSock(t, unix.AF_INET, unix.SOCK_STREAM, 0).bind("127.0.0.1:0").listen(4)
	client := newSock(t, unix.AF_INET, unix.SOCK_STREAM, 0).set(unix.IPPROTO_TCP, unix.TCP_WINDOW_CLAMP, small)
	if err := unix.SetsockoptString(client.fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, "reno"); err != nil {
		t.Fatal(err)
	}
	client.connect(l.local())
	server := l.accept()
	client.write(12345)
	eventually(t, "the bytes are acknowledged", func() bool { return client.asked(unix.SIOCOUTQ) == 0 })

	for _, s := range []*sock{client, server} {
		// The same bytes as getsockopt(TCP_INFO), but for the times since the last segments, which go on (44 to 60).
		var info diag.TCPInfo
		var truth []byte
		eventually(t, "tcp_info by sock_diag is tcp_info by getsockopt", func() bool {
			d := dumped(t, c, diag.TCP, s)[0]
			truth = s.bytes(unix.IPPROTO_TCP, unix.TCP_INFO, 512)
			raw, ok := d.Attr(diag.AttrInfo)
			if !ok || !d.TCPInfo(&info) || len(raw) != len(truth) {
				t.Fatalf("%d bytes of tcp_info, %v, getsockopt has %d", len(raw), ok, len(truth))
			}
			return bytes.Equal(raw[:44], truth[:44]) && bytes.Equal(raw[60:], truth[60:])
		})
		ne := binary.NativeEndian
		if info.RTT != ne.Uint32(truth[68:]) || info.RTT == 0 || info.SndMSS != ne.Uint32(truth[16:]) || info.PMTU != 65535 && info.PMTU != 65536 {
			t.Errorf("rtt %d us, mss %d, pmtu %d", info.RTT, info.SndMSS, info.PMTU)
		}
		if diag.Has(&info, &info.BytesAcked) && s == client && (info.BytesAcked != 12345+1 || info.BytesSent != 12345+info.BytesRetrans) { // and the SYN
			t.Errorf("%d bytes sent, %d acknowledged", info.BytesSent, info.BytesAcked)
		}
		if s == server && info.BytesReceived != 12345 {
			t.Errorf("%d bytes received, want 12345", info.BytesReceived)
		}
		snd, rcv := info.SndWScale(), info.RcvWScale()
		if s == server {
			snd, rcv = rcv, snd
		}
		if rcv != 0 || snd == 0 || snd > 14 {
			t.Errorf("window scales %d and %d, want 0 for a window of %d and more for the default one", rcv, snd, small)
		}
		if info.Options&diag.TCPOptWScale == 0 || info.Options&diag.TCPOptSACK == 0 || info.Options&diag.TCPOptTimestamps == 0 {
			t.Errorf("options %#x", info.Options)
		}
		if !diag.Has(&info, &info.State) || len(truth) < 276 && diag.Has(&info, &info.ReceivedCEBytes) {
			t.Errorf("Has tells of fields beyond %d bytes", len(truth))
		}
	}
	// One write, all of it sent: the rate was limited by the program.
	var info diag.TCPInfo
	if dumped(t, c, diag.TCP, client)[0].TCPInfo(&info); !info.AppLimited() || info.DeliveryRate == 0 {
		t.Errorf("app-limited %v, %d bytes a second", info.AppLimited(), info.DeliveryRate)
	}
}

func TestRealMemInfo(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	server := newSock(t, unix.AF_INET, unix.SOCK_DGRAM, 0).set(unix.SOL_SOCKET, unix.SO_RCVBUF, 4000).bind("127.0.0.1:0")
	client := newSock(t, unix.AF_INET, unix.SOCK_DGRAM, 0).connect(server.local())
	for range 20 { // more than fit: the rest is dropped
		client.write(1000)
	}
	var d *diag.InetSocket
	var truth []byte
	eventually(t, "no more datagrams come", func() bool { // on a busy processor they come a little after they are sent
		before := server.bytes(unix.SOL_SOCKET, unix.SO_MEMINFO, 64)
		d = dumped(t, c, diag.UDP, server)[0]
		truth = server.bytes(unix.SOL_SOCKET, unix.SO_MEMINFO, 64)
		drops := binary.NativeEndian.Uint32(truth[4*8:]) // SK_MEMINFO_DROPS
		if drops == 0 {
			client.write(1000) // some were lost on their way
		}
		return drops != 0 && bytes.Equal(before, truth)
	})
	m, ok := d.SKMemInfo()
	got := []uint32{m.RMemAlloc, m.RcvBuf, m.WMemAlloc, m.SndBuf, m.FwdAlloc, m.WMemQueued, m.OptMem, m.Backlog, m.Drops}
	for i, v := range got {
		if want := binary.NativeEndian.Uint32(truth[4*i:]); !ok || v != want {
			t.Errorf("SK_MEMINFO %d is %d, %v, want %d", i, v, ok, want)
		}
	}
	if m.Drops == 0 || !m.HasDrops() || !m.HasBacklog() || m.RcvBuf != uint32(server.get(unix.SOL_SOCKET, unix.SO_RCVBUF)) {
		t.Errorf("%+v", m)
	}
	p := newPair(t, unix.AF_INET, "127.0.0.1:0")
	p.client.write(5000)
	eventually(t, "the bytes are there", func() bool {
		d = dumped(t, c, diag.TCP, p.server)[0]
		return d.RQueue == 5000
	})
	old, ok := d.MemInfo()
	if m, _ = d.SKMemInfo(); !ok || old.RMem < 5000 || old.RMem != m.RMemAlloc {
		t.Errorf("%+v, %v, %+v", old, ok, m)
	}
}

func TestRealCongestionControl(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	allowed, err := os.ReadFile("/proc/sys/net/ipv4/tcp_available_congestion_control")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, name := range []string{"reno", "cubic", "bbr"} {
		if !strings.Contains(string(allowed), name) {
			t.Logf("the kernel does not have %s", name)
			continue
		}
		seen++
		l := newSock(t, unix.AF_INET, unix.SOCK_STREAM, 0).bind("127.0.0.1:0").listen(4)
		s := newSock(t, unix.AF_INET, unix.SOCK_STREAM, 0)
		if err := unix.SetsockoptString(s.fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, name); err != nil {
			t.Fatal(err)
		}
		s.connect(l.local())
		d := dumped(t, c, diag.TCP, s)[0]
		if got, ok := d.Cong(); !ok || string(got) != name {
			t.Errorf("%q, %v, want %s", got, ok, name)
		}
		bbr, ok := d.BBRInfo()
		if ok != (name == "bbr") {
			t.Errorf("%s: bbr info is there: %v", name, ok)
		}
		if ok {
			truth := s.bytes(unix.IPPROTO_TCP, unix.TCP_CC_INFO, 20)
			if min := binary.NativeEndian.Uint32(truth[8:]); bbr.MinRTT != min || bbr.PacingGain < 256 || bbr.CwndGain < 256 {
				t.Errorf("%+v, want a minimum of %d us", bbr, min)
			}
		}
	}
	if seen < 1 {
		t.Error("not one algorithm was looked at")
	}
}

func TestRealOptions(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	p4 := newPair(t, unix.AF_INET, "127.0.0.1:0")
	p6 := newPair(t, unix.AF_INET6, "[::1]:0")
	dual := newSock(t, unix.AF_INET6, unix.SOCK_STREAM, 0).bind("[::]:0").listen(1)
	only := newSock(t, unix.AF_INET6, unix.SOCK_STREAM, 0).set(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1).bind("[::1]:0").listen(1)

	p4.client.set(unix.IPPROTO_IP, unix.IP_TOS, 0x28).set(unix.SOL_SOCKET, unix.SO_MARK, 0x1234).set(unix.SOL_SOCKET, unix.SO_PRIORITY, 5)
	p6.client.set(unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 0x88)
	unix.Shutdown(p6.client.fd, unix.SHUT_RD)
	unix.Shutdown(p6.server.fd, unix.SHUT_WR)
	p4.server.set(unix.IPPROTO_IP, unix.IP_FREEBIND, 1).set(unix.IPPROTO_IP, unix.IP_TRANSPARENT, 1).
		set(unix.IPPROTO_IP, unix.IP_RECVERR, 1).set(unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1).
		set(unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, 0)
	bound := newSock(t, unix.AF_INET, unix.SOCK_STREAM, 0)
	if err := unix.BindToDevice(bound.fd, "lo"); err != nil {
		t.Fatal(err)
	}
	bound.bind("127.0.0.1:0").listen(1)

	d := dumped(t, c, diag.TCP, p4.client, p4.server, p6.client, p6.server, dual, only, bound)
	c4, s4, c6, s6, l6, o6, lo := d[0], d[1], d[2], d[3], d[4], d[5], d[6]
	tos := func(s *diag.InetSocket, want int) {
		if v, ok := s.TOS(); !ok || int(v) != want {
			t.Errorf("%v: TOS %#x, %v, want %#x", s.Local, v, ok, want)
		}
	}
	tos(c4, p4.client.get(unix.IPPROTO_IP, unix.IP_TOS))
	tos(s4, 0)
	if v, _ := c4.TOS(); v != 0x28 {
		t.Errorf("TOS %#x, want 0x28", v)
	}
	if v, ok := c6.TClass(); !ok || v != 0x88 {
		t.Errorf("TClass %#x, %v, want 0x88", v, ok)
	}
	if v, ok := c4.TClass(); ok {
		t.Errorf("TClass %#x of an IPv4 socket", v)
	}
	// The priority stands in where there is no net_cls cgroup.
	cgroups, _ := os.ReadFile("/proc/self/cgroup")
	if v, ok := c4.ClassID(); !ok || v != 5 && !strings.Contains(string(cgroups), "net_cls") {
		t.Errorf("class id %d, %v, want 5", v, ok)
	}
	if v, ok := c4.Mark(); !ok || v != 0x1234 {
		t.Errorf("mark %#x, %v, want 0x1234", v, ok)
	}
	if v, ok := s4.Mark(); !ok || v != 0 {
		t.Errorf("mark %#x, %v, want 0", v, ok)
	}
	// The server's FIN shuts the client's receiving side, which it had shut anyway.
	for s, want := range map[*diag.InetSocket]uint8{c4: 0, c6: diag.RcvShutdown, s6: diag.SendShutdown} {
		if v, ok := s.Shutdown(); !ok || v != want {
			t.Errorf("%v: shutdown %d, %v, want %d", s.State, v, ok, want)
		}
	}
	for s, want := range map[*diag.InetSocket][2]bool{o6: {true, true}, l6: {false, true}, c6: {false, false}, lo: {false, false}} {
		if v, ok := s.V6Only(); v != want[0] || ok != want[1] {
			t.Errorf("%v: v6only %v, %v, want %v", s.Local, v, ok, want)
		}
	}
	const common = diag.OptIsICSK | diag.OptMCAll
	for s, want := range map[*diag.InetSocket]diag.SockOpt{
		s4: common | diag.OptFreebind | diag.OptTransparent | diag.OptRecvErr | diag.OptBindAddressNoPort,
		c4: common | diag.OptMCLoop,
	} {
		if v, ok := s.SockOpt(); !ok || v != want {
			t.Errorf("%v: sockopt %#x, %v, want %#x", s.Local, v, ok, want)
		}
	}
	if lo.Interface != 1 || c4.Interface != 0 {
		t.Errorf("interfaces %d and %d, want 1 (lo) and 0", lo.Interface, c4.Interface)
	}
}

func TestRealQueuesAndTimers(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	p := newPair(t, unix.AF_INET, "127.0.0.1:0")
	p.client.write(4321)
	p.server.set(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1).set(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 100)
	var d []*diag.InetSocket
	eventually(t, "the bytes are acknowledged", func() bool {
		d = dumped(t, c, diag.TCP, p.client, p.server)
		return d[0].WQueue == 0 && d[0].Timer == diag.TimerOff
	})
	if d[1].RQueue != 4321 || d[1].WQueue != 0 || d[0].RQueue != 0 {
		t.Errorf("queues %d %d and %d %d, want 4321 received", d[0].RQueue, d[0].WQueue, d[1].RQueue, d[1].WQueue)
	}
	if d[1].Timer != diag.TimerKeepalive || d[1].Expires <= 60*time.Second || d[1].Expires > 100*time.Second {
		t.Errorf("timer %v in %v, want keepalive within 100 s", d[1].Timer, d[1].Expires)
	}
	if d[0].Expires != 0 {
		t.Errorf("no timer, in %v", d[0].Expires)
	}

	// The peer's window closes: what is not sent stays in the queue, and the window is probed.
	unix.SetNonblock(p.client.fd, true)
	for n := 0; n >= 0; {
		n, _ = unix.Write(p.client.fd, make([]byte, 64<<10))
	}
	eventually(t, "the window is probed, and the queues are those that SIOCOUTQ and SIOCINQ tell", func() bool {
		before := p.client.asked(unix.SIOCOUTQ)
		d = dumped(t, c, diag.TCP, p.client, p.server)
		// A last segment may be on its way. A timer that is due now says 0.
		return d[0].Timer == diag.TimerProbe && d[0].Expires != 0 && before != 0 && d[0].WQueue == before && d[1].RQueue == p.server.asked(unix.SIOCINQ)
	})
	if d[0].Expires <= 0 || d[0].Expires > 2*time.Minute {
		t.Errorf("the next probe is in %v", d[0].Expires)
	}
}

func TestRealMD5Keys(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	s := newSock(t, unix.AF_INET, unix.SOCK_STREAM, 0).bind("127.0.0.1:0")
	key := unix.TCPMD5Sig{Flags: unix.TCP_MD5SIG_FLAG_PREFIX, Prefixlen: 8, Keylen: 6}
	copy(key.Key[:], "secret")
	*(*unix.RawSockaddrInet4)(unsafe.Pointer(&key.Addr)) = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: [4]byte{127}}
	needs(t, "CONFIG_TCP_MD5SIG", unix.SetsockoptTCPMD5Sig(s.fd, unix.IPPROTO_TCP, unix.TCP_MD5SIG_EXT, &key))
	s.listen(1)
	other := newSock(t, unix.AF_INET, unix.SOCK_STREAM, 0).bind("127.0.0.1:0").listen(1)
	d := dumped(t, c, diag.TCP, s, other)
	n := 0
	for k := range d[0].MD5Sigs() {
		n++
		if k.Prefix != netip.MustParsePrefix("127.0.0.0/8") || string(k.Key) != "secret" {
			t.Errorf("key %+v", k)
		}
	}
	for range d[1].MD5Sigs() {
		t.Error("a key of another socket")
	}
	if n != 1 {
		t.Errorf("%d keys, want 1", n)
	}
	for _, d := range mustAll(t, c, diag.InetQuery{Ext: 0xff &^ diag.ExtInfo}) {
		for range d.MD5Sigs() {
			t.Error("keys came unasked")
		}
	}
}

func TestRealMPTCP(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_MPTCP)
	needs(t, "CONFIG_MPTCP", err)
	unix.Close(fd)
	l := newSock(t, unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP).bind("127.0.0.1:0").listen(4)
	client := newSock(t, unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP).connect(l.local())
	server := l.accept()
	plain := newPair(t, unix.AF_INET, "127.0.0.1:0")
	client.write(100)

	var ds []*diag.InetSocket
	eventually(t, "the bytes are there", func() bool {
		if ds, err = all(t.Context(), c, diag.InetQuery{Protocol: diag.MPTCP, Ext: 0xff}); errors.Is(err, errors.ErrUnsupported) {
			t.Skipf("needs CONFIG_INET_MPTCP_DIAG, Linux 5.9: %v", err)
		} else if err != nil {
			t.Fatal(err)
		}
		var info diag.MPTCPInfo
		return !find(t, ds, server).MPTCPInfo(&info) || info.Size() < 96 || info.BytesReceived == 100
	})
	if len(ds) != 3 {
		t.Errorf("%s\nwant the listener and both ends, and no TCP socket", text(ds))
	}
	tokens := map[netip.AddrPort]uint32{}
	for _, s := range []*sock{client, server} {
		var info diag.MPTCPInfo
		d := find(t, ds, s)
		if d.Protocol != diag.MPTCP || d.Local != s.local() || d.Inode != s.inode() || !d.MPTCPInfo(&info) || info.Flags&diag.MPTCPRemoteKey == 0 ||
			info.Flags&diag.MPTCPFallback != 0 || info.Token == 0 || info.Size() < 48 {
			t.Errorf("%+v, %+v", d, info)
		}
		var tcp diag.TCPInfo
		if d.TCPInfo(&tcp) {
			t.Error("mptcp_info was taken for tcp_info")
		}
		if info.Size() >= 96 && s == server && info.BytesReceived != 100 {
			t.Errorf("%d bytes received, want 100", info.BytesReceived)
		}
		tokens[d.Local] = info.Token
	}

	// The subflows are TCP sockets, which tell what they belong to.
	found := 0
	for _, d := range mustAll(t, c, diag.InetQuery{States: diag.StatesOf(diag.Established), Ext: diag.ExtInfo}) {
		var ulp diag.ULP
		ok := d.ULP(&ulp)
		token, want := tokens[d.Local]
		if ok != want {
			t.Errorf("%v: ULP is there: %v", d.Local, ok)
		}
		if !want {
			continue
		}
		found++
		if string(ulp.Name) != "mptcp" || !ulp.HasMPTCP || !ulp.MPTCP.HasTokens() || ulp.MPTCP.TokenLocal != token ||
			ulp.MPTCP.TokenRemote != 0 || !ulp.MPTCP.HasFlags() || ulp.MPTCP.Flags == 0 || ulp.HasTLS {
			t.Errorf("%v: %+v, want token %#x", d.Local, ulp, token)
		}
	}
	if found != 2 {
		t.Errorf("%d subflows, want 2", found)
	}
	var ulp diag.ULP
	for _, d := range mustAll(t, c, diag.InetQuery{Ext: 0xff &^ diag.ExtInfo}) {
		if d.ULP(&ulp) {
			t.Error("the ULP came unasked")
		}
	}
	if d := dumped(t, c, diag.TCP, plain.client)[0]; d.ULP(&ulp) {
		t.Errorf("ULP of a plain connection: %+v", ulp)
	}
}
