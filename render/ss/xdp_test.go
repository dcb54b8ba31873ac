package ss

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

func xdpMessage(inode uint32, attrs ...[]byte) []byte {
	return append(native(uint8(44), uint8(3), uint16(0), inode, uint32(7), uint32(8)), bytes.Join(attrs, nil)...)
}

func randomXDP(r *rand.Rand) []byte {
	return xdpMessage(figure(r)>>1,
		maybe(r, attr(1, some(r, uint32(0), 1, 900000+uint32(r.IntN(9))), figure(r)>>1)), maybe(r, attr(2, figure(r))), maybe(r, attr(3, figure(r))),
		maybe(r, attr(4, figure(r))), maybe(r, attr(5, words(r, 10))), maybe(r, attr(6, figure(r))), maybe(r, attr(7, figure(r))),
		maybe(r, attr(8, words(r, 9))), maybe(r, attr(9, words(r, 12))))
}

func TestXDP(t *testing.T) {
	m := xdpMessage(51, attr(1, uint32(0), uint32(7)), attr(3, uint32(2048)),
		attr(5, uint64(1<<33), native(uint32(3), uint32(4), uint32(5), uint32(6), uint32(7), uint32(8), uint32(9), uint32(10))))
	for oneLine, want := range map[bool]string{
		false: "UNCONN 0      0      * * ino:51 sk:800000007\n\trx(entries:2048)\n\tumem(id:3,size:8589934592,num_pages:4,chunk_size:5,headroom:6,ifindex:7,qid:8,zc:1,refs:10)\n",
		true:  "UNCONN 0      0      * * ino:51 sk:800000007 rx(entries:2048) tumem(id:3,size:8589934592,num_pages:4,chunk_size:5,headroom:6,ifindex:7,qid:8,zc:1,refs:10)\n",
	} {
		if got := rows(t, Options{State: true, Extended: true, OneLine: oneLine}, diag.ParseXDP, (*Writer).XDP, m); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}
