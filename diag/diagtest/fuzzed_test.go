package diagtest_test

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/diagtest"
)

func TestFuzzed(t *testing.T) {
	r := diagtest.Request{Seq: 7, PID: 9}
	got := diagtest.Fuzzed(r, []byte{8, 0, 2, 0, 'a', 'b', 4, 0, 0, 0, 7, 0, 0, 0, 5, 0, 0, 0, 6, 0xff, 1, 0, 'c'})
	ne := binary.NativeEndian
	if len(got) != 3 || got[2] != nil {
		t.Fatalf("%d datagrams, the last %x", len(got), got[len(got)-1])
	}
	type message struct {
		typ           uint16
		seq, pid, len uint32
	}
	read := func(d []byte) (list []message) {
		for len(d) >= 16 {
			m := message{ne.Uint16(d[4:]), ne.Uint32(d[8:]), ne.Uint32(d[12:]), ne.Uint32(d)}
			list = append(list, m)
			d = d[min((int(m.len)+3)&^3, len(d)):]
		}
		return list
	}
	first, second := read(got[0]), read(got[1])
	if len(first) != 2 || first[0] != (message{20, 7, 9, 18}) || first[1] != (message{20, 8, 9, 16}) {
		t.Errorf("first datagram %+v", first)
	}
	// The third says that it is a byte shorter than it is.
	if len(second) < 3 || second[0] != (message{20, 7, 9, 16}) || second[1] != (message{20, 7, 10, 16}) || second[2] != (message{20, 7, 9, 16}) {
		t.Errorf("second datagram %+v", second)
	}
	done := diagtest.Fuzzed(r, []byte{0, 0, 4, 0, 0xff, 0xff, 0xff, 0xff})
	if m := read(done[0]); len(m) != 1 || m[0] != (message{unix.NLMSG_DONE, 7, 9, 20}) {
		t.Errorf("the end %+v", m)
	}
}
