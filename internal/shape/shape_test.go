package shape

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

func TestKeysKeepOrder(t *testing.T) {
	texts := []string{"", "\x00", "\x00a", "a", "a\x00", "a\x00b", "ab", "b", "\xff", "\xff\xff"}
	for _, desc := range []bool{false, true} {
		for i := range texts {
			for j := range texts {
				// A second key must not leak into the first.
				a := AppendNumber(AppendText(nil, []byte(texts[i]), desc), uint64(j), false)
				b := AppendNumber(AppendText(nil, []byte(texts[j]), desc), uint64(i), false)
				want := bytes.Compare([]byte(texts[i]), []byte(texts[j]))
				if desc {
					want = -want
				}
				if got := bytes.Compare(a, b); got != want {
					t.Errorf("%q, %q, desc %v: %d, want %d", texts[i], texts[j], desc, got, want)
				}
			}
		}
		for _, v := range []uint64{0, 1, math.MaxUint64} {
			if bytes.Compare(AppendNumber(nil, v, desc), AppendAbsent(nil)) >= 0 {
				t.Errorf("%d does not come before what is absent, desc %v", v, desc)
			}
		}
	}
}

// Against a slow sort of everything.
func TestTop(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n, limit := r.IntN(50), r.IntN(20)
		top := Top{Limit: limit}
		type pair struct{ key, id int }
		var want []pair
		for i := range n {
			p := pair{r.IntN(10), i}
			want = append(want, p)
			top.Add(AppendNumber(nil, uint64(p.key), false), strconv.AppendInt(nil, int64(i), 10))
		}
		slices.SortStableFunc(want, func(a, b pair) int { return a.key - b.key })
		if limit > 0 {
			want = want[:min(limit, n)]
		}
		i := 0
		for row := range top.Rows() {
			if i >= len(want) || string(row) != strconv.Itoa(want[i].id) {
				t.Fatalf("row %d of %d, limit %d: %s, want %v", i, n, limit, row, want)
			}
			i++
		}
		if i != len(want) {
			t.Fatalf("%d rows, want %d", i, len(want))
		}
	}
}

func TestTopIsBounded(t *testing.T) {
	top := Top{Limit: 20}
	key, data := make([]byte, 9), make([]byte, 100)
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		top.Add(AppendNumber(key[:0], r.Uint64(), false), data)
	}
	if n := testing.AllocsPerRun(1000, func() { top.Add(AppendNumber(key[:0], r.Uint64N(1000), false), data) }); n != 0 {
		t.Errorf("%v allocations a row", n)
	}
}

func TestGroups(t *testing.T) {
	g := Groups{Figures: 2, Values: []bool{true, false}}
	for i := uint64(1); i <= 200; i++ {
		grp := g.Of([]byte([]string{"even", "odd"}[i%2]))
		g.Add(grp, 0, i)
		if i > 100 {
			g.Add(grp, 1, math.MaxUint64)
		}
	}
	var keys []string
	for grp := range g.All() {
		keys = append(keys, grp.Key)
		f := &grp.Figures[0]
		sum, ok := f.Sum()
		avg, _ := f.Avg()
		p50, _ := f.Percentile(50)
		p99, _ := f.Percentile(99)
		p1, _ := f.Percentile(1)
		if grp.Count != 100 || !ok || sum != avg*100 && sum/100 != avg {
			t.Errorf("%+v", grp)
		}
		first := f.Min
		if first > 2 || f.Max != first+198 || p50 != first+98 || p99 != first+196 || p1 != first {
			t.Errorf("%s: min %d max %d p50 %d p99 %d p1 %d", grp.Key, f.Min, f.Max, p50, p99, p1)
		}
		if _, ok := grp.Figures[1].Sum(); ok {
			t.Error("a sum beyond 64 bits")
		}
		if avg, ok := grp.Figures[1].Avg(); !ok || avg != math.MaxUint64 {
			t.Errorf("average %d, %v", avg, ok)
		}
		if grp.Figures[1].N != 50 {
			t.Errorf("%d values, want 50: what is absent does not count", grp.Figures[1].N)
		}
	}
	if len(keys) != 2 || !slices.IsSorted(keys) {
		t.Errorf("groups %q", keys)
	}
	g = Groups{Figures: 1}
	key := []byte("k")
	g.Of(key)
	if n := testing.AllocsPerRun(100, func() { g.Add(g.Of(key), 0, 1) }); n != 0 {
		t.Errorf("%v allocations a row", n)
	}
	var none Figure
	if _, ok := none.Avg(); ok {
		t.Error("an average of nothing")
	}
	if _, ok := none.Percentile(50); ok {
		t.Error("a percentile of nothing")
	}
}
