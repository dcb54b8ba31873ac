package list

import (
	"bytes"
	"errors"
	"testing"
)

func TestComplain(t *testing.T) {
	for text, want := range map[string]string{
		"one":                  "sockeye: one\n",
		"one\ntwo\n":           "sockeye: one\nsockeye: two\n",
		"filter: one\n  two\n": "sockeye: filter: one\n  two\n",
		"":                     "sockeye: \n",
		"netns \x1b]0;\xff":    "sockeye: netns \\033]0;\\377\n",
	} {
		var b bytes.Buffer
		if complain(&b, errors.New(text)); b.String() != want {
			t.Errorf("%q: %q, want %q", text, &b, want)
		}
	}
}
