package exact

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"testing"
	"testing/iotest"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/diag/filter"
)

// ordinary are the states that a census knows.
const ordinary = diag.AllStates &^ (1 << diag.BoundInactive)

// A census of the scene has the sockets that a dump has while nothing changes, by state, family and bytecode.
func TestCensusIsTheDump(t *testing.T) {
	x := newCounter(t)
	s := scene.New(t)
	c := dial(t, &diag.Config{NetNSFD: s.FD()})
	env := filter.SystemEnv()
	total, empty := 0, 0
	for _, words := range [][]string{
		{}, {"sport", "=", ":80"}, {"sport", ">=", ":1024"}, {"sport", "<=", ":1024"}, {"dport", ">=", ":1"}, {"dport", "<=", ":40000"},
		{"not", "sport", "=", ":8080"}, {"src", "127.0.0.1"}, {"src", "127.0.0.0/8"}, {"dst", "127.0.0.0/7"}, {"src", "[::1]"}, {"dst", "[::/3]"},
		{"dst", "192.0.2.0/24", "or", "dst", "198.51.100.0/24"}, {"(", "src", "127.0.0.1", "or", "src", "[::1]", ")", "and", "not", "dport", "=", ":80"},
		{"autobound"}, {"not", "autobound"}, {"dev", "lo"}, {"not", "dev", "lo"}, {"fwmark", "=", "0/0"}, {"fwmark", "!=", "0"},
		{"src", "127.0.0.1:80"}, {"not", "src", "[::ffff:127.0.0.1]"},
	} {
		f, err := filter.ParseSS(words, env)
		if err != nil {
			t.Fatal(words, err)
		}
		code, _ := f.Bytecode()
		for _, p := range []diag.Protocol{diag.TCP, diag.UDP} {
			for _, states := range []diag.States{ordinary, diag.StatesOf(diag.Listen, diag.Close), diag.StatesOf(diag.Established), diag.StatesOf(diag.SynRecv),
				diag.StatesOf(diag.TimeWait), diag.StatesOf(diag.FinWait2), ordinary &^ diag.StatesOf(diag.Listen)} {
				for _, family := range []diag.Family{diag.Unspec, diag.IPv4, diag.IPv6} {
					q := diag.InetQuery{Protocol: p, States: states, Family: family, Bytecode: code}
					want := cookies(t, c.Inet(t.Context(), q))
					for {
						census, err := x.Census(t.Context(), c, q)
						if err != nil {
							t.Fatal(err)
						}
						got := map[uint64]int{}
						for i := range census.records {
							got[census.records[i].cookie()]++
						}
						if maps.Equal(got, want) && census.Len() == len(want) {
							break
						}
						before := want
						if want = cookies(t, c.Inet(t.Context(), q)); maps.Equal(before, want) { // nothing changed meanwhile
							t.Errorf("%v: %v %v states %#x: %d sockets, the dump has %d", words, p, family, states, census.Len(), len(want))
							break
						}
					}
					if total += len(want); len(want) == 0 {
						empty++
					}
				}
			}
		}
	}
	if total < 2000 {
		t.Errorf("only %d sockets in all, and %d answers without any", total, empty)
	}
}

// Whatever a dump does not have is found one by one, once, and equal to what a dump has.
func TestMissing(t *testing.T) {
	x := newCounter(t)
	s := scene.New(t)
	c := dial(t, &diag.Config{NetNSFD: s.FD()})
	if err := s.Do(func() { crowd(t) }); err != nil {
		t.Fatal(err)
	}
	for _, p := range []diag.Protocol{diag.TCP, diag.UDP} {
		for _, states := range []diag.States{ordinary, diag.StatesOf(diag.Listen), diag.StatesOf(diag.Established), diag.StatesOf(diag.TimeWait)} {
			q := diag.InetQuery{Protocol: p, States: states, Ext: diag.ExtSKMemInfo}
			whole := map[uint64]string{}
			for s, err := range c.Inet(t.Context(), q) {
				if err != nil {
					t.Fatal(err)
				}
				whole[s.Cookie] = spell(s)
			}
			census, err := x.Census(t.Context(), c, q)
			if err != nil {
				t.Fatal(err)
			}
			for k := range whole { // every third one was shown
				if k%3 == 0 {
					census.note(k)
				}
			}
			got := map[uint64]string{}
			for s, err := range x.Missing(t.Context(), c, census) {
				if err != nil {
					t.Fatal(err)
				}
				if _, twice := got[s.Cookie]; twice || s.Cookie%3 == 0 {
					t.Errorf("%v states %#x: again: %s", p, states, spell(s))
				}
				got[s.Cookie] = spell(s)
			}
			maps.DeleteFunc(whole, func(k uint64, _ string) bool { return k%3 == 0 })
			if !maps.Equal(got, whole) {
				for k, v := range whole {
					if got[k] != v {
						t.Errorf("%v states %#x: %q, want %q", p, states, got[k], v)
					}
				}
				t.Errorf("%v states %#x: %d found, want %d", p, states, len(got), len(whole))
			}
		}
	}
}

