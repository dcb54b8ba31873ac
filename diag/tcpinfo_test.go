package diag

import (
	"encoding/binary"
	"reflect"
	"testing"
	"unsafe"
)

// ramp is n bytes that are all different from their neighbours, and never 0.
func ramp(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i%251 + 1)
	}
	return b
}

func TestTCPInfoOfAllLengths(t *testing.T) {
	raw := ramp(sizeofTCPInfo + 20) // a kernel to come sends more
	typ := reflect.TypeFor[TCPInfo]()
	for n := range len(raw) + 1 {
		info := TCPInfo{RTT: 99, ReceivedCEBytes: 99, n: 280} // what was there before must not shine through
		if !withAttr(t, TCP, AttrInfo, raw[:n]).TCPInfo(&info) {
			t.Fatalf("%d bytes: no tcp_info", n)
		}
		v := reflect.ValueOf(&info).Elem()
		for f := range typ.Fields() {
			if f.Name == "_" || f.Name == "n" {
				continue
			}
			end := int(f.Offset + f.Type.Size())
			var want uint64
			if end <= n {
				switch f.Type.Size() {
				case 1:
					want = uint64(raw[f.Offset])
				case 2:
					want = uint64(binary.NativeEndian.Uint16(raw[f.Offset:]))
				case 4:
					want = uint64(binary.NativeEndian.Uint32(raw[f.Offset:]))
				case 8:
					want = binary.NativeEndian.Uint64(raw[f.Offset:])
				}
			}
			if int(f.Offset) < n && end > n {
				continue // cut in the middle: Has says no
			}
			if got := v.FieldByIndex(f.Index).Uint(); got != want {
				t.Errorf("%d bytes: %s = %#x, want %#x", n, f.Name, got, want)
			}
		}
		for _, tt := range []struct {
			name string
			has  bool
			end  int // offsetofend in linux/tcp.h
		}{
			{"State", Has(&info, &info.State), 1},
			{"RTT", Has(&info, &info.RTT), 72},
			{"TotalRetrans", Has(&info, &info.TotalRetrans), 104},
			{"PacingRate", Has(&info, &info.PacingRate), 112},
			{"DeliveryRate", Has(&info, &info.DeliveryRate), 168},
			{"SndWnd", Has(&info, &info.SndWnd), 232},
			{"RcvWnd", Has(&info, &info.RcvWnd), 236},
			{"TotalRTO", Has(&info, &info.TotalRTO), 242},
			{"ReceivedCEBytes", Has(&info, &info.ReceivedCEBytes), 276},
		} {
			if tt.has != (n >= tt.end) {
				t.Errorf("%d bytes: Has(%s) = %v", n, tt.name, tt.has)
			}
		}
	}
}

func TestTCPInfoAbsent(t *testing.T) {
	info := TCPInfo{RTT: 7}
	if without(t, TCP).TCPInfo(&info) || info.RTT != 7 {
		t.Error("tcp_info out of nothing")
	}
	for _, p := range []Protocol{MPTCP, SCTP, UDP, DCCP} {
		if withAttr(t, p, AttrInfo, make([]byte, 280)).TCPInfo(&info) {
			t.Errorf("the INFO of %v was taken for tcp_info", p)
		}
	}
}

func TestTCPInfoBits(t *testing.T) {
	// By hand, as C's bit fields lie: from the low end on little-endian machines, from the high end on others.
	wscale, flags := byte(7|9<<4), byte(1|2<<1)
	if x := uint16(1); *(*byte)(unsafe.Pointer(&x)) == 0 {
		wscale, flags = 7<<4|9, 1<<7|2<<5
	}
	raw := make([]byte, sizeofTCPInfo)
	raw[6], raw[7] = wscale, flags
	var info TCPInfo
	withAttr(t, TCP, AttrInfo, raw).TCPInfo(&info)
	if info.SndWScale() != 7 || info.RcvWScale() != 9 || !info.AppLimited() || info.FastOpenClientFail() != 2 {
		t.Errorf("snd %d, rcv %d, app-limited %v, fast open %d", info.SndWScale(), info.RcvWScale(), info.AppLimited(), info.FastOpenClientFail())
	}
	raw[7] = ^flags
	withAttr(t, TCP, AttrInfo, raw).TCPInfo(&info)
	if info.AppLimited() || info.FastOpenClientFail() != 1 {
		t.Errorf("app-limited %v, fast open %d", info.AppLimited(), info.FastOpenClientFail())
	}
}
