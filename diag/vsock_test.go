package diag_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
)

// The bytes are those of struct vsock_diag_msg.
func TestParseVSock(t *testing.T) {
	b := native(uint8(unix.AF_VSOCK), uint8(unix.SOCK_SEQPACKET), uint8(1), uint8(3), uint32(3), uint32(1<<32-1), uint32(2), uint32(1024), uint32(4711), uint32(5), uint32(6))
	want := diag.VSockSocket{Type: diag.SockSeqpacket, State: diag.Established, Shutdown: 3, Local: diag.VSockAddr{CID: 3, Port: diag.VSockAny},
		Remote: diag.VSockAddr{CID: 2, Port: 1024}, Inode: 4711, Cookie: 6<<32 | 5}
	s, err := diag.ParseVSock(append(b, attr(1, uint32(9))...)) // what newer kernels add is skipped
	if err != nil || *s != want {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := diag.ParseVSock(b[:31]); err == nil {
		t.Error("31 bytes were decoded")
	}
}

func TestVSockRequest(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram { return []diagtest.Datagram{diagtest.Datagram{}.Done(r)} })
	c := dial(t, k.Config())
	for q, want := range map[diag.States]diag.States{0: diag.AllStates, 1 << diag.Listen: 1 << diag.Listen} {
		if n, err := count(c.VSock(t.Context(), diag.VSockQuery{States: q})); n != 0 || err != nil {
			t.Error(n, err)
		}
		rs := k.Requests()
		if got := rs[len(rs)-1].States(); got != want {
			t.Errorf("states %b: %b, want %b", q, got, want)
		}
	}
}
