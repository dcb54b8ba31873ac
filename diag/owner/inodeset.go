package owner

import "math/bits"

// hash is what inodes are multiplied by to spread them: 2^32 by the golden ratio.
const hash = 0x9e3779b1

// An inodeSet is a set of socket inodes. The nil set holds all of them.
type inodeSet struct {
	slots []uint32 // open addressing, 0 is free: no socket has inode 0
	shift uint
	n     int
}

// newInodeSet returns the set of the inodes in want, without 0 and repeats, or
// nil when want is nil.
func newInodeSet(want []uint32) *inodeSet {
	if want == nil {
		return nil
	}
	width := bits.Len(uint(2*len(want) + 1)) // at most half full
	s := &inodeSet{slots: make([]uint32, 1<<width), shift: uint(32 - width)}
	for _, inode := range want {
		if i := s.slot(inode); inode != 0 && s.slots[i] == 0 {
			s.slots[i] = inode
			s.n++
		}
	}
	return s
}

// slot returns where inode is, or else where it belongs.
func (s *inodeSet) slot(inode uint32) uint32 {
	mask := uint32(len(s.slots) - 1)
	i := inode * hash >> s.shift
	for s.slots[i] != 0 && s.slots[i] != inode {
		i = (i + 1) & mask
	}
	return i
}

func (s *inodeSet) has(inode uint32) bool {
	return inode != 0 && (s == nil || s.slots[s.slot(inode)] == inode)
}

// bits returns 1<<width bits, of which one is set for each inode: the one that
// the first width bits of its hash count.
func (s *inodeSet) bits(width int) []uint32 {
	b := make([]uint32, 1<<width/32)
	for _, inode := range s.slots {
		if h := inode * hash >> (32 - width); inode != 0 {
			b[h/32] |= 1 << (h % 32)
		}
	}
	return b
}
