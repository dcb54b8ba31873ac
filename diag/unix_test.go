package diag_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
)

// unixBytes is struct unix_diag_msg and attributes.
func unixBytes(typ diag.SocketType, st diag.State, inode uint32, cookie uint64, attrs ...[]byte) []byte {
	b := native(uint8(unix.AF_UNIX), uint8(typ), uint8(st), uint8(0), inode, uint32(cookie), uint32(cookie>>32))
	return append(b, bytes.Join(attrs, nil)...)
}

func TestParseUnix(t *testing.T) {
	s, err := diag.ParseUnix(unixBytes(diag.SockSeqpacket, diag.Listen, 4711, 1<<32|2,
		attr(0, []byte("/run/x\x00")), attr(1, uint32(5), uint32(6)), attr(2, uint32(7)), attr(3, uint32(8), uint32(9)),
		attr(4, uint32(10), uint32(11)), attr(5, make([]uint32, 9)), attr(6, uint8(3)), attr(7, uint32(1000)), attr(12, uint32(1))))
	if err != nil {
		t.Fatal(err)
	}
	check := func(s *diag.UnixSocket) {
		t.Helper()
		name, _ := s.Name()
		inode, dev, vfs := s.VFS()
		peer, connected := s.Peer()
		pending, _ := s.Pending([]uint32{1})
		recv, send, queues := s.Queues()
		_, mem := s.SKMemInfo()
		shut, _ := s.Shutdown()
		uid, _ := s.UID()
		got := fmt.Sprint(s.Type, s.State, s.Inode, s.Cookie, s.Source, string(name), inode, dev, vfs, peer, connected, pending, recv, send,
			queues, mem, shut, uid)
		if want := "SEQPACKET LISTEN 4711 4294967298 0/run/x5 6 true 7 true [1 8 9] 10 11 true true 3 1000"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	check(s)
	check(s.Clone())
}

// What was not sent is absent.
func TestParseUnixAbsent(t *testing.T) {
	for _, b := range [][]byte{
		unixBytes(diag.SockStream, diag.Close, 1, 2),
		unixBytes(diag.SockStream, diag.Close, 1, 2, attr(1, uint32(0)), attr(2), attr(4, uint32(0)), attr(5, make([]uint32, 6)), attr(6), attr(7)),
	} {
		s, err := diag.ParseUnix(b)
		if err != nil {
			t.Fatal(err)
		}
		name, named := s.Name()
		_, _, vfs := s.VFS()
		_, peer := s.Peer()
		pending, told := s.Pending(nil)
		_, _, queues := s.Queues()
		_, mem := s.SKMemInfo()
		_, shut := s.Shutdown()
		_, uid := s.UID()
		if named || name != nil || vfs || peer || told || pending != nil || queues || mem || shut || uid {
			t.Errorf("% x: %v %v %v %v %v %v %v %v", b, named, vfs, peer, told, queues, mem, shut, uid)
		}
	}
	if _, err := diag.ParseUnix(make([]byte, 15)); err == nil || err.Error() != "kernel sent a broken unix_diag_msg: 15 bytes where 16 were announced" {
		t.Errorf("15 bytes: %v", err)
	}
	if _, err := diag.ParseUnix(make([]byte, 1<<16)); err == nil {
		t.Error("64 KiB were decoded")
	}
}

func TestUnixNames(t *testing.T) {
	for sent, want := range map[string]string{
		"/run/x\x00": "/run/x", "x": "x", "\x00": "\x00", "\x00a\x00b": "\x00a\x00b", "": "", "\x00a\x00": "\x00a\x00", "a b\n\xff\x00": "a b\n\xff",
	} {
		s, err := diag.ParseUnix(unixBytes(diag.SockStream, diag.Close, 1, 2, attr(0, []byte(sent))))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := s.Name(); string(got) != want || !ok {
			t.Errorf("%q: %q, %v, want %q", sent, got, ok, want)
		}
	}
}

func TestUnixProc(t *testing.T) {
	const head = "Num       RefCount Protocol Flags    Type St Inode Path\n"
	for _, tt := range []struct {
		line  string
		typ   diag.SocketType
		state diag.State
		inode uint32
		name  string // "-": none
	}{
		// unix_seq_show of net/unix/af_unix.c
		{"0000000000000000: 00000002 00000000 00010000 0001 01 4294967295 /run/x", diag.SockStream, diag.Listen, 1<<32 - 1, "/run/x"},
		{"0000000000000000: 00000003 00000000 00000000 0001 03   157", diag.SockStream, diag.Established, 157, "-"},
		{"0000000000000000: 00000002 00000000 00000000 0002 01  4711 @a@b", diag.SockDgram, diag.Close, 4711, "\x00a@b"},
		{"0000000000000000: 00000002 00000000 00000000 0005 02     0 two  words ", diag.SockSeqpacket, diag.SynSent, 0, "two  words "},
		{"0000000000000000: 00000002 00000000 00000000 0005 04     0  x", diag.SockSeqpacket, diag.Closing, 0, " x"},
	} {
		c := withTables(t, map[string]string{"unix": head + tt.line + "\n"})
		n := 0
		for s, err := range c.Unix(t.Context(), diag.UnixQuery{Show: 0x7f}) {
			if err != nil {
				t.Fatalf("%s: %v", tt.line, err)
			}
			n++
			name, ok := s.Name()
			if s.Type != tt.typ || s.State != tt.state || s.Inode != tt.inode || s.Source != diag.FromProc || s.Cookie != 0 ||
				ok != (tt.name != "-") || ok && string(name) != tt.name {
				t.Errorf("%s: %v %v %d %q %v", tt.line, s.Type, s.State, s.Inode, name, ok)
			}
			if _, ok := s.Peer(); ok {
				t.Errorf("%s: a peer that is not told", tt.line)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d sockets", tt.line, n)
		}
		for _, err := range c.Unix(t.Context(), diag.UnixQuery{States: diag.AllStates &^ (1 << tt.state)}) {
			t.Errorf("%s: a state that was not asked for, %v", tt.line, err)
		}
	}
	for _, line := range []string{
		"0: 2 0 0 1 0 7 x", "0: 2 0 0 1 5 7 x", "0: 2 0 0 1 1", "0: 2 0 x 1 1 7", "0: 2 0 0 100 1 7", "0: 2 0 0 1 1 x",
	} {
		c := withTables(t, map[string]string{"unix": head + line + "\n"})
		if n, err := count(c.Unix(t.Context(), diag.UnixQuery{})); n != 0 || !errors.Is(err, diag.ErrPartial) {
			t.Errorf("%s: %d sockets, %v", line, n, err)
		}
	}
}

// unixSocks returns copies of the unix sockets that q asks for, by inode.
func unixSocks(t testing.TB, q diag.UnixQuery) map[uint32]*diag.UnixSocket {
	t.Helper()
	all := map[uint32]*diag.UnixSocket{}
	for s, err := range dial(t, nil).Unix(t.Context(), q) {
		if err != nil {
			needs(t, "UNIX_DIAG", err)
			t.Fatal(err)
		}
		all[s.Inode] = s.Clone()
	}
	return all
}

func TestRealUnix(t *testing.T) {
	newNetNS(t)
	dir := t.TempDir()
	path, odd := filepath.Join(dir, "stream"), "\x00odd\x00\xff\x1b name"
	bound := func(typ int, name string) *sock {
		s := newSock(t, unix.AF_UNIX, typ, 0)
		s.check("bind", unix.Bind(s.fd, &unix.SockaddrUnix{Name: name}))
		return s
	}
	listener := bound(unix.SOCK_STREAM, path)
	listener.listen(7)
	connect := func(to string, typ int) *sock {
		s := newSock(t, unix.AF_UNIX, typ, 0)
		s.check("connect", unix.Connect(s.fd, &unix.SockaddrUnix{Name: to}))
		return s
	}
	client := connect(path, unix.SOCK_STREAM)
	server := listener.accept()
	waiting := connect(path, unix.SOCK_STREAM)
	client.write(1000)
	unix.Shutdown(server.fd, unix.SHUT_WR)
	dgram := bound(unix.SOCK_DGRAM, odd)
	sender := connect(odd, unix.SOCK_DGRAM)
	alone := newSock(t, unix.AF_UNIX, unix.SOCK_SEQPACKET, 0)

	all := unixSocks(t, diag.UnixQuery{Show: 0x7f})
	if len(all) != 7 {
		t.Errorf("%d sockets in the namespace, want 7", len(all))
	}
	one := func(s *sock) *diag.UnixSocket {
		t.Helper()
		u := all[s.inode()]
		if u == nil {
			t.Fatalf("no socket with inode %d", s.inode())
		}
		if u.Cookie != s.cookie() {
			t.Errorf("cookie %x, want %x", u.Cookie, s.cookie())
		}
		if int(u.Type) != s.get(unix.SOL_SOCKET, unix.SO_TYPE) {
			t.Errorf("type %v", u.Type)
		}
		if uid, ok := u.UID(); !ok || int(uid) != os.Geteuid() {
			t.Errorf("user %d, %v", uid, ok)
		}
		if m, ok := u.SKMemInfo(); !ok || int(m.RcvBuf) != s.get(unix.SOL_SOCKET, unix.SO_RCVBUF) || !m.HasDrops() {
			t.Errorf("memory %+v, %v", m, ok)
		}
		return u
	}
	var file unix.Stat_t
	if err := unix.Stat(path, &file); err != nil {
		t.Fatal(err)
	}
	u := one(listener)
	name, _ := u.Name()
	inode, dev, ok := u.VFS()
	pending, told := u.Pending(nil)
	recv, send, _ := u.Queues()
	if u.State != diag.Listen || string(name) != path || !ok || inode != uint32(file.Ino) ||
		dev>>20 != unix.Major(file.Dev) || dev&0xfffff != unix.Minor(file.Dev) ||
		!told || !slices.Equal(pending, []uint32{waiting.inode()}) || recv != 1 || send != 7 {
		t.Errorf("listener: %v %q vfs %d %x %v pending %v %v queues %d %d", u.State, name, inode, dev, ok, pending, told, recv, send)
	}
	if _, ok := u.Peer(); ok {
		t.Error("the listener has a peer")
	}
	u = one(server)
	name, _ = u.Name()
	peer, _ := u.Peer()
	recv, _, _ = u.Queues()
	shut, _ := u.Shutdown()
	if u.State != diag.Established || string(name) != path || peer != client.inode() || recv != 1000 || shut != diag.SendShutdown {
		t.Errorf("server: %v %q peer %d, %d bytes, shutdown %d", u.State, name, peer, recv, shut)
	}
	if _, ok := u.Pending(nil); ok {
		t.Error("the server has clients that wait")
	}
	u = one(client)
	_, named := u.Name()
	peer, _ = u.Peer()
	_, send, _ = u.Queues()
	shut, _ = u.Shutdown()
	if named || peer != server.inode() || send < 1000 || shut != diag.RcvShutdown {
		t.Errorf("client: name %v, peer %d, %d bytes, shutdown %d", named, peer, send, shut)
	}
	if peer, ok := one(waiting).Peer(); peer != 0 || !ok { // the other end has no inode yet
		t.Errorf("not accepted: peer %d, %v", peer, ok)
	}
	u = one(dgram)
	if name, _ := u.Name(); string(name) != odd || u.State != diag.Established { // somebody is connected to it
		t.Errorf("datagram: %q %v", name, u.State)
	}
	if _, _, ok := u.VFS(); ok {
		t.Error("an abstract name has a file")
	}
	if peer, _ := one(sender).Peer(); peer != dgram.inode() || one(sender).State != diag.Established {
		t.Errorf("sender: %d, %v", peer, one(sender).State)
	}
	u = one(alone)
	_, named = u.Name()
	_, connected := u.Peer()
	if named || connected || u.State != diag.Close {
		t.Errorf("alone: %v, %v, %v", named, connected, u.State)
	}

	// The kernel picks by state, and sends what is asked for.
	for st, want := range map[diag.State][]*sock{
		diag.Listen: {listener}, diag.Close: {alone}, diag.Established: {client, server, waiting, dgram, sender},
	} {
		some := unixSocks(t, diag.UnixQuery{States: diag.StatesOf(st)})
		for _, s := range want {
			u := some[s.inode()]
			if u == nil {
				t.Errorf("%v: no socket with inode %d", st, s.inode())
				continue
			}
			_, named := u.Name()
			_, _, queues := u.Queues()
			if named || queues {
				t.Errorf("%v: %v %v were not asked for", st, named, queues)
			}
		}
		if len(some) != len(want) {
			t.Errorf("%v: %d sockets, want %d", st, len(some), len(want))
		}
	}

	// /proc/net/unix tells the same of what both tell, and of the socket that is not accepted yet.
	table, err := os.ReadFile("/proc/thread-self/net/unix")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for s, err := range withTables(t, map[string]string{"unix": string(table)}).Unix(t.Context(), diag.UnixQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		if s.Inode == 0 {
			if s.State != diag.SynSent {
				t.Errorf("without inode: %v", s.State)
			}
			continue
		}
		n++
		u := all[s.Inode]
		if u == nil || s.Type != u.Type || s.State != u.State {
			t.Errorf("/proc: %+v, netlink %+v", s, u)
			continue
		}
		got, ok := s.Name()
		want, wok := u.Name()
		if len(want) > 0 && want[0] == 0 {
			want = append([]byte{0}, bytes.ReplaceAll(want[1:], []byte{0}, []byte{'@'})...)
		}
		if ok != wok || !bytes.Equal(got, want) {
			t.Errorf("/proc: name %q %v, want %q %v", got, ok, want, wok)
		}
	}
	if n != len(all) {
		t.Errorf("/proc: %d sockets, want %d", n, len(all))
	}
}

// The kernel writes names into its table as they are, line feeds included: they are those that netlink tells.
func TestRealUnixLineFeeds(t *testing.T) {
	newNetNS(t)
	t.Chdir(t.TempDir())
	names := []string{
		"a\nb", "end\n", "\n", "\n\n", "cr\r", "\x00abstract\nand more", "\x00\n", "\x00x\n0: 1 2", strings.Repeat("\n", 107), "\x00" + strings.Repeat("x\n", 53),
		"plain",
	}
	socks := map[uint32]*sock{}
	for _, name := range names {
		s := newSock(t, unix.AF_UNIX, unix.SOCK_STREAM, 0)
		s.check("bind", unix.Bind(s.fd, &unix.SockaddrUnix{Name: name}))
		s.listen(2)
		alone := newSock(t, unix.AF_UNIX, unix.SOCK_STREAM, 0) // a row without a name
		client := newSock(t, unix.AF_UNIX, unix.SOCK_STREAM, 0)
		s.check("connect", unix.Connect(client.fd, &unix.SockaddrUnix{Name: name})) // not accepted: a row with the name, without an inode
		for _, s := range []*sock{s, alone, client} {
			socks[s.inode()] = s
		}
	}
	all := unixSocks(t, diag.UnixQuery{Show: diag.UnixShowName})
	table, err := os.ReadFile("/proc/thread-self/net/unix")
	if err != nil {
		t.Fatal(err)
	}
	c := withTables(t, map[string]string{"unix": string(table)})
	for what, list := range map[string]func(func(*diag.UnixSocket, error) bool){
		"query": c.Unix(t.Context(), diag.UnixQuery{}), "read": diag.ReadUnix(bytes.NewReader(table)),
		"read by bytes": diag.ReadUnix(iotest.OneByteReader(bytes.NewReader(table))),
	} {
		held, waiting := 0, map[string]int{}
		for s, err := range list {
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			got, _ := s.Name()
			if s.Inode == 0 {
				waiting[string(got)]++
				continue
			}
			held++
			u := all[s.Inode]
			if socks[s.Inode] == nil || u == nil {
				t.Errorf("%s: inode %d, name %q: no such socket", what, s.Inode, got)
				continue
			}
			if want, _ := u.Name(); !bytes.Equal(got, want) || s.State != u.State {
				t.Errorf("%s: %v %q, want %v %q", what, s.State, got, u.State, want)
			}
		}
		if held != len(socks) {
			t.Errorf("%s: %d sockets with inodes, want %d", what, held, len(socks))
		}
		for _, name := range names {
			if waiting[name] != 1 {
				t.Errorf("%s: %d connections to %q", what, waiting[name], name)
			}
		}
	}
}

// What cannot be of a name is no row, and the rows behind it are.
func TestUnixRows(t *testing.T) {
	const head = "Num       RefCount Protocol Flags    Type St Inode Path\n"
	row := func(inode int, name string) string {
		return fmt.Sprintf("0000000000000000: 00000002 00000000 00000000 0002 01 %5d%s\n", inode, name)
	}
	for _, tt := range []struct {
		table string
		want  string // inodes and names
		fails bool
	}{
		{head + row(1, " a\nb") + row(2, "") + row(3, " c"), `1 "a\nb" 2 "" 3 "c" `, false},
		{head + strings.TrimSuffix(row(1, " a\nb"), "\n"), `1 "a\nb" `, false},
		{head + row(1, "") + "b\n" + row(2, " c"), `1 "" 2 "c" `, true}, // no name that it could be of
		{head + row(1, " a\n"+strings.Repeat("x", 106)) + row(2, " c"), `1 "a\n` + strings.Repeat("x", 106) + `" 2 "c" `, false},
		{head + row(1, " a\n"+strings.Repeat("x", 107)) + row(2, " c"), `1 "a" 2 "c" `, true},
		{head + "b\n" + row(2, " c"), `2 "c" `, true},
		{head + row(1, " a\n"+strings.Repeat("x", 5000)) + row(2, " c"), `1 "a" 2 "c" `, true},
	} {
		var b strings.Builder
		var last error
		for s, err := range diag.ReadUnix(strings.NewReader(tt.table)) {
			if last = err; err == nil {
				name, _ := s.Name()
				fmt.Fprintf(&b, "%d %q ", s.Inode, name)
			}
		}
		if got := b.String(); got != tt.want || (last != nil) != tt.fails {
			t.Errorf("%q:\n got %s, %v\nwant %s", tt.table, got, last, tt.want)
		}
	}
}
