package ss

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/render/names"
)

func packetMessage(typ uint8, protocol uint16, inode uint32, attrs ...[]byte) []byte {
	return append(native(uint8(17), typ, protocol, inode, uint32(7), uint32(8)), bytes.Join(attrs, nil)...)
}

// randomPacket always has its memory: without, the peer looks into /proc.
func randomPacket(r *rand.Rand) []byte {
	instruction := native(uint16(r.IntN(300)), uint8(r.IntN(256)), uint8(r.IntN(256)), figure(r))
	return packetMessage(some[uint8](r, 2, 3, 10, 0), some(r, 3, 0x800, 0x806, 0x8100, 0x88cc, uint16(r.IntN(1<<16)), uint16(r.IntN(0x30))), figure(r)>>1,
		attr(6, words(r, some(r, 7, 8, 9))),
		maybe(r, attr(0, some(r, uint32(0), 0, 1, 900000+uint32(r.IntN(9))), words(r, 1), uint32(0), figure(r)>>1, uint32(0), uint32(r.IntN(32)))),
		maybe(r, attr(5, figure(r))), maybe(r, attr(2, positive(r, 7))), maybe(r, attr(3, positive(r, 7))),
		maybe(r, attr(4, figure(r)&0xffff|uint32(some(r, r.IntN(9), r.IntN(1<<16)))<<16)),
		maybe(r, attr(7), attr(7, bytes.Repeat(instruction, 1+r.IntN(5)))))
}

// positive are numbers of 31 bits.
func positive(r *rand.Rand, n int) (b []byte) {
	for range n {
		b = ne.AppendUint32(b, figure(r)>>1)
	}
	return b
}

func TestPacket(t *testing.T) {
	opt := Options{Netid: true, State: true, Extended: true, Filters: true, OneLine: true,
		Interfaces: &names.Interfaces{ByIndex: func(uint32) (string, error) { return "", errors.New("none") }}}
	got := rows(t, opt, diag.ParsePacket, (*Writer).Packet,
		packetMessage(3, 0x806, 5, attr(0, uint32(2), uint32(2), uint32(0), uint32(9), uint32(0), uint32(3)), attr(5, uint32(1000)),
			attr(2, native(uint32(4096), uint32(2), uint32(2048), uint32(4), uint32(10), uint32(0), uint32(3))), attr(4, uint32(2<<16|7)),
			attr(7, native(uint16(6), uint8(1), uint8(2), uint32(9)))))
	want := "p_raw UNCONN 0      0      arp:if2 * uid:1000 ino:5 sk:800000007 ver:2 cpy_thresh:9 flags( running auxdata ) " +
		"ring_rx(blk_size:4096,blk_nr:2,frm_size:2048,frm_nr:4,tmo:10,features:0x3) fanout(id:7,type:cpu) bpf filter (1):  0x06 1 2 9,\n"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
