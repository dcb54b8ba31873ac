package ss

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
)

// -D writes what ss writes, but for what no two dumps share: port ids and sequence numbers.
func TestRecord(t *testing.T) {
	p := peer(t)
	s := scene.New(t)
	dir := t.TempDir()
	for _, line := range []string{"-tan", "-tan4", "-tl", "-tan6 -m", "-ta --tos", "-tan not a filter", "-t state time-wait", "-tl4 sport = 1"} {
		var dumps [2][]byte
		for i, argv := range [][]string{{p}, {""}} {
			file := filepath.Join(dir, "dump")
			argv = append(append(argv, split(line)...), "-D", file)
			if r := inNS(t, s.NetNS, nil, argv...); r != (result{}) {
				t.Fatalf("%v: %+v", argv, r)
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dumps[i] = timeless(b)
		}
		if !bytes.Equal(dumps[0], dumps[1]) || len(dumps[0]) < 20 {
			t.Errorf("%s: %d bytes, ss wrote %d", line, len(dumps[1]), len(dumps[0]))
		}
	}
}

// timeless blanks the sequence number and port id of each message, and the time that is left of the socket's timer.
func timeless(b []byte) []byte {
	b = bytes.Clone(b)
	for rest := b; len(rest) >= 16; {
		n := int(rest[0]) | int(rest[1])<<8
		clear(rest[8:16])
		if n >= 16+72 {
			clear(rest[16+52 : 16+56])
		}
		if n = (n + 3) &^ 3; n == 0 || n > len(rest) {
			break
		}
		rest = rest[n:]
	}
	return b
}

func TestRecordFails(t *testing.T) {
	p := peer(t)
	ns := scene.NewNetNS(t)
	for _, line := range []string{"-D /no/such/dir/file", "-u -D -", "-x -D x"} {
		want, got := inNS(t, ns, nil, append([]string{p}, split(line)...)...), inNS(t, ns, nil, "", line)
		if got != want || got.stderr == "" {
			t.Errorf("%s: %+v\nwant %+v", line, got, want)
		}
	}
}
