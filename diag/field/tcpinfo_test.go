package field

import (
	"encoding/binary"
	"testing"
	"unsafe"

	"github.com/sockeye-tools/sockeye/diag"
)

// infoOf is a socket with size bytes of tcp_info, which are 1 each.
func infoOf(t *testing.T, st diag.State, size int) *diag.InetSocket {
	t.Helper()
	m := make([]byte, 72)
	m[0], m[1] = byte(diag.IPv4), byte(st)
	m = binary.NativeEndian.AppendUint16(m, uint16(4+size))
	m = binary.NativeEndian.AppendUint16(m, uint16(diag.AttrInfo))
	for range size {
		m = append(m, 1)
	}
	s, err := diag.ParseInet(m, diag.TCP)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What an older kernel does not tell is absent.
func TestShortTCPInfo(t *testing.T) {
	for name, from := range map[string]uintptr{
		"rto": unsafe.Offsetof(info.RTO), "delivery_rate": unsafe.Offsetof(info.DeliveryRate), "app_limited": unsafe.Offsetof(info.DeliveryRate),
		"total_rto_time": unsafe.Offsetof(info.TotalRTOTime), "idle": unsafe.Offsetof(info.LastDataRecv), "sack": unsafe.Offsetof(info.Options),
	} {
		for size, want := range map[int]bool{int(from): false, int(unsafe.Sizeof(info)): true} {
			if v, ok := byName[name].Number(&Context{}, infoOf(t, diag.Established, size)); ok != want {
				t.Errorf("%s in %d bytes: %d, %v", name, size, v, ok)
			}
		}
	}
}

// What is counted or agreed on with the peer is absent until it has answered.
func TestTCPInfoOfSynSent(t *testing.T) {
	s := infoOf(t, diag.SynSent, int(unsafe.Sizeof(info)))
	for name, want := range map[string]bool{"rto": true, "cwnd": true, "last_send": false, "last_recv": false, "last_ack": false, "idle": false, "sack": false} {
		if v, ok := byName[name].Number(&Context{}, s); ok != want {
			t.Errorf("%s: %d, %v", name, v, ok)
		}
	}
}
