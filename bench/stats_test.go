package bench

import (
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		in   []float64
		want float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1}, 5},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 100, 2}, 3},
		{[]float64{5, 1, 4, 2, 3}, 3},
	} {
		in := slices.Clone(tt.in)
		if got := median(tt.in); got != tt.want {
			t.Errorf("median(%v) = %v, want %v", tt.in, got, tt.want)
		}
		if !slices.Equal(in, tt.in) {
			t.Errorf("median changed its argument: %v, was %v", tt.in, in)
		}
	}
}

func TestMiddle(t *testing.T) {
	for _, tt := range []struct {
		in   []int64
		want int64
	}{
		{[]int64{7}, 7},
		{[]int64{9, 1}, 1},
		{[]int64{9, 1, 5}, 5},
		{[]int64{4, 1, 100, 2}, 2},
	} {
		if got := middle(tt.in); got != tt.want {
			t.Errorf("middle(%v) = %v, want %v", tt.in, got, tt.want)
		}
	}
}

func TestRatio(t *testing.T) {
	if r := ratio(3, 2); r == nil || *r != 1.5 {
		t.Errorf("ratio(3, 2) = %v", r)
	}
	if r := ratio(3, 0); r != nil {
		t.Errorf("ratio(3, 0) = %v, want none", *r)
	}
	if r := ratio(0, 2); r == nil || *r != 0 {
		t.Errorf("ratio(0, 2) = %v, want 0", r)
	}
}
