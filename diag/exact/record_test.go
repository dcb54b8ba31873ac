package exact

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/filter"
)

// newRecord returns a record as bpf/sockets.bpf.c writes it.
func newRecord(local, remote netip.AddrPort, state diag.State) *record {
	ne := binary.NativeEndian
	r := &record{}
	ne.PutUint64(r[offCookie:], 0x1234)
	ne.PutUint64(r[offCgroup:], 1<<40|7)
	copy(r[offSrc:offDst], local.Addr().AsSlice())
	copy(r[offDst:offIfindex], remote.Addr().AsSlice())
	ne.PutUint32(r[offIfindex:], 3)
	ne.PutUint32(r[offMark:], 0x15)
	ne.PutUint16(r[offSport:], local.Port())
	binary.BigEndian.PutUint16(r[offDport:], remote.Port())
	if r[offFamily] = byte(diag.IPv6); local.Addr().Is4() {
		r[offFamily] = byte(diag.IPv4)
	}
	r[offState], r[offLocked] = byte(state), 1
	return r
}

var (
	fourEnds = [2]netip.AddrPort{netip.MustParseAddrPort("10.1.2.3:80"), netip.MustParseAddrPort("192.0.2.1:40000")}
	sixEnds  = [2]netip.AddrPort{netip.MustParseAddrPort("[2001:db8::1]:443"), netip.MustParseAddrPort("[::ffff:192.0.2.1]:50000")}
)

// program returns the bytecode of a condition that the kernel can judge alone.
func program(t *testing.T, n filter.Node) []byte {
	t.Helper()
	code, _ := filter.New(n, filter.AllOps).Bytecode()
	if code == nil {
		t.Fatalf("%v has no bytecode", n)
	}
	return code
}

// A record meets a query by everything that the query asks for, and by nothing else.
func TestMeets(t *testing.T) {
	four, six := newRecord(fourEnds[0], fourEnds[1], diag.Established), newRecord(sixEnds[0], sixEnds[1], diag.NewSynRecv)
	host := func(side filter.Side, p string) filter.Node {
		return filter.Host{Side: side, Prefixes: []netip.Prefix{netip.MustParsePrefix(p)}}
	}
	unlocked := *four
	unlocked[offLocked] = 0
	for _, tt := range []struct {
		r      *record
		family diag.Family
		states diag.States
		node   filter.Node
		want   bool
	}{
		{four, diag.Unspec, diag.AllStates, nil, true},
		{four, diag.IPv4, diag.StatesOf(diag.Established), nil, true},
		{four, diag.IPv6, diag.AllStates, nil, false},
		{six, diag.IPv6, diag.AllStates, nil, true},
		{six, diag.IPv4, diag.AllStates, nil, false},
		{four, diag.Unspec, diag.StatesOf(diag.Listen, diag.SynRecv), nil, false},
		{six, diag.Unspec, diag.StatesOf(diag.SynRecv), nil, true},
		{six, diag.Unspec, diag.StatesOf(diag.NewSynRecv), nil, true},
		{six, diag.Unspec, diag.StatesOf(diag.Established), nil, false},
		{four, diag.Unspec, diag.AllStates, host(filter.Local, "10.1.2.3/32"), true},
		{four, diag.Unspec, diag.AllStates, host(filter.Local, "192.0.2.1/32"), false},
		{four, diag.Unspec, diag.AllStates, host(filter.Remote, "192.0.2.1/32"), true},
		{four, diag.Unspec, diag.AllStates, host(filter.Remote, "10.1.2.3/32"), false},
		{six, diag.Unspec, diag.AllStates, host(filter.Local, "2001:db8::1/128"), true},
		{six, diag.Unspec, diag.AllStates, host(filter.Local, "2001:db8::2/128"), false},
		{six, diag.Unspec, diag.AllStates, host(filter.Remote, "192.0.2.1/32"), true}, // mapped
		{six, diag.Unspec, diag.AllStates, host(filter.Remote, "192.0.2.2/32"), false},
		{four, diag.Unspec, diag.AllStates, filter.Port{Port: 80}, true},
		{four, diag.Unspec, diag.AllStates, filter.Port{Port: 40000}, false},
		{four, diag.Unspec, diag.AllStates, filter.Port{Side: filter.Remote, Port: 40000}, true},
		{four, diag.Unspec, diag.AllStates, filter.Port{Side: filter.Remote, Port: 80}, false},
		{four, diag.Unspec, diag.AllStates, filter.Device{Index: 3}, true},
		{four, diag.Unspec, diag.AllStates, filter.Device{}, false},
		{four, diag.Unspec, diag.AllStates, filter.Mark{Mark: 0x15, Mask: 0xffffffff}, true},
		{four, diag.Unspec, diag.AllStates, filter.Mark{Mark: 0x3, Mask: 0xffffffff}, false},
		{four, diag.Unspec, diag.AllStates, filter.Cgroup{ID: 1<<40 | 7}, true},
		{four, diag.Unspec, diag.AllStates, filter.Cgroup{ID: 7}, false},
		{four, diag.Unspec, diag.AllStates, filter.Autobound{}, false},
		{&unlocked, diag.Unspec, diag.AllStates, filter.Autobound{}, true},
		// All of it has to hold.
		{four, diag.IPv6, diag.AllStates, filter.Port{Port: 80}, false},
		{four, diag.Unspec, diag.StatesOf(diag.Listen), filter.Port{Port: 80}, false},
	} {
		q := diag.InetQuery{Family: tt.family, States: tt.states}
		if tt.node != nil {
			q.Bytecode = program(t, tt.node)
		}
		if got := tt.r.meets(&q); got != tt.want {
			t.Errorf("%v, states %#x, %v: %v of %x", tt.family, tt.states, tt.node, got, *tt.r)
		}
	}
}

func TestKey(t *testing.T) {
	for _, ends := range [][2]netip.AddrPort{fourEnds, sixEnds} {
		want := diag.InetKey{
			Protocol: diag.UDP, Local: ends[0], Remote: ends[1], Interface: 3, Cookie: 0x1234, Ext: diag.ExtSKMemInfo,
		}
		if got := newRecord(ends[0], ends[1], diag.Close).key(diag.UDP, diag.ExtSKMemInfo); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func TestMeetsDoesNotAllocate(t *testing.T) {
	q := diag.InetQuery{States: diag.AllStates, Bytecode: program(t, filter.And{
		filter.Port{Cmp: filter.GE, Port: 1}, filter.Not{Node: filter.Device{Index: 7}}, filter.Not{Node: filter.Mark{Mark: 7, Mask: 7}},
		filter.Host{Side: filter.Remote, Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
	})}
	records := []*record{
		newRecord(fourEnds[0], fourEnds[1], diag.Established), newRecord(sixEnds[0], sixEnds[1], diag.Established),
	}
	met := 0
	n := testing.AllocsPerRun(100, func() {
		for _, r := range records {
			if r.meets(&q) {
				met++
			}
		}
	})
	if n != 0 || met != 101*len(records) {
		t.Errorf("%v allocations, %d of %d met", n, met, 101*len(records))
	}
}
