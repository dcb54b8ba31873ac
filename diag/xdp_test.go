package diag_test

import (
	"bytes"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
)

// xdpBytes is struct xdp_diag_msg and attributes.
func xdpBytes(attrs ...[]byte) []byte {
	b := native(uint8(unix.AF_XDP), uint8(unix.SOCK_RAW), uint16(0), uint32(4711), uint32(5), uint32(6))
	return append(b, bytes.Join(attrs, nil)...)
}

func xdpText(s *diag.XDPSocket) string {
	index, queue, info := s.Info()
	uid, hasUID := s.UID()
	rx, hasRX := s.RXRing()
	tx, hasTX := s.TXRing()
	fill, hasFill := s.FillRing()
	done, hasDone := s.CompletionRing()
	umem, hasUmem := s.Umem()
	stats, hasStats := s.Stats()
	m, hasMem := s.SKMemInfo()
	return fmt.Sprintln(s.Type, s.Inode, s.Cookie, index, queue, info, uid, hasUID, rx, hasRX, tx, hasTX, fill, hasFill, done, hasDone,
		umem, hasUmem, stats, hasStats, m.RMemAlloc, hasMem)
}

// The bytes are those of linux/xdp_diag.h.
func TestParseXDP(t *testing.T) {
	s, err := diag.ParseXDP(xdpBytes(attr(1, []uint32{2, 7}), attr(2, uint32(1000)), attr(3, uint32(2048)), attr(4, uint32(512)),
		attr(5, uint64(1<<33), []uint32{3, 4096, 2048, 256, 2, 7, 1, 5}), attr(6, uint32(64)), attr(7, uint32(128)),
		attr(8, []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9}), attr(9, []uint64{1, 2, 3, 4, 5, 1 << 40}), attr(77, uint32(1))))
	if err != nil {
		t.Fatal(err)
	}
	const want = "RAW 4711 25769803781 2 7 true 1000 true 2048 true 512 true 64 true 128 true " +
		"{8589934592 3 4096 2048 256 2 7 1 5} true {1 2 3 4 5 1099511627776} true 1 true\n"
	for _, s := range []*diag.XDPSocket{s, s.Clone()} {
		if got := xdpText(s); got != want {
			t.Errorf("got  %swant %s", got, want)
		}
	}
	const none = "RAW 4711 25769803781 0 0 false 0 false 0 false 0 false 0 false 0 false {0 0 0 0 0 0 0 0 0} false {0 0 0 0 0 0} false 0 false\n"
	for _, b := range [][]byte{
		xdpBytes(),
		xdpBytes(attr(1, uint32(2)), attr(2), attr(3), attr(4), attr(5, make([]byte, 39)), attr(6), attr(7), attr(8, uint32(1)), attr(9, make([]byte, 47))),
	} {
		s, err := diag.ParseXDP(b)
		if err != nil {
			t.Fatal(err)
		}
		if got := xdpText(s); got != none {
			t.Errorf("got  %swant %s", got, none)
		}
	}
	if _, err := diag.ParseXDP(xdpBytes()[:15]); err == nil {
		t.Error("15 bytes were decoded")
	}
}
