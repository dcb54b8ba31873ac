package counters

import (
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/diag/counters"
)

// TestTable: a round can widen the columns, not narrow them, and the headings come once.
func TestTable(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	tab := newText(true)
	var text []byte
	for _, r := range []round{
		{time: at, rows: []row{{key: "A.B", Counter: counters.Counter{Value: 5}, meaning: "what it means"}}},
		{time: at.Add(time.Second), since: time.Second, rows: []row{
			{key: "A.Long\x1b", Counter: counters.Counter{Value: 1<<64 - 7, Negative: true}, known: true, delta: -12},
			{key: "A.B", Counter: counters.Counter{Value: 1 << 63}, meaning: "what it means", known: true, delta: 1<<63 - 1},
		}},
		{time: at.Add(3 * time.Second), since: 2 * time.Second, rows: []row{
			{key: "A.B", Counter: counters.Counter{Value: 6}, meaning: "what it means", known: true, delta: 3},
			{key: "A.G", meaning: "a gauge", known: true, delta: 1, gauge: true},
		}},
		{time: at.Add(4 * time.Second), since: time.Second},
	} {
		out, err := tab.append(&r)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, out...)
	}
	want := `TIME      COUNTER  VALUE  DELTA  RATE/S  MEANING
03:04:05  A.B          5      -       -  what it means
03:04:06  A.Long\033                   -7                   -12                      -
03:04:06  A.B         9223372036854775808  +9223372036854775807  9223372036854775808.0  what it means
03:04:08  A.B                           6                    +3                    1.5  what it means
03:04:08  A.G                           0                    +1                      -  a gauge
`
	if string(text) != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}