// crowd opens sockets that share their addresses, in the namespace of the calling thread.
func crowd(t *testing.T) {
	for i := range 400 {
		typ := unix.SOCK_STREAM
		if i%2 == 0 {
			typ = unix.SOCK_DGRAM
		}
		fd, err := unix.Socket(unix.AF_INET6, typ|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		err = errors.Join(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1), unix.Bind(fd, &unix.SockaddrInet6{Port: 4000}))
		if err == nil && typ == unix.SOCK_STREAM {
			err = unix.Listen(fd, 1)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// spell is what a socket says that does not change.
func spell(s *diag.InetSocket) string {
	b := append([]byte(s.Protocol.String()+" "+s.State.String()+" "+s.Local.String()+" "+s.Remote.String()+" "), byte(s.Interface), byte(s.UID), byte(s.Inode), byte(s.Inode>>8))
	_, mem := s.Attr(diag.AttrSKMemInfo)
	if mem {
		b = append(b, " mem"...)
	}
	return string(b)
}

// Records are read in their order, until no more is wanted.
func TestReadRecords(t *testing.T) {
	const n = 1500
	var all []byte
	for i := range n {
		var r record
		r[0], r[1], r[offState] = byte(i), byte(i>>8), byte(diag.Listen)
		if i >= 1000 {
			r[offState] = byte(diag.Established)
		}
		all = append(all, r[:]...)
	}
	every := func(*record) (keep, more bool) { return true, true }
	got, err := readRecords(t.Context(), iotest.HalfReader(bytes.NewReader(all)), every)
	if err != nil || len(got) != n {
		t.Fatalf("%d records, %v", len(got), err)
	}
	for i := range got {
		if got[i].cookie()&0xffff != uint64(i) {
			t.Fatalf("record %d has cookie %d", i, got[i].cookie())
		}
	}
	listen, err := readRecords(t.Context(), bytes.NewReader(all), func(r *record) (keep, more bool) {
		return r[0]%2 == 0, r.state() == diag.Listen
	})
	if err != nil || len(listen) != 500 {
		t.Errorf("%d listeners, %v", len(listen), err)
	}
	if _, err := readRecords(t.Context(), bytes.NewReader(all[:100]), every); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut off: %v", err)
	}
}

// Few ports are asked for one by one, many all at once; TCP's are those of listeners.
func TestNarrow(t *testing.T) {
	var list []*record
	for port := range uint16(fewPorts + 1) {
		r := &record{}
		r[offSport] = byte(port) // order of bytes does not matter here
		list = append(list, r, r)
	}
	q := diag.InetQuery{Protocol: diag.TCP, States: diag.AllStates, Bytecode: []byte{0, 4, 8, 0}}
	got := narrow(q, list)
	if len(got) != 1 || got[0].States != diag.StatesOf(diag.Listen) || !slices.Equal(got[0].Bytecode, q.Bytecode) {
		t.Errorf("%+v", got)
	}
	q.Protocol = diag.UDP
	if got = narrow(q, list[:2*fewPorts]); len(got) != fewPorts || got[0].States != q.States || len(got[0].Bytecode) != 12 {
		t.Errorf("%+v", got)
	}
}
