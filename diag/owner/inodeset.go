package owner

import "math/bits"

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
	i := inode * 0x9e3779b1 >> s.shift
	for s.slots[i] != 0 && s.slots[i] != inode {
		i = (i + 1) & mask
	}
	return i
}

func (s *inodeSet) has(inode uint32) bool {
	return inode != 0 && (s == nil || s.slots[s.slot(inode)] == inode)
}

// appendTo appends the inodes of the set to dst, in no order.
func (s *inodeSet) appendTo(dst []uint32) []uint32 {
	for _, inode := range s.slots {
		if inode != 0 {
			dst = append(dst, inode)
		}
	}
	return dst
}
