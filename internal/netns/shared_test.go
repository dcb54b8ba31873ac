package netns

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
)

func name(k diag.InetKey) string { return fmt.Sprint(k.Local, " ", k.Remote, " ", k.Interface) }

// ends returns the addresses of a socket as a key has them.
func ends(fd int) (string, error) {
	var at [2]netip.AddrPort
	for i, get := range []func(int) (unix.Sockaddr, error){unix.Getsockname, unix.Getpeername} {
		sa, err := get(fd)
		switch sa := sa.(type) {
		case *unix.SockaddrInet4:
			at[i] = netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
		case *unix.SockaddrInet6:
			at[i] = netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
		default:
			return "", err
		}
	}
	return fmt.Sprint(at[0], " ", at[1], " 0"), nil
}

// busy is a namespace with a connection of each kind; made are its sockets but for listeners.
func busy(t *testing.T) (p *place, made []string) {
	p = newPlace(t, func(p *place) error {
		if err := p.open(); err != nil {
			return err
		}
		note := func(fds ...int) error {
			for _, fd := range fds {
				s, err := ends(fd)
				if err != nil {
					return err
				}
				made = append(made, s)
			}
			return nil
		}
		for _, kind := range []struct {
			client  int
			at, via unix.Sockaddr
		}{
			{unix.AF_INET, loopback4, nil},
			{unix.AF_INET6, loopback6, nil},
			{unix.AF_INET, &unix.SockaddrInet6{}, loopback4}, // the far end is mapped
			{unix.AF_INET6, loopback4, &unix.SockaddrInet6{Addr: [16]byte{10: 0xff, 11: 0xff, 12: 127, 15: 1}}}, // the near one
		} {
			l, at, err := p.listen(kind.at)
			if err != nil {
				return err
			}
			port := 0
			switch sa := at.(type) {
			case *unix.SockaddrInet4:
				port = sa.Port
			case *unix.SockaddrInet6:
				port = sa.Port
			}
			switch sa := kind.via.(type) {
			case *unix.SockaddrInet4:
				at = &unix.SockaddrInet4{Port: port, Addr: sa.Addr}
			case *unix.SockaddrInet6:
				at = &unix.SockaddrInet6{Port: port, Addr: sa.Addr}
			}
			for range 3 {
				near, far, err := p.connect(kind.client, l, at)
				if err == nil {
					err = note(near, far)
				}
				if err != nil {
					return err
				}
			}
			// TIME_WAIT: who closes first.
			near, far, err := p.connect(kind.client, l, at)
			if err == nil {
				err = note(near)
			}
			if err != nil {
				return err
			}
			p.close(near)
			p.close(far)
			// An orphan: it was closed, and the far end neither reads nor closes.
			near, far, err = p.connect(kind.client, l, at)
			if err == nil {
				err = note(near, far)
			}
			if err == nil {
				err = unix.SetsockoptInt(far, unix.SOL_SOCKET, unix.SO_RCVBUF, 4096)
			}
			if err != nil {
				return err
			}
			unix.SetNonblock(near, true)
			for err == nil {
				_, err = unix.Write(near, make([]byte, 1<<16))
			}
			if err != unix.EAGAIN {
				return err
			}
			p.close(near)
			// SYN_RECV: nothing comes of it before data does.
			if err := unix.SetsockoptInt(l, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 30); err != nil {
				return err
			}
			if near, err = p.socket(kind.client, unix.SOCK_STREAM); err != nil {
				return err
			}
			if err := unix.Connect(near, at); err != nil {
				return err
			}
			s, err := ends(near)
			if err != nil {
				return err
			}
			made = append(made, s, "half open")
		}
		return nil
	})
	return p, made
}

