package field

import (
	"encoding/binary"
	"testing"
	"time"
	"unsafe"

	"github.com/sockeye-tools/sockeye/diag"
)

func counting(t *testing.T, cookie uint64, acked uint64) *diag.InetSocket {
	t.Helper()
	m := make([]byte, 72)
	m[0], m[1] = byte(diag.IPv4), byte(diag.Established)
	binary.NativeEndian.PutUint32(m[44:], uint32(cookie))
	b := make([]byte, 232)
	binary.NativeEndian.PutUint64(b[unsafe.Offsetof(info.BytesAcked):], acked)
	m = binary.NativeEndian.AppendUint16(m, uint16(4+len(b)))
	m = binary.NativeEndian.AppendUint16(m, uint16(diag.AttrInfo))
	s, err := diag.ParseInet(append(m, b...), diag.TCP)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWatch(t *testing.T) {
	w := &Watch{}
	c := &Context{Watch: w}
	rate, change := byName["out_rate"], byName["change"]
	state := func(s *diag.InetSocket) string {
		b, _ := change.AppendText(c, nil, s)
		return string(b)
	}
	note := func(s *diag.InetSocket) {
		w.Note(c, s, func(dst []byte, s *diag.InetSocket) []byte { return append(dst, state(s)...) })
	}
	at := time.Unix(1000, 0)
	w.Begin(at)
	a := counting(t, 1, 1000)
	if _, ok := rate.Number(c, a); ok || state(a) != "" {
		t.Error("a rate, or a change, in the first round")
	}
	note(a)
	note(counting(t, 2, 5))
	w.Begin(at.Add(2 * time.Second))
	a = counting(t, 1, 5000)
	if v, ok := rate.Number(c, a); !ok || v != 2000 || state(a) != "" {
		t.Errorf("rate %d, %v, want 2000; %q", v, ok, state(a))
	}
	if b := counting(t, 3, 7); state(b) != "new" {
		t.Errorf("%q, want new", state(b))
	} else if _, ok := rate.Number(c, b); ok {
		t.Error("a rate of a socket that is new")
	}
	note(a)
	n := 0
	for row := range w.Gone() {
		if n++; string(row) != "gone" {
			t.Errorf("%q", row)
		}
	}
	if n != 1 {
		t.Errorf("%d are gone, want 1", n)
	}
	w.Begin(at.Add(3 * time.Second)) // the first goes too, which was there twice
	n = 0
	for row := range w.Gone() {
		if n++; string(row) != "gone" {
			t.Errorf("%q", row)
		}
	}
	if n != 1 {
		t.Errorf("%d are gone, want the one of two rounds", n)
	}
	if v, ok := rate.Number(&Context{}, a); ok {
		t.Errorf("a rate without a watch: %d", v)
	}
}

// What is counted alone has rates and is not new, and no row once it is gone. What a round that is not whole left out is neither
// gone nor new.
func TestWatchCounts(t *testing.T) {
	w := &Watch{}
	c := &Context{Watch: w}
	rate, change := byName["out_rate"], byName["change"]
	gone := func() (rows string) {
		for row := range w.Gone() {
			rows += string(row)
		}
		return rows
	}
	is := func(word string) func(*diag.InetSocket) bool {
		return func(s *diag.InetSocket) bool {
			b, _ := change.AppendText(c, nil, s)
			return string(b) == word
		}
	}
	row := func(dst []byte, _ *diag.InetSocket) []byte { return append(dst, "row"...) }
	at := time.Unix(1000, 0)
	w.Begin(at)
	w.Count(c, counting(t, 1, 1000))
	w.Note(c, counting(t, 2, 1000), row)
	w.Begin(at.Add(time.Second))
	a := counting(t, 1, 5000)
	if v, ok := rate.Number(c, a); !ok || v != 4000 || !is("")(a) || !w.AsGone(is("gone"), a) || is("gone")(a) {
		t.Errorf("rate %d, %v", v, ok)
	}
	w.Count(c, a)
	w.Keep() // the second was not seen
	w.Begin(at.Add(2 * time.Second))
	b := counting(t, 2, 9000)
	if v, ok := rate.Number(c, b); ok || !is("")(b) {
		t.Errorf("rate %d over two rounds", v)
	}
	if got := gone(); got != "row" { // of the second; the first was only counted
		t.Errorf("gone: %q", got)
	}
}
