package names

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/internal/check"
)

// FuzzEscape: nothing that may not reach a terminal is left, text that is fit stays as it is, and what was escaped is not escaped again.
func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "plain", "a\x1b[31m\u009b\u202e\u2066\xff", "\x7f\x00\r\n\t", "日本語 é", "\u2028\u2029\u061c", "\xed\xa0\x80\xf5", "\ufffd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := AppendEscaped(nil, s)
		if why := check.Terminal(got); why != "" {
			t.Errorf("%q: %s", s, why)
		}
		if strings.Contains(string(got), "\n") {
			t.Errorf("%q: a line of its own: %q", s, got)
		}
		if check.Terminal([]byte(s)) == "" && !strings.Contains(s, "\n") && string(got) != s {
			t.Errorf("%q became %q", s, got)
		}
		if len(got) > 4*len(s) {
			t.Errorf("%d bytes of %d", len(got), len(s))
		}
		if e := escaped(s); e != string(got) {
			t.Errorf("%q: escaped says %q, AppendEscaped %q", s, e, got)
		}
		if again := AppendEscaped(nil, string(got)); string(again) != string(got) {
			t.Errorf("%q: escaped again it is %q", got, again)
		}
	})
}

// FuzzFiles: /etc/services and its like. Names are fit for a terminal.
func FuzzFiles(f *testing.F) {
	f.Add([]byte(servicesText))
	f.Add([]byte("icmp\t1\tICMP\ntcp 6 TCP # x\nbad 256 x\n"))
	f.Add([]byte("root:x:0:0::/:/bin/sh\nevil\x1b:x:1:1\n::5:\n"))
	file := filepath.Join(f.TempDir(), "file")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		fit := func(name string, ok bool) {
			if why := check.Terminal([]byte(name)); why != "" || strings.Contains(name, "\n") || ok && name == "" {
				t.Errorf("%q: %v %s", name, ok, why)
			}
		}
		for _, last := range []bool{false, true} {
			s := Services{File: file, Last: last}
			p := Protocols{File: file, Last: last}
			for n := range uint16(300) {
				fit(s.Lookup(n, "tcp"))
				fit(s.Lookup(n, ""))
				fit(p.Lookup(uint8(n)))
			}
		}
		u := Users{File: file}
		for n := range uint32(300) {
			fit(u.Lookup(n))
		}
	})
}
