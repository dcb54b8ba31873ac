package diag

import "testing"

func TestMPTCPInfoOfAllLengths(t *testing.T) {
	raw := native(t, [8]uint8{1, 2, 3, 4, 5, 6, 99, 99}, uint32(MPTCPRemoteKey), uint32(0xabcdef01), uint64(9), uint64(10), uint64(11),
		[4]uint8{12, 13, 1, 99}, uint32(15), [4]uint64{16, 17, 18, 19}, [4]uint8{20, 21, 22, 99}, [3]uint32{23, 24, 25}, uint64(99))
	full := MPTCPInfo{
		Subflows: 1, AddAddrSignal: 2, AddAddrAccepted: 3, SubflowsMax: 4, AddAddrSignalMax: 5, AddAddrAcceptedMax: 6,
		Flags: MPTCPRemoteKey, Token: 0xabcdef01, WriteSeq: 9, SndUna: 10, RcvNxt: 11, LocalAddrUsed: 12, LocalAddrMax: 13,
		CsumEnabled: 1, Retransmits: 15, BytesRetrans: 16, BytesSent: 17, BytesReceived: 18, BytesAcked: 19,
		SubflowsTotal: 20, EndpLaminarMax: 21, EndpFullmeshMax: 22, LastDataSent: 23, LastDataRecv: 24, LastAckRecv: 25,
	}
	for n := range len(raw) + 1 {
		m := MPTCPInfo{Token: 99, LastAckRecv: 99}
		if !withAttr(t, MPTCP, AttrInfo, raw[:n]).MPTCPInfo(&m) {
			t.Fatalf("%d bytes: no mptcp_info", n)
		}
		if m.Size() != min(n, 96) {
			t.Errorf("%d bytes: Size() = %d", n, m.Size())
		}
		for _, f := range []struct {
			name      string
			end       int // offsetofend in linux/mptcp.h
			got, want uint64
		}{
			{"Subflows", 1, uint64(m.Subflows), 1}, {"AddAddrAcceptedMax", 6, uint64(m.AddAddrAcceptedMax), 6},
			{"Flags", 12, uint64(m.Flags), 2}, {"Token", 16, uint64(m.Token), 0xabcdef01}, {"RcvNxt", 40, m.RcvNxt, 11},
			{"CsumEnabled", 43, uint64(m.CsumEnabled), 1}, {"Retransmits", 48, uint64(m.Retransmits), 15},
			{"BytesAcked", 80, m.BytesAcked, 19}, {"SubflowsTotal", 81, uint64(m.SubflowsTotal), 20},
			{"LastAckRecv", 96, uint64(m.LastAckRecv), 25},
		} {
			switch {
			case n >= f.end && f.got != f.want:
				t.Errorf("%d bytes: %s = %d, want %d", n, f.name, f.got, f.want)
			case n <= f.end-8 && f.got != 0:
				t.Errorf("%d bytes: %s = %d is not there", n, f.name, f.got)
			}
		}
		if n >= 96 {
			want := full
			want.n = 96
			if m != want {
				t.Errorf("%d bytes: %+v\nwant %+v", n, m, want)
			}
		}
	}
}

func TestMPTCPInfoAbsent(t *testing.T) {
	var m MPTCPInfo
	if without(t, MPTCP).MPTCPInfo(&m) || withAttr(t, TCP, AttrInfo, make([]byte, 96)).MPTCPInfo(&m) {
		t.Error("mptcp_info out of nothing")
	}
}
