package ss

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

func unixMessage(typ, state uint8, inode uint32, attrs ...[]byte) []byte {
	return append(native(uint8(1), typ, state, uint8(0), inode, uint32(7), uint32(8)), bytes.Join(attrs, nil)...)
}

func randomUnix(r *rand.Rand) []byte {
	return unixMessage(uint8(r.IntN(7)), uint8(r.IntN(13)), figure(r),
		maybe(r, attr(0, "/run/x"), attr(0, []byte("\x00ab\x00c")), attr(0, []byte("a b")), attr(0, []byte{0}), attr(0)),
		maybe(r, attr(1, words(r, 2))), maybe(r, attr(2, figure(r))), maybe(r, attr(3, words(r, r.IntN(5)))), maybe(r, attr(4, words(r, 2))),
		maybe(r, attr(5, words(r, 9)), attr(5, words(r, 7))), maybe(r, attr(6, uint8(r.IntN(4)))))
}

func TestUnix(t *testing.T) {
	m := unixMessage(1, 10, 100, attr(0, "/run/x y"), attr(1, uint32(555), uint32(8<<20|1)), attr(3, uint32(101), uint32(102)),
		attr(4, uint32(1), uint32(5)), attr(5, []byte(native(uint32(1), uint32(2), uint32(3), uint32(4), uint32(5), uint32(6), uint32(7)))), attr(6, uint8(2)))
	got := rows(t, Options{Netid: true, State: true, Extended: true, Memory: true}, diag.ParseUnix, (*Writer).Unix, m)
	if want := "u_str LISTEN 1      5      /run/x y 100 * 0 skmem:(r1,rb2,t3,tb4,f5,w6,o7) <-- ino:555 dev:0/2049 peers: 101 102\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Names that could do something to a terminal are escaped; ss sends them as they are.
func TestUnixEscapes(t *testing.T) {
	for name, want := range map[string]string{
		"a\x1b[31mb\n\tc": `a\033[31mb\012\011c`, "\xff\xfe": `\377\376`, "grüße": "grüße", "\x00\x07": `@\007`, "\u009b2J": `\302\2332J`,
	} {
		got := rows(t, Options{NoQueues: true}, diag.ParseUnix, (*Writer).Unix, unixMessage(2, 7, 5, attr(0, []byte(name))))
		if want += " 5 * 0\n"; got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
