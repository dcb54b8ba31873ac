package diag_test

import (
	"bytes"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
)

// tipcBytes is TIPC_NLA_SOCK.
func tipcBytes(attrs ...[]byte) []byte { return attr(2, bytes.Join(attrs, nil)) }

func tipcText(s *diag.TIPCSocket) string {
	peer, connected := s.Peer()
	service, instance, via := s.Via()
	recv, send, queues := s.Queues()
	drops, hasDrops := s.Drops()
	link, conn := s.Congested()
	return fmt.Sprintln(s.Type, s.State, s.Local, s.Inode, s.UID, s.Cookie, peer, connected, service, instance, via, s.Published(),
		recv, send, queues, drops, hasDrops, link, conn)
}

// The attributes are those of linux/tipc_netlink.h, as tipc_sk_fill_sock_diag of net/tipc/socket.c puts them.
func TestParseTIPC(t *testing.T) {
	for _, tt := range []struct {
		b    []byte
		want string
	}{
		{tipcBytes(attr(6, uint32(unix.SOCK_RDM)), attr(9, uint32(7)), attr(7, uint32(4711)), attr(8, uint32(1000)), attr(10, uint64(1<<40)),
			attr(1, uint32(0x1001001)), attr(2, uint32(77)),
			attr(3, attr(2, uint32(5)), attr(3, uint32(6)), attr(1), attr(4, uint32(8)), attr(5, uint32(9))), attr(4),
			attr(5, attr(0, uint32(10)), attr(1, uint32(11)), attr(2), attr(4, uint32(12))), attr(99, uint32(1))),
			"RDM CLOSE {16781313 77} 4711 1000 1099511627776 {5 6} true 8 9 true true 10 11 true 12 true true false\n"},
		{tipcBytes(attr(6, uint32(unix.SOCK_STREAM)), attr(9, uint32(10)), attr(5, attr(3))),
			"STREAM LISTEN {0 0} 0 0 0 {0 0} false 0 0 false false 0 0 false 0 false false true\n"},
		{tipcBytes(), "TYPE_0 UNKNOWN {0 0} 0 0 0 {0 0} false 0 0 false false 0 0 false 0 false false false\n"},
	} {
		s, err := diag.ParseTIPC(tt.b)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*diag.TIPCSocket{s, s.Clone()} {
			if got := tipcText(s); got != tt.want {
				t.Errorf("got  %swant %s", got, tt.want)
			}
		}
	}
	for _, b := range [][]byte{
		{}, attr(1, uint32(0)), {8, 0, 2, 0, 9, 0, 1, 0}, tipcBytes(attr(3, native(uint16(9), uint16(2)))), tipcBytes(attr(5, native(uint16(3), uint16(2)))),
	} {
		if s, err := diag.ParseTIPC(b); err == nil {
			t.Errorf("% x: %+v", b, s)
		}
	}
}

// A socket has nothing of the one before it.
func TestTIPCReused(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		d := diagtest.Datagram{}.Append(r, 20, unix.NLM_F_MULTI, tipcBytes(attr(6, uint32(1)), attr(9, uint32(1)), attr(7, uint32(4711)),
			attr(3, attr(2, uint32(5)), attr(1)), attr(4), attr(5, attr(2), attr(4, uint32(1)))))
		return []diagtest.Datagram{d.Append(r, 20, unix.NLM_F_MULTI, tipcBytes(attr(6, uint32(1)), attr(9, uint32(1)))).Done(r)}
	})
	var got string
	for s, err := range dial(t, k.Config()).TIPC(t.Context(), diag.TIPCQuery{States: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		got = tipcText(s)
	}
	if want := "STREAM ESTABLISHED {0 0} 0 0 0 {0 0} false 0 0 false false 0 0 false 0 false false false\n"; got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	if st := k.Requests()[0].States(); st != 1 {
		t.Errorf("states %b", st)
	}
}

// Of a socket that is in none of the states asked for the kernel sends a message with nothing in it.
func TestTIPCEmptyMessages(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		d := diagtest.Datagram{}.Append(r, 20, unix.NLM_F_MULTI, nil)
		d = d.Append(r, 20, unix.NLM_F_MULTI, tipcBytes(attr(6, uint32(1)), attr(9, uint32(1)), attr(7, uint32(4711))))
		return []diagtest.Datagram{d.Append(r, 20, unix.NLM_F_MULTI, nil).Done(r)}
	})
	var got []uint32
	for s, err := range dial(t, k.Config()).TIPC(t.Context(), diag.TIPCQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s.Inode)
	}
	if len(got) != 1 || got[0] != 4711 {
		t.Errorf("inodes %v", got)
	}
}
