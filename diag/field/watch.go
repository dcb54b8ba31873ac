package field

import (
	"iter"
	"slices"
	"time"

	"github.com/sockeye-tools/sockeye/diag"
)

// Watch remembers what sockets counted in one round, so that the next can tell rates, and which are new or gone. Sockets are
// known by their cookies; rows of /proc have none, and are not watched.
type Watch struct {
	prev, now map[uint64]sample
	at        time.Time
	elapsed   time.Duration // since the round before; 0 in the first
	gone      bool          // rows of sockets that are gone are being made
	row       []byte        // that is being made

	last  uint64 // the cookie that was looked for last; 0: none
	was   sample // what it had counted
	there bool
}

// sample is what a socket counted.
type sample struct {
	counts [len(counters)]uint64
	have   uint8 // bit 1<<counter
	noted  bool
	row    []byte // if noted
}

// counters are the fields that rates are made of.
var counters = [...]struct{ rate, field, doc string }{
	{"out_rate", "bytes_acked", "bytes acknowledged a second"},
	{"in_rate", "bytes_received", "bytes received a second"},
	{"segs_out_rate", "segs_out", "segments sent a second"},
	{"segs_in_rate", "segs_in", "segments received a second"},
	{"retrans_rate", "retrans_total", "segments retransmitted a second"},
}

var counted [len(counters)]*Field // the fields themselves

// Begin begins a round.
func (w *Watch) Begin(at time.Time) {
	w.elapsed = 0
	if !w.at.IsZero() {
		w.elapsed = at.Sub(w.at)
	}
	w.prev, w.now, w.at = w.now, make(map[uint64]sample, len(w.now)), at
	w.last, w.there = 0, false
}

// before returns what a socket had counted in the round before, and whether it was there. Each rate asks for it.
func (w *Watch) before(cookie uint64) (*sample, bool) {
	if w.last != cookie {
		w.last = cookie
		w.was, w.there = w.prev[cookie]
	}
	return &w.was, w.there
}

// Note remembers a socket. appendRow makes what is to be shown once it is gone: now, while its owners are known.
func (w *Watch) Note(c *Context, s *diag.InetSocket, appendRow func([]byte, *diag.InetSocket) []byte) {
	if s.Cookie == 0 {
		return
	}
	sm := sampleOf(c, s)
	w.gone = true
	w.row = appendRow(w.row[:0], s)
	w.gone = false
	was, _ := w.before(s.Cookie)
	sm.row, sm.noted = append(was.row[:0], w.row...), true // in its place: what is here has not gone
	w.now[s.Cookie] = sm
}

// Count remembers a socket, of which no row is to be shown once it is gone.
func (w *Watch) Count(c *Context, s *diag.InetSocket) {
	if s.Cookie != 0 {
		w.now[s.Cookie] = sampleOf(c, s)
	}
}

func sampleOf(c *Context, s *diag.InetSocket) (sm sample) {
	for i, f := range counted {
		if v, ok := f.Number(c, s); ok {
			sm.counts[i] = v
			sm.have |= 1 << i
		}
	}
	return sm
}

// AsGone reports whether a filter picks what will be shown of a socket once it is gone.
func (w *Watch) AsGone(match func(*diag.InetSocket) bool, s *diag.InetSocket) bool {
	w.gone = true
	defer func() { w.gone = false }()
	return match(s)
}

// Keep remembers the sockets of the round before that are not in this, which is not whole: they may be there. They have no rates in the
// next.
func (w *Watch) Keep() {
	for cookie, was := range w.prev {
		if _, ok := w.now[cookie]; !ok {
			was.have = 0
			w.now[cookie] = was
		}
	}
}

// Gone yields the rows of the sockets that were noted in the round before, and are not there in this, in the order of their cookies.
func (w *Watch) Gone() iter.Seq[[]byte] {
	var cookies []uint64
	for cookie, was := range w.prev {
		if _, ok := w.now[cookie]; !ok && was.noted {
			cookies = append(cookies, cookie)
		}
	}
	slices.Sort(cookies)
	return func(yield func([]byte) bool) {
		for _, cookie := range cookies {
			if !yield(w.prev[cookie].row) {
				return
			}
		}
	}
}

// rate is what counter i of a socket grew by in a second.
func (w *Watch) rate(c *Context, s *diag.InetSocket, i int) (uint64, bool) {
	if w == nil || w.gone || w.elapsed < time.Millisecond {
		return 0, false
	}
	before, ok := w.before(s.Cookie)
	v, has := counted[i].Number(c, s)
	if !ok || !has || before.have&(1<<i) == 0 {
		return 0, false
	}
	if v < before.counts[i] { // 32 bits that went round
		return 0, false
	}
	return uint64(float64(v-before.counts[i])/w.elapsed.Seconds() + 0.5), true
}

// watchFields are known only with --watch, from the second round on.
func watchFields() []*Field {
	all := []*Field{
		{Name: "change", Kind: Text, Doc: "with --watch: the socket is new, or gone, since the round before", Values: "new gone",
			word: func(c *Context, s *diag.InetSocket) (string, bool) {
				w := c.Watch
				switch {
				case w == nil:
				case w.gone:
					return "gone", true
				case w.elapsed > 0 && s.Cookie != 0:
					if _, ok := w.before(s.Cookie); !ok {
						return "new", true
					}
				}
				return "", false
			}},
	}
	for i, r := range counters {
		f := &Field{Name: r.rate, Kind: Number, Unit: PerSecond, Ext: diag.ExtInfo, Doc: "with --watch: " + r.doc,
			number: func(c *Context, s *diag.InetSocket) (uint64, bool) { return c.Watch.rate(c, s, i) }}
		if i < 2 {
			f.Unit = BytesPerSecond
		}
		all = append(all, f)
	}
	for _, f := range all {
		f.Group, f.Where = Rates, Here
		f.key()
	}
	return append(all, &Field{Name: "time", Key: "time_unix_ms", Group: Rates, Where: Here, Kind: Number, Doc: "with --watch: when the round began, in milliseconds since 1970",
		number: func(c *Context, _ *diag.InetSocket) (uint64, bool) {
			if c.Watch == nil || c.Watch.at.IsZero() {
				return 0, false
			}
			return uint64(c.Watch.at.UnixMilli()), true
		}})
}
