package peers

import "time"

// Agree runs ours and theirs until they say the same. Where theirs does not say the same before and after ours, something has changed in between,
// and the two are not compared; see Enough for how often they may differ though nothing has changed.
func Agree[T comparable](ours, theirs func() T) (got, want T) {
	for try, strikes, begin := 0, 0, time.Now(); ; try++ {
		want, got = theirs(), ours()
		if want == got {
			return got, want
		}
		if theirs() == want {
			strikes++
		}
		if Enough(strikes, time.Since(begin)) {
			return got, want
		}
		time.Sleep(time.Duration(min(try, 20)) * 50 * time.Millisecond) // timers go off ever more seldom
	}
}

// Enough ends comparisons in which the two differed some times though nothing changed: one such time is enough after a minute, and none
// after five, in which nothing could be compared.
func Enough(strikes int, since time.Duration) bool {
	return strikes >= 4 || strikes > 0 && since > time.Minute || since > 5*time.Minute
}
