package shape

import (
	"iter"
	"math/bits"
	"slices"
	"strings"
)

// Groups counts rows by key, and keeps figures of numbers of theirs.
type Groups struct {
	// Figures is how many numbers each row has.
	Figures int
	// Values says of which the values are kept, for percentiles: 8 bytes each.
	Values []bool

	byKey map[string]*Group
}

// Group is the rows of one key.
type Group struct {
	Key     string
	Count   uint64
	Figures []Figure
}

// Figure is what is known of one number of a group's rows. Rows that do not have it do not count.
type Figure struct {
	N        uint64
	Min, Max uint64
	sum      [2]uint64 // low, high
	values   []uint64
}

// Of returns the group of a key, which it counts a row more for.
func (g *Groups) Of(key []byte) *Group {
	grp := g.byKey[string(key)]
	if grp == nil {
		if g.byKey == nil {
			g.byKey = map[string]*Group{}
		}
		grp = &Group{Key: string(key), Figures: make([]Figure, g.Figures)}
		g.byKey[grp.Key] = grp
	}
	grp.Count++
	return grp
}

// Add adds a number to a group's figure i.
func (g *Groups) Add(grp *Group, i int, v uint64) {
	f := &grp.Figures[i]
	if f.N == 0 || v < f.Min {
		f.Min = v
	}
	f.Max = max(f.Max, v)
	f.N++
	var carry uint64
	f.sum[0], carry = bits.Add64(f.sum[0], v, 0)
	f.sum[1] += carry
	if g.Values != nil && g.Values[i] {
		f.values = append(f.values, v)
	}
}

// Sum returns the sum, or false if it does not fit in 64 bits.
func (f *Figure) Sum() (uint64, bool) { return f.sum[0], f.sum[1] == 0 }

// Avg returns the average, rounded down.
func (f *Figure) Avg() (uint64, bool) {
	if f.N == 0 || f.sum[1] >= f.N {
		return 0, false
	}
	q, _ := bits.Div64(f.sum[1], f.sum[0], f.N)
	return q, true
}

// Percentile returns the least value that at least p percent of the values do not exceed (the nearest rank).
func (f *Figure) Percentile(p int) (uint64, bool) {
	if len(f.values) == 0 {
		return 0, false
	}
	slices.Sort(f.values) // which is quick with what is sorted
	rank := (len(f.values)*p + 99) / 100
	return f.values[max(rank, 1)-1], true
}

// All yields the groups, in the order of their keys.
func (g *Groups) All() iter.Seq[*Group] {
	all := make([]*Group, 0, len(g.byKey))
	for _, grp := range g.byKey {
		all = append(all, grp)
	}
	slices.SortFunc(all, func(a, b *Group) int { return strings.Compare(a.Key, b.Key) })
	return slices.Values(all)
}
