package diag_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/diag"
)

func TestParseProcInet(t *testing.T) {
	// Addresses are printed as numbers of the processor.
	line := fmt.Sprintf("   1: %08X:A6A4 %08X:1F90 01 00000005:00000007 01:00000014 00000003     7        2 39627717 2 0000000019787927 20 4 31 10 7",
		binary.NativeEndian.Uint32([]byte{127, 0, 0, 1}), binary.NativeEndian.Uint32([]byte{127, 0, 0, 2}))
	s, err := diag.ParseProcInet([]byte(line), diag.TCP, diag.IPv4)
	if err != nil {
		t.Fatal(err)
	}
	if s.Local != netip.MustParseAddrPort("127.0.0.1:42660") || s.Remote != netip.MustParseAddrPort("127.0.0.2:8080") || s.Inode != 39627717 ||
		s.UID != 7 || s.State != diag.Established || s.Expires != 200*time.Millisecond || s.Retrans != 3 || s.Source != diag.FromProc {
		t.Errorf("%+v", s)
	}
	for _, bad := range []string{"", "root:x:0:0", line[:40]} {
		if s, err := diag.ParseProcInet([]byte(bad), diag.TCP, diag.IPv4); err == nil {
			t.Errorf("%q: %+v", bad, s)
		}
	}
}
