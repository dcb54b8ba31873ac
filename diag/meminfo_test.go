package diag

import "testing"

func TestMemInfo(t *testing.T) {
	raw := native(t, [5]uint32{1, 2, 3, 4, 99})
	if _, ok := without(t, TCP).MemInfo(); ok {
		t.Error("meminfo out of nothing")
	}
	for n := range len(raw) + 1 {
		m, ok := withAttr(t, TCP, AttrMemInfo, raw[:n]).MemInfo()
		want := MemInfo{}
		if n >= 16 {
			want = MemInfo{RMem: 1, WMem: 2, FMem: 3, TMem: 4}
		}
		if ok != (n >= 16) || m != want {
			t.Errorf("%d bytes: %+v, %v", n, m, ok)
		}
	}
}

func TestSKMemInfo(t *testing.T) {
	raw := native(t, [11]uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
	if _, ok := without(t, TCP).SKMemInfo(); ok {
		t.Error("skmeminfo out of nothing")
	}
	for n := range len(raw) + 1 {
		m, ok := withAttr(t, TCP, AttrSKMemInfo, raw[:n]).SKMemInfo()
		if ok != (n >= 28) || m.HasBacklog() != (n >= 32) || m.HasDrops() != (n >= 36) {
			t.Errorf("%d bytes: %v, backlog %v, drops %v", n, ok, m.HasBacklog(), m.HasDrops())
		}
		got := [9]uint32{
			m.RMemAlloc, m.RcvBuf, m.WMemAlloc, m.SndBuf, m.FwdAlloc, m.WMemQueued, m.OptMem, m.Backlog, m.Drops,
		}
		var want [9]uint32
		if n >= 28 {
			for i := range min(n/4, 9) {
				want[i] = uint32(i) + 1
			}
		}
		if got != want {
			t.Errorf("%d bytes: %v, want %v", n, got, want)
		}
	}
}
