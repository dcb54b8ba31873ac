package diag

import (
	"bytes"
	"net/netip"
	"testing"
)

// rawMD5 is struct tcp_diag_md5sig of linux/tcp.h.
type rawMD5 struct {
	Family, PrefixLen uint8
	KeyLen            uint16
	Addr              [16]byte
	Key               [80]byte
}

func TestMD5Sigs(t *testing.T) {
	v4 := rawMD5{Family: 2, PrefixLen: 24, KeyLen: 3, Addr: [16]byte{192, 0, 2}, Key: [80]byte{'a', 'b', 'c'}}
	v6 := rawMD5{Family: 10, PrefixLen: 128, KeyLen: 80, Addr: netip.MustParseAddr("2001:db8::9").As16()}
	copy(v6.Key[:], bytes.Repeat([]byte{'x'}, 80))
	lies := rawMD5{Family: 2, PrefixLen: 32, KeyLen: 200}
	raw := native(t, v4, v6, lies)
	for _, tt := range []struct{ bytes, keys int }{{0, 0}, {99, 0}, {100, 1}, {199, 1}, {200, 2}, {300, 3}} {
		var got []MD5Sig
		for k := range withAttr(t, TCP, AttrMD5Sig, raw[:tt.bytes]).MD5Sigs() {
			got = append(got, k)
		}
		if len(got) != tt.keys {
			t.Fatalf("%d bytes: %d keys, want %d", tt.bytes, len(got), tt.keys)
		}
		for i, want := range []MD5Sig{
			{netip.MustParsePrefix("192.0.2.0/24"), []byte("abc")},
			{netip.MustParsePrefix("2001:db8::9/128"), v6.Key[:]},
			{netip.MustParsePrefix("0.0.0.0/32"), make([]byte, 80)},
		}[:tt.keys] {
			if got[i].Prefix != want.Prefix || !bytes.Equal(got[i].Key, want.Key) {
				t.Errorf("key %d: %v, want %v", i, got[i], want)
			}
		}
	}
	for range without(t, TCP).MD5Sigs() {
		t.Error("a key out of nothing")
	}
	for range withAttr(t, TCP, AttrMD5Sig, raw).MD5Sigs() {
		break
	}
}
