package ss

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

func tipcMessage(typ, state, node, ref, inode uint32, attrs ...[]byte) []byte {
	return attr(2, attr(6, typ), attr(9, state), attr(1, node), attr(2, ref), attr(7, inode), attr(8, uint32(1000)), attr(10, uint64(77)),
		bytes.Join(attrs, nil))
}

// randomTIPC always has its counters: the peer trusts that they are there.
func randomTIPC(r *rand.Rand) []byte {
	return tipcMessage(uint32(1+r.IntN(5)), uint32(r.IntN(12)), figure(r), figure(r), figure(r)>>1,
		attr(5, attr(0, figure(r)), attr(1, figure(r)), maybe(r, attr(2)), maybe(r, attr(3)), attr(4, figure(r))),
		maybe(r, attr(3, attr(2, figure(r)), attr(3, figure(r))), attr(3, attr(2, figure(r)), attr(3, figure(r)), attr(1), attr(4, figure(r)), attr(5, figure(r)))),
		maybe(r, attr(4)))
}

func TestTIPC(t *testing.T) {
	got := rows(t, Options{Netid: true, State: true, TIPCInfo: true, OneLine: true}, diag.ParseTIPC, (*Writer).TIPC,
		tipcMessage(4, 1, 5, 6, 7, attr(3, attr(2, uint32(8)), attr(3, uint32(9)), attr(1), attr(4, uint32(10)), attr(5, uint32(11))), attr(4),
			attr(5, attr(0, uint32(1)), attr(1, uint32(2)), attr(3), attr(4, uint32(3)))))
	if want := "ti_rd ESTAB 1      2      5:6 8:9 type:RDM cong:conn  drop:3  publ via {10,11} \n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
