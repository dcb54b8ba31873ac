package diag

import "testing"

func TestULPTLS(t *testing.T) {
	tls := appendAttr(nil, 1, native(t, uint16(0x0304)))
	tls = appendAttr(tls, 2, native(t, uint16(51)))
	tls = appendAttr(tls, 3, native(t, uint16(TLSConfHW)))
	tls = appendAttr(tls, 4, native(t, uint16(TLSConfSW)))
	tls = appendAttr(tls, 5, nil)
	tls = appendAttr(tls, 6, nil)
	tls = appendAttr(tls, 99, ramp(5))
	v := appendAttr(appendAttr(nil, 1, []byte("tls\x00")), 2|0x8000, tls)

	ulp := ULP{HasMPTCP: true, MPTCP: SubflowInfo{Flags: 7}}
	if !withAttr(t, TCP, AttrULPInfo, v).ULP(&ulp) {
		t.Fatal("no ULP")
	}
	want := TLSInfo{Version: 0x0304, Cipher: 51, TxConf: TLSConfHW, RxConf: TLSConfSW, ZCROTx: true, NoPadRx: true}
	if string(ulp.Name) != "tls" || !ulp.HasTLS || ulp.TLS != want || ulp.HasMPTCP || ulp.MPTCP != (SubflowInfo{}) {
		t.Errorf("%+v", ulp)
	}
}

func TestULPNameAlone(t *testing.T) {
	var ulp ULP
	if without(t, TCP).ULP(&ulp) {
		t.Error("ULP out of nothing")
	}
	if !withAttr(t, TCP, AttrULPInfo, appendAttr(nil, 1, []byte("espintcp\x00"))).ULP(&ulp) ||
		string(ulp.Name) != "espintcp" || ulp.HasTLS || ulp.HasMPTCP {
		t.Errorf("%+v", ulp)
	}
}

func TestULPSubflow(t *testing.T) {
	attrs := []struct {
		typ   uint16
		value []byte
		has   func(*SubflowInfo) bool
	}{
		{1, native(t, uint32(11)), (*SubflowInfo).HasTokens},
		{2, native(t, uint32(12)), (*SubflowInfo).HasTokens},
		{3, native(t, uint32(13)), (*SubflowInfo).HasRelWriteSeq},
		{4, native(t, uint64(14<<40)), (*SubflowInfo).HasMapSeq},
		{5, native(t, uint32(15)), (*SubflowInfo).HasMapSubflowSeq},
		{6, native(t, uint32(16)), (*SubflowInfo).HasSSNOffset},
		{7, native(t, uint16(17)), (*SubflowInfo).HasMapDataLen},
		{8, native(t, uint32(18)), (*SubflowInfo).HasFlags},
		{9, native(t, uint8(19)), (*SubflowInfo).HasIDs},
		{10, native(t, uint8(20)), (*SubflowInfo).HasIDs},
	}
	decode := func(sub []byte) SubflowInfo {
		v := appendAttr(appendAttr(nil, 1, []byte("mptcp\x00")), 3|0x8000, sub)
		var ulp ULP
		if !withAttr(t, TCP, AttrULPInfo, v).ULP(&ulp) || !ulp.HasMPTCP || ulp.HasTLS || string(ulp.Name) != "mptcp" {
			t.Fatalf("%+v", ulp)
		}
		return ulp.MPTCP
	}
	var all []byte
	for _, a := range attrs {
		all = appendAttr(all, a.typ, a.value)
		// Each alone is there, in zero too, and too short is absent.
		if m := decode(appendAttr(nil, a.typ, a.value)); !a.has(&m) {
			t.Errorf("attribute %d is absent", a.typ)
		}
		if m := decode(appendAttr(nil, a.typ, make([]byte, len(a.value)))); !a.has(&m) {
			t.Errorf("attribute %d of 0 is absent", a.typ)
		}
		if m := decode(appendAttr(nil, a.typ, a.value[:len(a.value)-1])); a.has(&m) {
			t.Errorf("attribute %d, too short, is there", a.typ)
		}
		for _, other := range attrs {
			if m := decode(appendAttr(nil, other.typ, other.value)); a.has(&m) && (other.typ-1)/2 != (a.typ-1)/2 {
				t.Errorf("attribute %d is there where %d is", a.typ, other.typ)
			}
		}
	}
	want := SubflowInfo{
		TokenRemote: 11, TokenLocal: 12, RelWriteSeq: 13, MapSeq: 14 << 40, MapSubflowSeq: 15, SSNOffset: 16, MapDataLen: 17,
		Flags: 18, IDRemote: 19, IDLocal: 20, have: 0x7fe,
	}
	if m := decode(all); m != want {
		t.Errorf("%+v\nwant %+v", m, want)
	}
}

func TestULPLyingAttribute(t *testing.T) {
	v := appendAttr(nil, 1, []byte("mptcp\x00"))
	for _, n := range []uint16{0, 3, 200} {
		var ulp ULP
		broken := append(v[:len(v):len(v)], native(t, n, uint16(3), uint32(0))...)
		if !withAttr(t, TCP, AttrULPInfo, broken).ULP(&ulp) || string(ulp.Name) != "mptcp" || ulp.HasMPTCP {
			t.Errorf("length %d: %+v", n, ulp)
		}
	}
}
