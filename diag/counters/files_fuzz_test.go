package counters

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzRead: each file, of any text, gives counters with names, or an error that says which file is wrong.
func FuzzRead(f *testing.F) {
	for i, name := range Files {
		b, err := os.ReadFile(filepath.Join("testdata", string(name)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, byte(i))
	}
	f.Add([]byte("Ip: A\nIp: -1\nIp:\nIp:\n"), byte(0))
	f.Add([]byte("A 1\nA6 2\n6 3\n"), byte(2))
	dir := f.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "sctp"), 0o700); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte, which byte) {
		file := Files[int(which)%len(Files)]
		if err := os.WriteFile(filepath.Join(dir, string(file)), text, 0o600); err != nil {
			t.Fatal(err)
		}
		sections, err := Read(dir, file)
		if err != nil && !errors.Is(err, ErrFormat) {
			t.Error(err)
		}
		n := 0
		for _, s := range sections {
			if s.File != file {
				t.Errorf("%v of %s is of %s", s.Name, file, s.File)
			}
			for _, c := range s.Counters {
				if c.Name == "" {
					t.Errorf("%s: a counter without a name", s.Name)
				}
				c.AppendValue(nil)
				s.Meaning(c)
				n++
			}
		}
		if n > len(text) {
			t.Errorf("%d counters in %d bytes", n, len(text))
		}
	})
}
