package names

import (
	"bytes"
	"iter"
)

// fields yields the fields of each line of a file such as /etc/services, without comments and blank lines.
// The slice is reused.
func fields(b []byte) iter.Seq[[][]byte] {
	return func(yield func([][]byte) bool) {
		var f [][]byte
		for line := range bytes.Lines(b) {
			if i := bytes.IndexByte(line, '#'); i >= 0 {
				line = line[:i]
			}
			f = f[:0]
			for w := range bytes.FieldsSeq(line) {
				f = append(f, w)
			}
			if len(f) >= 2 && !yield(f) {
				return
			}
		}
	}
}
