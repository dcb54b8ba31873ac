package filter

import (
	"errors"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

func FuzzParseSS(f *testing.F) {
	for _, tt := range trees {
		f.Add(tt.words, byte(0))
		f.Add(tt.words, byte(diag.IPv6))
	}
	for _, tt := range wrong {
		f.Add(tt.words, byte(0))
	}
	for _, family := range []diag.Family{famUnix, famLink, famNetlink, famVSock} {
		f.Add("src x:5 or not dport = :7", byte(family))
		f.Add("src 1:2 or dst 3", byte(family))
	}
	f.Add(busy, byte(0))
	f.Fuzz(func(t *testing.T, words string, preferred byte) {
		env := testEnv()
		env.Preferred = diag.Family(preferred)
		got, err := ParseSS([]string{words}, env)
		if err != nil {
			e, ok := errors.AsType[*SSError](err)
			if !ok || e.Text == "" || strings.HasSuffix(e.Text, "\n") || e.Status == 0 {
				t.Fatalf("%q: %v", words, err)
			}
			return
		}
		code, _ := got.Bytecode()
		if why := audit(code); code != nil && why != "" {
			t.Fatalf("%q: %s\n%s", words, why, Disassemble(code))
		}
		if strings.Contains(Disassemble(code), "?") {
			t.Fatalf("%q: %s", words, Disassemble(code))
		}
		got.Match(&diag.InetSocket{})
		if strings.Contains(got.String(), "?") {
			return // a control character that was taken away, or a pattern
		}
		env.Preferred = 0
		again, err := ParseSS([]string{got.String()}, env)
		if err != nil || again.String() != got.String() {
			t.Fatalf("%q: %s: %v, %v", words, got, again, err)
		}
	})
}
