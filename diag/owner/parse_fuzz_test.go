package owner

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzParseStat: the name is what stands between the first and the last parenthesis, whatever is in it, and the time is a number of
// the line.
func FuzzParseStat(f *testing.F) {
	f.Add([]byte("12 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20"))
	f.Add([]byte("12 () R"))
	f.Add([]byte("12 )( S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20"))
	f.Fuzz(func(t *testing.T, b []byte) {
		comm, start, ok := parseStat(b)
		if !ok {
			return
		}
		if !bytes.Contains(b, []byte("("+comm+")")) {
			t.Errorf("%q: comm %q", b, comm)
		}
		words := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if n, err := strconv.ParseUint(words[19], 10, 64); err != nil || n != start {
			t.Errorf("%q: start %d", b, start)
		}
	})
}

// FuzzReadRecords: the iterator's records come out as they are, however reads cut them, and one that is cut off is an error.
func FuzzReadRecords(f *testing.F) {
	f.Add(slices.Repeat([]byte{1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0}, 3))
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		var want []record
		for rest := b; len(rest) >= sizeofRecord; rest = rest[sizeofRecord:] {
			ne := binary.NativeEndian
			if inode := ne.Uint32(rest[8:]); inode != 0 {
				want = append(want, record{pid: int32(ne.Uint32(rest)), fd: int32(ne.Uint32(rest[4:])), inode: inode})
			}
		}
		for _, r := range []io.Reader{bytes.NewReader(b), iotest.OneByteReader(bytes.NewReader(b)), iotest.DataErrReader(bytes.NewReader(b))} {
			found, err := readRecords(t.Context(), r, nil)
			if (err == nil) != (len(b)%sizeofRecord == 0) {
				t.Errorf("%d bytes: %v", len(b), err)
			}
			if err != nil {
				continue
			}
			if got := slices.Concat(found...); !slices.Equal(got, want) {
				t.Errorf("records %v, want %v", got, want)
			}
		}
	})
}

// FuzzParseName: names of directories that are numbers, up to their NUL, and nothing else. No process and no descriptor has one of the
// last few numbers of 31 bits.
func FuzzParseName(f *testing.F) {
	for _, s := range []string{"1", "4194304", "self", "", "01", "2147483639", "2147483640", "2147483648", "1x", "-1", "+1", "1\x002"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		name, _, _ := bytes.Cut(b, []byte{0})
		n, ok := parseName(append(b[:len(b):len(b)], 0))
		want, err := strconv.ParseUint(string(name), 10, 31)
		if ok && (err != nil || int32(want) != n) {
			t.Errorf("parseName(%q) = %d", b, n)
		}
		if !ok && err == nil && want < 2147483640 {
			t.Errorf("parseName(%q) is none", b)
		}
	})
}
