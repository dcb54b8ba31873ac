package diag

import "testing"

func TestAttrIndex(t *testing.T) {
	b := appendAttr(nil, 0, native(t, uint32(7)))
	b = appendAttr(b, 13, []byte{1, 2, 3}) // padded
	b = appendAttr(b, 14, []byte{9})       // not known
	b = appendAttr(b, 0x8000|5, nil)       // nested, and empty
	var x attrIndex
	if err := x.set(b); err != nil {
		t.Fatal(err)
	}
	if v, ok := x.u32(0); v != 7 || !ok {
		t.Errorf("0: %d, %v", v, ok)
	}
	if v, ok := x.get(13); string(v) != "\x01\x02\x03" || !ok {
		t.Errorf("13: %v, %v", v, ok)
	}
	if v, ok := x.get(5); len(v) != 0 || !ok {
		t.Errorf("5: %v, %v", v, ok)
	}
	if v, ok := x.u32(5); v != 0 || ok {
		t.Errorf("5 as a number: %d, %v", v, ok)
	}
	if v, ok := x.get(1); v != nil || ok {
		t.Errorf("1: %v, %v", v, ok)
	}
	// The next message has fewer.
	if err := x.set(nil); err != nil || x.have != 0 {
		t.Errorf("empty: %v, %b", err, x.have)
	}
}

// A length that is wrong ends the walk; what came before counts.
func TestAttrIndexBroken(t *testing.T) {
	good := appendAttr(nil, 3, native(t, uint32(7)))
	for _, tail := range [][]byte{
		native(t, uint16(3), uint16(1)), native(t, uint16(0), uint16(1)), native(t, uint16(9), uint16(1), uint32(0)),
		native(t, uint16(65535), uint16(1)),
	} {
		var x attrIndex
		if err := x.set(append(good[:len(good):len(good)], tail...)); err == nil || x.have != 1<<3 {
			t.Errorf("% x: %v, %b", tail, err, x.have)
		}
	}
	var x attrIndex
	if err := x.set(append(good[:len(good):len(good)], 1, 2, 3)); err != nil || x.have != 1<<3 { // too short for a header: padding
		t.Errorf("three bytes: %v, %b", err, x.have)
	}
}

func TestAttrIndexSKMemInfo(t *testing.T) {
	for n, ok := range map[int]bool{6: false, 7: true, 8: true, 9: true, 12: true} {
		var x attrIndex
		v := make([]uint32, n)
		for i := range v {
			v[i] = uint32(i + 1)
		}
		if err := x.set(appendAttr(nil, 2, native(t, v))); err != nil {
			t.Fatal(err)
		}
		m, got := x.skMemInfo(2)
		if got != ok || got && (m.RMemAlloc != 1 || m.OptMem != 7 || m.HasBacklog() != (n > 7) || m.HasDrops() != (n > 8)) {
			t.Errorf("%d figures: %+v, %v", n, m, got)
		}
	}
}
