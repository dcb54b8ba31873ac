package ss

import (
	"errors"
	"strings"
	"testing"
)

// table lays out rows of cells in the given columns.
func table(screen int, shown []column, rows ...[]string) string {
	var out strings.Builder
	l := layout{w: &out, screen: screen, shown: shown}
	for _, row := range rows {
		for i, text := range row {
			at := len(l.buf)
			l.buf = l.end(append(begin(l.buf), text...), at, shown[i])
		}
	}
	l.flush()
	return out.String()
}

func TestLayout(t *testing.T) {
	addrs := []column{colLocal, colLocalPort, colPeer, colPeerPort}
	withExt := []column{colState, colLocal, colLocalPort, colExt}
	for _, tt := range []struct {
		name   string
		screen int
		shown  []column
		rows   [][]string
		want   string
	}{
		{"left and right: addresses end where ports begin", 0, addrs,
			[][]string{{"a:", "1", "bb:", "2"}, {"aaa:", "11", "b:", "22"}},
			"  a:1  bb:2\naaa:11  b:22\n"},
		{"no space before the first column, whichever it is", 0, []column{colRecvQ, colSendQ},
			[][]string{{"0     ", "0     "}},
			"0      0     \n"},
		{"the last column is not padded", 0, []column{colState, colProcess},
			[][]string{{"x", " long"}, {"xx", ""}},
			"x  long\nxx\n"},
		{"extensions are padded, what stands before them is not", 0, withExt,
			[][]string{{"x", "a:", "1", " e"}, {"x", "a:", "333", " eee"}, {"x", "a:", "22", ""}},
			"x a:1 e  \nx a:333 eee\nx a:22    \n"},
		{"the extensions of the last row do not widen", 0, withExt,
			[][]string{{"x", "a:", "1", " e"}, {"x", "a:", "1", " eee"}},
			"x a:1 e\nx a:1 eee\n"},
		{"a screen: what is left is shared, the last columns get more", 11, []column{colState, colRecvQ, colProcess},
			[][]string{{"aa", "b", "c"}},
			"aa   b  c  \n"}, // 5 columns used, 6 left: 2 each
		{"a screen: odd blanks go to the right", 12, []column{colState, colRecvQ, colProcess},
			[][]string{{"aa", "b", "c"}},
			"aa   b  c   \n"},
		{"a screen that is full", 5, []column{colState, colRecvQ, colProcess},
			[][]string{{"aa", "b", "c"}},
			"aa bc\n"},
		{"a screen: what does not fit goes on a line of its own", 6, []column{colState, colRecvQ, colProcess},
			[][]string{{"aaa", "b", "cc"}},
			"aaa b " + "" + "cc    \n"},
		{"a screen narrower than a column", 2, []column{colState, colProcess},
			[][]string{{"aaaa", "b"}, {"a", "b"}},
			"aaaab \na b \n"},
		{"columns that are empty take no part", 9, []column{colNetid, colState, colProcess},
			[][]string{{"", "aa", "b"}},
			" aa  b   \n"},
	} {
		if got := table(tt.screen, tt.shown, tt.rows...); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
}

func TestLayoutLongCell(t *testing.T) {
	for _, n := range []int{long - 1, long, long + 1, 200_000} {
		text := strings.Repeat("x", n)
		want := "a" + text + "\nb\n"
		if got := table(0, []column{colNetid, colProcess}, []string{"a", text}, []string{"b", ""}); got != want {
			t.Errorf("a cell of %d bytes: %d bytes were printed, want %d", n, len(got), len(want))
		}
	}
}

func TestLayoutGrowsOnly(t *testing.T) {
	var out strings.Builder
	l := layout{w: &out, shown: []column{colState, colProcess}}
	add := func(text string) {
		at := len(l.buf)
		l.buf = l.end(append(begin(l.buf), text...), at, colState)
		at = len(l.buf)
		l.buf = l.end(append(begin(l.buf), '|'), at, colProcess)
		l.flush()
	}
	add("wide")
	add("x")
	if want := "wide|\nx   |\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

type failing struct{ left int }

var errFull = errors.New("full")

func (f *failing) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestLayoutWriteError(t *testing.T) {
	l := layout{w: &failing{left: 2 * chunk}, shown: []column{colNetid}}
	for range 10000 {
		at := len(l.buf)
		l.buf = l.end(append(begin(l.buf), "some text that is long enough"...), at, colNetid)
	}
	if err := l.flush(); !errors.Is(err, errFull) {
		t.Errorf("got %v, want %v", err, errFull)
	}
	if err := l.flush(); !errors.Is(err, errFull) {
		t.Errorf("the second time: got %v, want %v", err, errFull)
	}
}

func TestBlanks(t *testing.T) {
	for _, n := range []int{-5, 0, 1, 63, 64, 65, 1000} {
		if got := len(blanks(nil, n)); got != max(n, 0) {
			t.Errorf("blanks(%d) are %d", n, got)
		}
	}
}
