package inet

import (
	"net/netip"
	"testing"
)

// TestAppendIPv4 compares with net/netip for every byte in every place.
func TestAppendIPv4(t *testing.T) {
	for i := range 4 {
		for b := range 256 {
			a := [4]byte{1, 22, 200, 0}
			a[i] = byte(b)
			if got, want := string(AppendIPv4([]byte("at "), a)), "at "+netip.AddrFrom4(a).String(); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
}
