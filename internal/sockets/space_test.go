package sockets_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/sockets"
)

// connected makes a namespace with a listener and n connections to it over IPv4, and as many over IPv6.
func connected(t *testing.T, n int) *scene.NetNS {
	t.Helper()
	ns := scene.NewNetNS(t)
	err := ns.Do(func() {
		for _, host := range []string{"127.0.0.1:0", "[::1]:0"} {
			l, err := net.Listen("tcp", host)
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { l.Close() })
			for range n {
				near, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				t.Cleanup(func() { near.Close() })
				far, err := l.Accept()
				if err != nil {
					t.Error(err)
					return
				}
				t.Cleanup(func() { far.Close() })
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return ns
}

func dial(t *testing.T, ns *scene.NetNS) *diag.Conn {
	t.Helper()
	c, err := diag.Dial(&diag.Config{NetNSFD: ns.FD()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func row(space int, s *diag.InetSocket) string {
	return fmt.Sprint(space, " ", s.Family, " ", s.State, " ", s.Local, " ", s.Remote, " ", s.Inode)
}

// What is looked up one by one is what a dump shows: whatever the query is, and whatever the keys are of beside.
func TestSpacesLookUp(t *testing.T) {
	c := dial(t, connected(t, 70)) // more than one item
	var keys []diag.InetKey
	var listener netip.AddrPort
	for s, err := range c.Inet(t.Context(), diag.InetQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		if s.State == diag.Listen {
			listener = s.Local
			continue
		}
		keys = append(keys, diag.InetKey{Local: s.Local, Remote: s.Remote})
	}
	nobody := netip.MustParseAddrPort("[::1]:9")
	keys = append(keys, diag.InetKey{Local: listener, Remote: nobody}, diag.InetKey{Local: nobody, Remote: nobody}) // the listener would take it; nobody would
	for name, q := range map[string]diag.InetQuery{
		"all":         {},
		"listeners":   {States: diag.StatesOf(diag.Listen)},
		"IPv6":        {Family: diag.IPv6},
		"established": {States: diag.StatesOf(diag.Established), Ext: diag.ExtInfo},
		"time-wait":   {States: diag.StatesOf(diag.TimeWait)},
		"UDP":         {Protocol: diag.UDP},
	} {
		want, got := []string{}, []string{}
		for s, err := range c.Inet(t.Context(), q) {
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, row(0, s))
		}
		r, err := sockets.OpenSpaces(t.Context(), []sockets.Space{{Conn: c, Queries: []diag.InetQuery{q}, Connections: keys}}, sockets.Request{})
		if err != nil {
			t.Fatal(err)
		}
		for s, err := range r.All() {
			if err != nil {
				t.Fatal(err)
			}
			var info diag.TCPInfo
			if s.TCPInfo(&info) != (q.Ext != 0) && s.State != diag.Listen {
				t.Errorf("%s: tcp_info: %v", name, q.Ext == 0)
			}
			got = append(got, row(r.Space(), s))
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%q, want\n%q", name, got, want)
		}
	}
}

// Several namespaces, one that cannot be entered and one that nothing is asked of: each socket comes while its own is entered, for the
// filter and for who prints, and owners are looked up once for all.
func TestSpaces(t *testing.T) {
	one, two := connected(t, 1), connected(t, 2)
	opened := 0
	open := func(ns *scene.NetNS) func() (*diag.Conn, error) {
		return func() (*diag.Conn, error) {
			opened++
			return diag.Dial(&diag.Config{NetNSFD: ns.FD()})
		}
	}
	refused := errors.New("refused")
	qs := []diag.InetQuery{{States: diag.StatesOf(diag.Established)}}
	spaces := []sockets.Space{
		{Dial: open(one), Queries: qs},
		{Dial: func() (*diag.Conn, error) { return nil, refused }, Queries: qs},
		{Dial: func() (*diag.Conn, error) { panic("nothing was to be asked") }},
		{Dial: open(two), Queries: qs},
	}
	at, entered := -1, []int{}
	matched := map[int]int{}
	r, err := sockets.OpenSpaces(t.Context(), spaces, sockets.Request{
		Owners: &owner.Config{Backend: owner.Proc},
		Enter:  func(i int) { at = i; entered = append(entered, i) },
		Match:  func(*diag.InetSocket) bool { matched[at]++; return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	shown := map[int]int{}
	for s, err := range r.All() {
		if err != nil {
			se, ok := errors.AsType[*sockets.SpaceError](err)
			if !ok || se.Space != 1 || r.Space() != 1 || !errors.Is(err, refused) {
				t.Errorf("%v in %d", err, r.Space())
			}
			continue
		}
		if at != r.Space() {
			t.Errorf("in %d, and %d was entered", r.Space(), at)
		}
		shown[at]++
		if o := r.Owners().Owners(nil, s.Inode); len(o) != 1 || int(o[0].PID) != os.Getpid() {
			t.Errorf("%v: owners %v", s, o)
		}
	}
	if want := []int{0, 1, 3, 0, 1, 3}; !slices.Equal(entered, want) {
		t.Errorf("entered %v, want %v", entered, want)
	}
	if shown[0] != 4 || shown[3] != 8 || matched[0] != 8 || matched[3] != 16 || opened != 2 {
		t.Errorf("shown %v, matched %v, opened %d", shown, matched, opened)
	}
}

// The plan names namespaces, in words that are fit for a terminal, and says what is not dumped. What is of all namespaces stands once.
func TestSpacesPlan(t *testing.T) {
	c := dial(t, connected(t, 1))
	var b strings.Builder
	_, err := sockets.OpenSpaces(t.Context(), []sockets.Space{
		{Name: "blue", Conn: c, Queries: []diag.InetQuery{{States: diag.StatesOf(diag.Established)}}, Connections: make([]diag.InetKey, 5)},
		{Name: "gone", Dial: func() (*diag.Conn, error) { return nil, os.ErrNotExist }},
		{Name: "green\x1b[32m", Conn: c, Queries: []diag.InetQuery{{States: diag.StatesOf(diag.Listen)}}},
	}, sockets.Request{Plan: &b})
	if err != nil {
		t.Fatal(err)
	}
	blue, green, ok := strings.Cut(b.String(), `network namespace green\033[32m:`)
	if !ok || !strings.Contains(blue, "network namespace blue:") || !strings.Contains(blue, "addresses: 5\n") || strings.Contains(blue, "ask inet") || !strings.Contains(green, "states 0x400") ||
		!strings.Contains(blue, "network namespace gone:\ncannot be entered: file does not exist\n") || strings.Count(b.String(), "owners:") != 1 {
		t.Errorf("%s", &b)
	}
}
