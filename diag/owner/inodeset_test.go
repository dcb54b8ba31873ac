package owner

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestInodeSet(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 2, 7, 8, 1000} {
		member := map[uint32]bool{}
		want := []uint32{0}
		for range n {
			inode := 1 + rng.Uint32N(uint32(2*n))
			if rng.IntN(2) == 0 {
				inode = -inode
			}
			member[inode] = true
			want = append(want, inode, inode)
		}
		s := newInodeSet(want)
		if s.n != len(member) {
			t.Errorf("n = %d, want %d", s.n, len(member))
		}
		for inode := range uint32(2*n + 2) {
			if s.has(inode) != member[inode] || s.has(-inode) != member[-inode] {
				t.Errorf("%d members: has(±%d) is wrong", n, inode)
			}
		}
		got := s.appendTo(nil)
		slices.Sort(got)
		if len(got) != s.n || len(slices.Compact(got)) != s.n {
			t.Errorf("%d members: appendTo gives %d", n, len(got))
		}
		for _, inode := range got {
			if !member[inode] {
				t.Errorf("appendTo gives %d", inode)
			}
		}
	}
}

func TestInodeSetNil(t *testing.T) {
	s := newInodeSet(nil)
	if !s.has(1) || s.has(0) {
		t.Error("the nil set must hold all inodes but 0")
	}
	if s := newInodeSet([]uint32{}); s == nil || s.has(1) {
		t.Error("the empty set must hold nothing")
	}
}
