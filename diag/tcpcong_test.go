package diag

import "testing"

func TestCongestionControlInfo(t *testing.T) {
	raw := native(t, uint32(1), uint32(2), uint32(3), uint32(4), uint32(5), uint32(6))
	dctcp := native(t, uint16(1), uint16(2), uint32(3), uint32(4), uint32(5), uint32(6))
	for n := range len(raw) + 1 {
		v, ok := withAttr(t, TCP, AttrVegasInfo, raw[:n]).VegasInfo()
		if want := (VegasInfo{Enabled: true, RTTCnt: 2, RTT: 3, MinRTT: 4}); ok != (n >= 16) || ok && v != want || !ok && v != (VegasInfo{}) {
			t.Errorf("vegas, %d bytes: %+v, %v", n, v, ok)
		}
		d, ok := withAttr(t, TCP, AttrDCTCPInfo, dctcp[:n]).DCTCPInfo()
		if want := (DCTCPInfo{Enabled: true, CEState: 2, Alpha: 3, ABECN: 4, ABTot: 5}); ok != (n >= 16) || ok && d != want || !ok && d != (DCTCPInfo{}) {
			t.Errorf("dctcp, %d bytes: %+v, %v", n, d, ok)
		}
		b, ok := withAttr(t, TCP, AttrBBRInfo, raw[:n]).BBRInfo()
		if want := (BBRInfo{Bandwidth: 2<<32 | 1, MinRTT: 3, PacingGain: 4, CwndGain: 5}); ok != (n >= 20) || ok && b != want || !ok && b != (BBRInfo{}) {
			t.Errorf("bbr, %d bytes: %+v, %v", n, b, ok)
		}
	}
	s := without(t, TCP)
	if _, ok := s.VegasInfo(); ok {
		t.Error("vegas out of nothing")
	}
	if _, ok := s.DCTCPInfo(); ok {
		t.Error("dctcp out of nothing")
	}
	if _, ok := s.BBRInfo(); ok {
		t.Error("bbr out of nothing")
	}
}
