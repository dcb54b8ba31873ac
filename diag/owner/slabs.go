package owner

const (
	minSlab = 256
	maxSlab = 16384
)

// slabs collects records without ever moving them.
type slabs [][]record

func (s *slabs) add(r record) {
	last := len(*s) - 1
	if last < 0 || len((*s)[last]) == cap((*s)[last]) {
		size := minSlab
		if last >= 0 {
			size = min(2*cap((*s)[last]), maxSlab)
		}
		*s = append(*s, make([]record, 0, size))
		last++
	}
	(*s)[last] = append((*s)[last], r)
}

func (s slabs) len() int {
	n := 0
	for _, slab := range s {
		n += len(slab)
	}
	return n
}
