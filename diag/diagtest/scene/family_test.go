package scene_test

import (
	"context"
	"errors"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
)

// family builds a part of Families, or skips the test where the kernel has not got it.
func family(t *testing.T, part string) (*scene.Families, *diag.Conn) {
	t.Helper()
	f := scene.NewFamilies(t, part)
	c, err := diag.Dial(&diag.Config{NetNSFD: f.FD()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return f, c
}

// collect takes a dump. The test is skipped where the kernel has no handler for it.
func collect[S any](t *testing.T, handler string, list iter.Seq2[*S, error], clone func(*S) *S) (all []*S) {
	t.Helper()
	for s, err := range list {
		if errors.Is(err, errors.ErrUnsupported) {
			t.Skipf("this kernel has no %s", handler)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, clone(s))
	}
	return all
}

func copied[S any](s *S) *S { c := *s; return &c }

func inet(t *testing.T, c *diag.Conn, handler string, p diag.Protocol) []*diag.InetSocket {
	t.Helper()
	q := diag.InetQuery{Protocol: p, Ext: 0xff}
	return collect(t, handler, c.Inet(context.Background(), q), (*diag.InetSocket).Clone)
}

// The kernel tells of each SCTP endpoint, and of its associations behind it, with all addresses of both ends.
func TestSCTPFamily(t *testing.T) {
	f, c := family(t, scene.FamilySCTP)
	rows := map[uint32][]*diag.InetSocket{}
	for _, s := range inet(t, c, "sctp_diag", diag.SCTP) {
		rows[s.Inode] = append(rows[s.Inode], s)
	}
	addrs := func(list iter.Seq[netip.AddrPort], port uint16) (all []netip.Addr) {
		for a := range list {
			all = append(all, a.Addr())
			if a.Port() != port {
				t.Errorf("port %d, want %d", a.Port(), port)
			}
		}
		slices.SortFunc(all, netip.Addr.Compare)
		return all
	}
	for _, e := range f.SCTP {
		got := rows[e.Inode]
		delete(rows, e.Inode)
		// Kernels before 6.12 tell of an endpoint that listens and has associations twice.
		assocs := slices.DeleteFunc(slices.Clone(got), func(s *diag.InetSocket) bool {
			_, ok := s.Association()
			return !ok
		})
		if len(assocs) != len(e.Assocs) || len(got) == len(assocs) {
			t.Errorf("%s: %d rows, %d of them associations, want %d", e.Name, len(got), len(assocs), len(e.Assocs))
			continue
		}
		s := got[0]
		if _, ok := s.Association(); ok || s.Protocol != diag.SCTP || s.State != diag.State(e.State) || s.Local.Port() != e.Local.Port() {
			t.Errorf("%s: %v %v %v, want %v %v", e.Name, s.Protocol, s.State, s.Local, e.State, e.Local)
		}
		if locals := addrs(s.Locals(), e.Local.Port()); !slices.Equal(locals, e.Locals) {
			t.Errorf("%s: bound to %v, want %v", e.Name, locals, e.Locals)
		}
		if e.State == scene.Listen && s.WQueue != 7 {
			t.Errorf("%s: backlog %d", e.Name, s.WQueue)
		}
		for _, s := range assocs {
			i := slices.IndexFunc(e.Assocs, func(a scene.SCTPAssociation) bool { return a.Remote.Port() == s.Remote.Port() })
			if i < 0 {
				t.Errorf("%s: unknown association with %v", e.Name, s.Remote)
				continue
			}
			want := e.Assocs[i]
			e.Assocs = slices.Delete(e.Assocs, i, i+1)
			state, ok := s.Association()
			if !ok || state != diag.AssocState(want.State) || s.Local.Port() != e.Local.Port() {
				t.Errorf("%s: association %v %v of %v, want %v", e.Name, state, ok, s.Local, want)
			}
			peers := addrs(s.Peers(), want.Remote.Port())
			if !slices.Equal(peers, want.Peers) {
				t.Errorf("%s: peers %v, want %v", e.Name, peers, want.Peers)
			}
			var info diag.SCTPInfo
			if !s.SCTPInfo(&info) || info.State != uint32(want.State) || want.State == scene.AssocEstablished && (info.Tag == 0 || info.PeerTag == 0) {
				t.Errorf("%s: sctp_info %+v", e.Name, info)
			}
		}
	}
	for inode := range rows {
		t.Errorf("not in the scene: inode %d", inode)
	}
}

// Every socket of AF_VSOCK, and no other.
func TestVSockFamily(t *testing.T) {
	f, c := family(t, scene.FamilyVSock)
	got := map[uint32]diag.VSockSocket{}
	for _, s := range collect(t, "vsock_diag", c.VSock(t.Context(), diag.VSockQuery{}), copied) {
		got[s.Inode] = *s
	}
	for _, e := range f.VSock {
		s, ok := got[e.Inode]
		delete(got, e.Inode)
		want := diag.VSockSocket{Type: diag.SocketType(e.Type), State: diag.State(e.State), Local: diag.VSockAddr(e.Local),
			Remote: diag.VSockAddr(e.Remote), Shutdown: e.Shutdown, Inode: e.Inode, Cookie: s.Cookie}
		if !ok || s != want || s.Cookie == 0 {
			t.Errorf("%s:\n got %+v\nwant %+v", e.Name, s, want)
		}
	}
	for _, s := range got {
		if s.Inode != 0 || s.Local.Port != 70000 { // the end that waits to be accepted
			t.Errorf("not in the scene: %+v", s)
		}
	}
}

// Every socket of AF_TIPC.
func TestTIPCFamily(t *testing.T) {
	f, c := family(t, scene.FamilyTIPC)
	got := map[uint32]*diag.TIPCSocket{}
	for _, s := range collect(t, "tipc_diag", c.TIPC(t.Context(), diag.TIPCQuery{}), (*diag.TIPCSocket).Clone) {
		got[s.Inode] = s
	}
	for _, e := range f.TIPC {
		s := got[e.Inode]
		if s == nil {
			t.Errorf("%s: not reported", e.Name)
			continue
		}
		delete(got, e.Inode)
		if s.Type != diag.SocketType(e.Type) || s.State != diag.State(e.State) || s.Local != diag.TIPCAddr(e.Local) || s.Published() != e.Published || s.UID != 0 {
			t.Errorf("%s: %v %v %v published %v uid %d, want %+v", e.Name, s.Type, s.State, s.Local, s.Published(), s.UID, e)
		}
		if peer, ok := s.Peer(); ok != (e.Peer != nil) || ok && peer != diag.TIPCAddr(*e.Peer) {
			t.Errorf("%s: peer %v, want %v", e.Name, peer, e.Peer)
		}
		if service, instance, ok := s.Via(); ok != (e.Via != nil) || ok && [2]uint32{service, instance} != *e.Via {
			t.Errorf("%s: via %d %d %v, want %v", e.Name, service, instance, ok, e.Via)
		}
		if recv, _, ok := s.Queues(); !ok || recv != e.Unread {
			t.Errorf("%s: %d messages unread, want %d", e.Name, recv, e.Unread)
		}
	}
	kernels := 0 // the topology server
	for inode, s := range got {
		if s.State == diag.Listen && s.Published() {
			kernels++
		} else {
			t.Errorf("not in the scene: inode %d", inode)
		}
	}
	if kernels > 1 {
		t.Errorf("%d listeners are not in the scene", kernels)
	}
}

// Every socket of AF_XDP.
func TestXDPFamily(t *testing.T) {
	f, c := family(t, scene.FamilyXDP)
	q := diag.XDPQuery{Show: diag.XDPShowInfo | diag.XDPShowRings | diag.XDPShowUmem | diag.XDPShowMemInfo | diag.XDPShowStats}
	got := map[uint32]*diag.XDPSocket{}
	for _, s := range collect(t, "xsk_diag", c.XDP(t.Context(), q), (*diag.XDPSocket).Clone) {
		got[s.Inode] = s
	}
	for _, e := range f.XDP {
		s := got[e.Inode]
		if s == nil {
			t.Errorf("%s: not reported", e.Name)
			continue
		}
		delete(got, e.Inode)
		is := e
		index, queue, _ := s.Info()
		is.Index, is.Queue = int(index), queue
		is.RX, _ = s.RXRing()
		is.TX, _ = s.TXRing()
		is.Fill, _ = s.FillRing()
		is.Completion, _ = s.CompletionRing()
		u, ok := s.Umem()
		is.UmemSize, is.ChunkSize, is.Headroom, is.Refs = u.Size, u.ChunkSize, u.Headroom, u.Refs
		if is != e || ok != (e.UmemSize != 0) {
			t.Errorf("%s:\n got %+v\nwant %+v", e.Name, is, e)
		}
		if uid, ok := s.UID(); !ok || uid != 0 {
			t.Errorf("%s: user %d %v", e.Name, uid, ok)
		}
		if _, ok := s.Stats(); !ok {
			t.Errorf("%s: no statistics", e.Name)
		}
	}
	for inode := range got {
		t.Errorf("not in the scene: inode %d", inode)
	}
}

// Kernel TLS tells version and cipher, and what each direction is protected by.
func TestTLSFamily(t *testing.T) {
	f, c := family(t, scene.FamilyTLS)
	byInode := map[uint32]*diag.InetSocket{}
	for _, s := range inet(t, c, "tcp_diag", diag.TCP) {
		byInode[s.Inode] = s
	}
	for _, e := range f.TLS {
		s := byInode[e.Inode]
		if s == nil {
			t.Errorf("%s: not reported", e.Name)
			continue
		}
		var u diag.ULP
		has := s.ULP(&u)
		if e.Name == "no tls" {
			if has {
				t.Errorf("%s: ULP %+v", e.Name, u)
			}
			continue
		}
		conf := func(keys bool) uint16 {
			if keys {
				return diag.TLSConfSW
			}
			return diag.TLSConfBase
		}
		want := diag.TLSInfo{Version: e.Version, Cipher: e.Cipher, TxConf: conf(e.TX), RxConf: conf(e.RX), NoPadRx: e.NoPad}
		if !has || string(u.Name) != "tls" || !u.HasTLS || u.TLS != want {
			t.Errorf("%s: %s %+v, want %+v", e.Name, u.Name, u.TLS, want)
		}
	}
}

// Congestion controls tell of themselves.
func TestCongestionFamily(t *testing.T) {
	f, c := family(t, scene.FamilyCongestion)
	byInode := map[uint32]*diag.InetSocket{}
	for _, s := range inet(t, c, "tcp_diag", diag.TCP) {
		byInode[s.Inode] = s
	}
	for _, e := range f.Sockets {
		s := byInode[e.Inode]
		if s == nil {
			t.Errorf("%s: not reported", e.Name)
			continue
		}
		if name, ok := s.Cong(); !ok || string(name) != e.Congestion {
			t.Errorf("%s: congestion control %q, want %q", e.Name, name, e.Congestion)
		}
		if e.State != scene.Established {
			continue
		}
		dctcp, isDCTCP := s.DCTCPInfo()
		vegas, isVegas := s.VegasInfo()
		bbr, isBBR := s.BBRInfo()
		// Without ECN at the other end DCTCP becomes dctcp-reno.
		ecn := e.Congestion == "dctcp"
		if isDCTCP != (ecn || e.Congestion == "dctcp-reno") || isVegas != (e.Congestion == "vegas") || isBBR != (e.Congestion == "bbr") {
			t.Errorf("%s: %v: DCTCP %v, Vegas %v, BBR %v", e.Name, e.Congestion, isDCTCP, isVegas, isBBR)
		}
		sender := strings.HasSuffix(e.Name, "client")
		if isDCTCP && (dctcp.Enabled != ecn || dctcp.Alpha > 1024) {
			t.Errorf("%s: %+v", e.Name, dctcp)
		}
		if isVegas && (!vegas.Enabled || sender && (vegas.RTT == 0 || vegas.RTT > 10e6)) {
			t.Errorf("%s: %+v", e.Name, vegas)
		}
		if isBBR && sender && (bbr.Bandwidth == 0 || bbr.MinRTT == 0 || bbr.MinRTT > 10e6 || bbr.PacingGain == 0 || bbr.CwndGain == 0) {
			t.Errorf("%s: %+v", e.Name, bbr)
		}
	}
}

// MPTCP connections tell of themselves, and their subflows in the TCP table of the connection that they belong to.
func TestSubflowFamily(t *testing.T) {
	f, c := family(t, scene.FamilyMPTCP)
	rows := map[uint32]*diag.InetSocket{}
	for _, s := range inet(t, c, "mptcp_diag", diag.MPTCP) {
		rows[s.Inode] = s
	}
	tokens := map[uint32]int{}
	for _, e := range f.Sockets {
		if e.Table != scene.MPTCP {
			continue
		}
		s := rows[e.Inode]
		if s == nil {
			t.Errorf("%s: not reported", e.Name)
			continue
		}
		delete(rows, e.Inode)
		if s.State != diag.State(e.State) || s.Local != e.Local || s.Remote != e.Remote || s.RQueue != e.RecvQ {
			t.Errorf("%s: %v %v %v %d, want %v", e.Name, s.State, s.Local, s.Remote, s.RQueue, &e)
		}
		if e.State != scene.Established {
			continue
		}
		var i diag.MPTCPInfo
		if !s.MPTCPInfo(&i) || i.Token == 0 {
			t.Errorf("%s: mptcp_info %+v", e.Name, i)
		}
		_, name, _ := strings.Cut(e.Name, "mptcp ")
		if fallback := i.Flags&diag.MPTCPFallback != 0; fallback != (name == "fallback") {
			t.Errorf("%s: fallback %v", e.Name, fallback)
		}
		if sums := i.CsumEnabled != 0; sums != strings.HasPrefix(name, "checksums") {
			t.Errorf("%s: checksums %v", e.Name, sums)
		}
		switch kind, _, _ := strings.Cut(name, " "); kind {
		case "homes", "checksums":
			tokens[i.Token] = 2
			if i.Subflows != 1 { // beside the first
				t.Errorf("%s: %d subflows", e.Name, i.Subflows)
			}
		case "v6", "fallback":
			tokens[i.Token] = 1
		}
	}
	for inode := range rows {
		t.Errorf("not in the scene: inode %d", inode)
	}
	for _, s := range inet(t, c, "tcp_diag", diag.TCP) {
		var u diag.ULP
		if s.State == diag.Established && s.ULP(&u) && u.HasMPTCP {
			tokens[u.MPTCP.TokenLocal]--
		}
	}
	for token, n := range tokens {
		if n != 0 {
			t.Errorf("connection %#x: %d subflows are missing", token, n)
		}
	}
}

// DCCP, where it still is.
func TestDCCPFamily(t *testing.T) {
	f, c := family(t, scene.FamilyDCCP)
	rows := inet(t, c, "dccp_diag", diag.DCCP)
	got := map[uint32]*diag.InetSocket{}
	for _, s := range rows {
		got[s.Inode] = s
	}
	for _, e := range f.Sockets {
		s := got[e.Inode]
		if s == nil || s.State != diag.State(e.State) || s.Local != e.Local || s.Remote != e.Remote || s.Protocol != diag.DCCP {
			t.Errorf("%s: %+v, want %v", e.Name, s, &e)
		}
		delete(got, e.Inode)
	}
	for inode := range maps.Keys(got) {
		t.Errorf("not in the scene: inode %d", inode)
	}
}

// Raw sockets, with their protocol where the kernel has RAW_DIAG, and UDP-Lite.
func TestRawAndUDPLiteFamily(t *testing.T) {
	for _, part := range []struct {
		name     string
		protocol diag.Protocol
	}{{scene.FamilyRaw, diag.Raw}, {scene.FamilyUDPLite, diag.UDPLite}} {
		t.Run(part.name, func(t *testing.T) {
			f, c := family(t, part.name)
			got := map[uint32]*diag.InetSocket{}
			for _, s := range inet(t, c, "table of "+part.name, part.protocol) {
				got[s.Inode] = s
			}
			for _, e := range f.Sockets {
				s := got[e.Inode]
				if s == nil {
					t.Errorf("%s: not reported", e.Name)
					continue
				}
				delete(got, e.Inode)
				if p, ok := s.RawProtocol(); ok != (s.Source == diag.FromNetlink && part.protocol == diag.Raw) || ok && p != diag.Protocol(e.Local.Port()) {
					t.Errorf("%s: protocol %v %v", e.Name, p, ok)
				}
				if s.State != diag.State(e.State) || s.Local != e.Local || s.Remote.Addr() != e.Remote.Addr() || s.RQueue != e.RecvQ {
					t.Errorf("%s: %v %v %v %d, want %v, %d", e.Name, s.State, s.Local, s.Remote, s.RQueue, &e, e.RecvQ)
				}
			}
			for inode := range got {
				t.Errorf("not in the scene: inode %d", inode)
			}
		})
	}
}