// The walk finds what the test made, what a dump finds, and nothing else.
func TestConnections(t *testing.T) {
	p, made := busy(t)
	other := newPlace(t, func(p *place) error { // whose connections are not asked for
		l, at, err := p.listen(loopback4)
		if err == nil {
			_, _, err = p.connect(unix.AF_INET, l, at)
		}
		return err
	})
	f, n := p.find(t, Config{})
	f.Count()
	if n == nil || n.Counts == nil {
		t.Fatalf("not counted: %+v", n)
	}
	if err := f.connections(t.Context(), []*Namespace{n}); err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, k := range n.Connections {
		got = append(got, name(k))
	}
	ns, err := f.Open(n)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	c, err := diag.Dial(&diag.Config{NetNSFD: int(ns.Fd())})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	half := 0
	states := map[diag.State]int{}
	for s, err := range c.Inet(t.Context(), diag.InetQuery{States: diag.AllStates &^ diag.StatesOf(diag.Listen, diag.BoundInactive)}) {
		if err != nil {
			t.Fatal(err)
		}
		states[s.State]++
		want = append(want, fmt.Sprint(s.Local, " ", s.Remote, " 0"))
		if s.State == diag.SynRecv {
			half++
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d connections\n%q\nwant %d\n%q", len(got), got, len(want), want)
	}
	for _, m := range made {
		if m != "half open" && !slices.Contains(got, m) {
			t.Errorf("%s was made, and not found", m)
		}
	}
	if len(got) != len(made) || half != 4 || states[diag.TimeWait] != 4 || states[diag.FinWait1] != 4 {
		t.Errorf("%d connections, want %d; states %v", len(got), len(made), states)
	}
	// Each is what a look-up by its key finds.
	for _, k := range n.Connections {
		if s, err := c.LookupInet(t.Context(), k); err != nil || s.Local != k.Local || s.Remote != k.Remote || s.State == diag.Listen {
			t.Errorf("%+v: %v, %+v", k, err, s)
		}
	}
	for _, n := range f.All {
		if n.Inode == other.inode && n.Connections != nil {
			t.Error("connections that were not asked for")
		}
	}
}

// Where the counts do not agree, nothing is said.
func TestConnectionsUncertain(t *testing.T) {
	p, _ := busy(t)
	for _, more := range []int{-1, 1} {
		f, n := p.find(t, Config{})
		f.Count()
		n.Counts.TCP += more
		if err := f.connections(t.Context(), []*Namespace{n}); err != nil {
			t.Fatal(err)
		}
		if n.Connections == nil {
			t.Errorf("%+d: the true count is one of the two, and it is not taken", more)
		}
	}
	f, n := p.find(t, Config{})
	f.Count()
	file, err := f.Open(n)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	found, err := walkShared(t.Context(), []*Namespace{n})
	if err != nil {
		t.Fatal(err)
	}
	// One connection was not seen. (Those in SYN_RECV are not counted.)
	counted := slices.IndexFunc(found[n.Inode], func(c connection) bool { return diag.State(c.state) != diag.NewSynRecv })
	fewer := slices.Delete(slices.Clone(found[n.Inode]), counted, counted+1)
	f.visit([]*Namespace{n}, func(n *Namespace) { f.accept(t.Context(), n, fewer) })
	if n.Connections != nil {
		t.Error("a connection is missing, and it does not show")
	}
	f.visit([]*Namespace{n}, func(n *Namespace) { f.accept(t.Context(), n, slices.Concat(found[n.Inode], found[n.Inode])) })
	if len(n.Connections) != len(found[n.Inode]) {
		t.Errorf("%d connections, want %d, each once", len(n.Connections), len(found[n.Inode]))
	}
}

// Connections that there is no room for are counted, and found in another try.
func TestWalkSharedRoom(t *testing.T) {
	p, made := busy(t)
	f, n := p.find(t, Config{})
	f.Count()
	found, total, err := walkOnce(t.Context(), []*Namespace{n}, 3)
	if err != nil || int(total.Found) < len(made) || len(found[n.Inode]) != 3 || total.Lost != 0 {
		t.Errorf("%v, %+v, %d connections in the room of 3", err, total, len(found[n.Inode]))
	}
	n.Counts.TCP = (3 - 4096) / 2 // room for 4
	if found, err := walkShared(t.Context(), []*Namespace{n}); err != nil || len(found[n.Inode]) < len(made) {
		t.Errorf("%v, %d connections, want %d", err, len(found[n.Inode]), len(made))
	}
}

func TestSmall(t *testing.T) {
	space := func(tcp int, shared bool) *Namespace { return &Namespace{Counts: &Counts{TCP: tcp, Shared: shared}} }
	count := func(all ...*Namespace) int { return len((&Found{All: all}).small()) }
	big := space(1_000_000, false)
	few := slices.Repeat([]*Namespace{space(3, true)}, 200)
	for name, tt := range map[string]struct{ got, want int }{
		"200 small ones beside a million": {count(append(few, big)...), 200},
		"one small one beside a million":  {count(space(3, true), big), 0},
		"two":                             {count(space(3, true), space(3, true), big), 2},
		"nothing else on the host":        {count(few[:20]...), 0},
		"with a table of their own":       {count(append(slices.Repeat([]*Namespace{space(3, false)}, 200), big)...), 0},
		"empty":                           {count(append(slices.Repeat([]*Namespace{space(0, true)}, 200), big)...), 0},
		"more than can be kept":           {count(append(slices.Repeat([]*Namespace{space(10_000, true)}, 100), big)...), 10},
		"not counted":                     {count(append(slices.Repeat([]*Namespace{{}}, 200), big)...), 0},
		"large ones":                      {count(append(slices.Repeat([]*Namespace{space(100_000, true)}, 3), big)...), 0},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %d, want %d", name, tt.got, tt.want)
		}
	}
}

// The objects of both byte orders are what the loader wants.
func TestObjects(t *testing.T) {
	for _, order := range []string{"bpfel", "bpfeb"} {
		held, err := ebpf.LoadCollectionSpec("held_" + order + ".o")
		if err != nil {
			t.Fatal(err)
		}
		if p := held.Programs[heldProgHeld]; p == nil || p.AttachTo != "task_file" || held.Maps[heldMapSeen] == nil {
			t.Errorf("%s: %+v", order, held)
		}
		shared, err := ebpf.LoadCollectionSpec("shared_" + order + ".o")
		if err != nil {
			t.Fatal(err)
		}
		found, total := shared.Maps[sharedMapFound], shared.Maps[sharedMapTotals]
		if p := shared.Programs[sharedProgShared]; p == nil || p.Type != ebpf.RawTracepoint ||
			found == nil || uintptr(found.ValueSize) != unsafe.Sizeof(connection{}) || total == nil || uintptr(total.ValueSize) != unsafe.Sizeof(totals{}) {
			t.Errorf("%s: %+v", order, shared)
		}
	}
}
