package diag

import "testing"

// getter reads one attribute; absent is told from zero.
type getter struct {
	name string
	attr Attr
	size int // bytes that it takes
	get  func(*InetSocket) (uint64, bool)
}

func TestGetters(t *testing.T) {
	wide := func(v uint32, ok bool) (uint64, bool) { return uint64(v), ok }
	byteOf := func(v uint8, ok bool) (uint64, bool) { return uint64(v), ok }
	for _, g := range []getter{
		{"TOS", AttrTOS, 1, func(s *InetSocket) (uint64, bool) { return byteOf(s.TOS()) }},
		{"TClass", AttrTClass, 1, func(s *InetSocket) (uint64, bool) { return byteOf(s.TClass()) }},
		{"Shutdown", AttrShutdown, 1, func(s *InetSocket) (uint64, bool) { return byteOf(s.Shutdown()) }},
		{"RawProtocol", AttrProtocol, 1, func(s *InetSocket) (uint64, bool) {
			p, ok := s.RawProtocol()
			return uint64(p), ok
		}},
		{"ClassID", AttrClassID, 4, func(s *InetSocket) (uint64, bool) { return wide(s.ClassID()) }},
		{"Mark", AttrMark, 4, func(s *InetSocket) (uint64, bool) { return wide(s.Mark()) }},
		{"CgroupID", AttrCgroupID, 8, func(s *InetSocket) (uint64, bool) { return s.CgroupID() }},
	} {
		if v, ok := g.get(without(t, TCP)); ok || v != 0 {
			t.Errorf("%s: %d, %v of a socket that has none", g.name, v, ok)
		}
		for n := range g.size {
			if v, ok := g.get(withAttr(t, TCP, g.attr, make([]byte, n))); ok || v != 0 {
				t.Errorf("%s: %d, %v of %d bytes", g.name, v, ok, n)
			}
		}
		if v, ok := g.get(withAttr(t, TCP, g.attr, make([]byte, g.size))); !ok || v != 0 {
			t.Errorf("%s: %d, %v of 0", g.name, v, ok)
		}
		var raw []byte
		var want uint64
		switch g.size {
		case 1:
			want, raw = 0xa5, []byte{0xa5}
		case 4:
			want, raw = 0x89abcdef, native(t, uint32(0x89abcdef))
		case 8:
			want, raw = 0x0123456789abcdef, native(t, uint64(0x0123456789abcdef))
		}
		if v, ok := g.get(withAttr(t, TCP, g.attr, append(raw, 9, 9, 9, 9))); !ok || v != want {
			t.Errorf("%s: %#x, %v, want %#x", g.name, v, ok, want)
		}
	}
}

func TestV6Only(t *testing.T) {
	for _, tt := range []struct {
		value    []byte
		v6, have bool
	}{{nil, false, false}, {[]byte{0}, false, true}, {[]byte{1}, true, true}} {
		if v, ok := withAttr(t, TCP, AttrSKV6Only, tt.value).V6Only(); v != tt.v6 || ok != tt.have {
			t.Errorf("%v: %v, %v", tt.value, v, ok)
		}
	}
}

func TestCong(t *testing.T) {
	for value, want := range map[string]string{"": "", "\x00": "", "cubic\x00": "cubic", "bbr": "bbr", "a\x00b\x00": "a"} {
		if v, ok := withAttr(t, TCP, AttrCong, []byte(value)).Cong(); !ok || string(v) != want {
			t.Errorf("%q: %q, %v", value, v, ok)
		}
	}
	if v, ok := without(t, TCP).Cong(); ok || v != nil {
		t.Errorf("%q of a socket that has none", v)
	}
}
