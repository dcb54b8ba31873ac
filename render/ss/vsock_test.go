package ss

import (
	"math/rand/v2"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

func vsockMessage(typ, state uint8, cid, port, peerCID, peerPort uint32) []byte {
	return native(uint8(40), typ, state, uint8(0), cid, port, peerCID, peerPort, uint32(9), uint32(7), uint32(8))
}

func randomVSock(r *rand.Rand) []byte {
	return vsockMessage(uint8(r.IntN(7)), uint8(r.IntN(13)), figure(r), figure(r), figure(r), figure(r))
}

func TestVSock(t *testing.T) {
	got := rows(t, Options{Netid: true, State: true}, diag.ParseVSock, (*Writer).VSock,
		vsockMessage(1, 10, 1<<32-1, 22, 1<<32-1, 1<<32-1), vsockMessage(5, 1, 3, 1024, 2, 7))
	if want := "v_str LISTEN 0      0      *:22   *:*\n???   ESTAB  0      0      3:1024 2:7\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
