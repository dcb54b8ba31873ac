package lab

import (
	"net/netip"
	"testing"
)

// TestAddressesAreDistinct pins that no two workers collide, up to the largest lab.
func TestAddressesAreDistinct(t *testing.T) {
	for f := range 2 {
		seen := map[netip.Addr]int{ownAddr[f]: -1}
		add := func(a netip.Addr, worker int) {
			t.Helper()
			if w, ok := seen[a]; ok {
				t.Fatalf("%s belongs to workers %d and %d", a, w, worker)
			}
			seen[a] = worker
		}
		for w := range maxProcs {
			for _, k := range []int{1, kPairs, kMapped, kBacklog, kBackend} {
				a := workerAddr(f, w, k)
				add(a, w)
				if f == 0 && !a.IsLoopback() || f == 1 && !anyIP[1].Contains(a) {
					t.Fatalf("%s is not local", a)
				}
			}
			for i := range 3 {
				a := clientAddr(f, w, i)
				add(a, w)
				if !anyIP[f].Contains(a) {
					t.Fatalf("client %s is not in %s", a, anyIP[f])
				}
			}
			r := remoteAddr(f, w, 0)
			add(r.Addr(), w)
			if !remoteNet[f].Contains(r.Addr()) {
				t.Fatalf("remote %s is not in %s", r, remoteNet[f])
			}
		}
	}
	if a, b := remoteAddr(0, 5, 0), remoteAddr(0, 5, 59_999); a == b || a.Port() != 1024 || b.Port() != 61_023 {
		t.Errorf("remote ports %s, %s", a, b)
	}
	if clientAddr(1, 3, 0) != clientAddr(1, 3, clients) || clientAddr(1, 3, 0) == clientAddr(1, 3, clients-1) {
		t.Error("clients do not take turns")
	}
}
