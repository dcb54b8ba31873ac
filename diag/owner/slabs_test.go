package owner

import "testing"

func TestSlabs(t *testing.T) {
	var s slabs
	const n = 5*maxSlab + 3
	for i := range int32(n) {
		if got := s.len(); i < 1000 && got != int(i) {
			t.Fatalf("len %d after %d records", got, i)
		}
		s.add(record{fd: i})
	}
	if s.len() != n {
		t.Fatalf("len %d, want %d", s.len(), n)
	}
	next := int32(0)
	for _, slab := range s {
		if cap(slab) > maxSlab {
			t.Errorf("a slab of %d records", cap(slab))
		}
		for _, r := range slab {
			if r.fd != next {
				t.Fatalf("record %d at place %d", r.fd, next)
			}
			next++
		}
	}
}
