package textwidth

import (
	"os"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Wrap(m).Run()) }

func TestOf(t *testing.T) {
	for s, want := range map[string]int{
		"": 0, "nginx": 5, "café": 4, "cafe\u0301": 4, "日本": 4, "a日b": 4, "한": 2, "ＡＢ": 4, "😀": 2, "→": 1, "\u200b": 0, "Ω": 1, "\xff\xfe": 2, "日\xe6": 3,
		strings.Repeat("x", 1000): 1000,
	} {
		if got := Of(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
		if got := Of([]byte(s)); got != want {
			t.Errorf("bytes of %q: %d, want %d", s, got, want)
		}
	}
	b := []byte("caf\xc3\xa9 日本 😀")
	if n := testing.AllocsPerRun(100, func() { Of(b) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
