package owner

import (
	"math/bits"
	"math/rand/v2"
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
		set := 0
		b := s.bits(maybeBits)
		for _, word := range b {
			set += bits.OnesCount32(word)
		}
		if set > s.n || s.n > 0 && set == 0 {
			t.Errorf("%d members: %d bits", n, set)
		}
		for inode := range member {
			if h := inode * hash >> (32 - maybeBits); b[h/32]>>(h%32)&1 == 0 {
				t.Errorf("%d members: no bit for %d", n, inode)
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
