package shape

import (
	"bytes"
	"cmp"
	"container/heap"
	"iter"
	"slices"
)

// Top keeps the rows whose keys are least: all of them, or the first Limit. Rows with equal keys stay in the order in which they
// came.
type Top struct {
	Limit int // 0: all

	rows []row // with a Limit that is reached, a heap: the greatest first
	seq  uint64
	slab []byte
}

type row struct {
	key, data []byte
	seq       uint64
}

func (r *row) compare(s *row) int {
	return cmp.Or(bytes.Compare(r.key, s.key), cmp.Compare(r.seq, s.seq))
}

// Wants reports whether a row with the key would be kept, so that it need not be made otherwise.
func (t *Top) Wants(key []byte) bool {
	return t.Limit == 0 || len(t.rows) < t.Limit || bytes.Compare(key, t.rows[0].key) < 0
}

// Add keeps a copy of a row, if it belongs to the first.
func (t *Top) Add(key, data []byte) {
	t.seq++
	if t.Limit == 0 {
		t.rows = append(t.rows, row{t.keep(key), t.keep(data), t.seq})
		return
	}
	if len(t.rows) < t.Limit {
		t.rows = append(t.rows, row{slices.Clone(key), slices.Clone(data), t.seq})
		if len(t.rows) == t.Limit {
			heap.Init((*greatest)(t))
		}
		return
	}
	if !t.Wants(key) {
		return
	}
	r := &t.rows[0]
	r.key, r.data, r.seq = append(r.key[:0], key...), append(r.data[:0], data...), t.seq
	heap.Fix((*greatest)(t), 0)
}

// slabSize is how much memory is taken at a time for rows that are kept for good.
const slabSize = 1 << 20

func (t *Top) keep(b []byte) []byte {
	if len(t.slab)+len(b) > cap(t.slab) {
		t.slab = make([]byte, 0, max(slabSize, len(b)))
	}
	start := len(t.slab)
	t.slab = append(t.slab, b...)
	return t.slab[start:len(t.slab):len(t.slab)]
}

// Rows yields the rows in order.
func (t *Top) Rows() iter.Seq[[]byte] {
	slices.SortFunc(t.rows, func(a, b row) int { return a.compare(&b) })
	return func(yield func([]byte) bool) {
		for i := range t.rows {
			if !yield(t.rows[i].data) {
				return
			}
		}
	}
}

// greatest is a heap whose root is the row that goes first.
type greatest Top

func (g *greatest) Len() int           { return len(g.rows) }
func (g *greatest) Less(i, j int) bool { return g.rows[j].compare(&g.rows[i]) < 0 }
func (g *greatest) Swap(i, j int)      { g.rows[i], g.rows[j] = g.rows[j], g.rows[i] }
func (g *greatest) Push(any)           { panic("shape: rows are not pushed") }
func (g *greatest) Pop() any           { panic("shape: rows are not popped") }
