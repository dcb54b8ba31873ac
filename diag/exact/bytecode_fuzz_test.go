package exact

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/filter"
)

// socketOf is the socket of a record, as a dump tells it.
func socketOf(t *testing.T, r *record) *diag.InetSocket {
	ne, be := binary.NativeEndian, binary.BigEndian
	b := make([]byte, 72)
	b[0], b[1] = byte(r.family()), byte(r.state())
	be.PutUint16(b[4:], r.sport())
	be.PutUint16(b[6:], r.dport())
	copy(b[8:24], r.src())
	copy(b[24:40], r.dst())
	ne.PutUint32(b[40:], r.ifindex())
	b = ne.AppendUint16(ne.AppendUint16(b, 8), uint16(diag.AttrMark))
	b = ne.AppendUint32(b, r.mark())
	b = ne.AppendUint16(ne.AppendUint16(b, 12), uint16(diag.AttrCgroupID))
	b = ne.AppendUint64(b, r.cgroup())
	s, err := diag.ParseInet(b, diag.TCP)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// FuzzAccepts: bytecode that stands for all of a filter picks the sockets that the filter does; any other comes to an end.
func FuzzAccepts(f *testing.F) {
	raw := make([]byte, sizeofRecord)
	raw[offFamily], raw[offState] = byte(diag.IPv4), 1
	copy(raw[offSrc:], []byte{127, 0, 0, 1})
	for _, words := range []string{
		"sport = 80", "not ( src 127.0.0.1 or sport >= 1024 ) and dport < 70000", "src 127.0.0.0/8 dst [::1]/64:443", "fwmark 5/255 or dev = 2", "dport != 0 and not dev = 1",
	} {
		f.Add(words, raw, []byte{11, 8, 12, 0, 0, 0, 80, 0})
	}
	env := filter.Env{
		TCP: true, UDP: true, Ops: filter.AllOps,
		Service:   func(string, string) (uint16, bool) { return 0, false },
		Hosts:     func(string, diag.Family) ([]netip.Addr, error) { return nil, errors.New("no such host") },
		Device:    func(string) (uint32, bool) { return 0, false },
		Cgroup:    func(string) (uint64, error) { return 0, errors.New("no such cgroup") },
		PortRange: func() (uint16, uint16) { return 32768, 60999 },
	}
	f.Fuzz(func(t *testing.T, words string, raw, code []byte) {
		var r record
		copy(r[:], raw)
		accepts(code, &r)
		if r.family() != diag.IPv4 {
			r[offFamily] = byte(diag.IPv6)
		}
		fl, err := filter.ParseSS([]string{words}, env)
		if err != nil {
			return
		}
		good, exact := fl.Bytecode()
		got, want := accepts(good, &r), fl.Match(socketOf(t, &r))
		if exact && got != want {
			t.Errorf("%q: the bytecode says %v, the filter %v of %x\n%s", words, got, want, r, filter.Disassemble(good))
		}
		if want && !got && !filter.Has[filter.Autobound](fl.Tree()) {
			t.Errorf("%q: the bytecode rejects %x", words, r)
		}
	})
}
