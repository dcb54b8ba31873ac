package owner

import "testing"

func TestParseBackend(t *testing.T) {
	for _, b := range []Backend{Auto, BPF, Proc, None} {
		if got, err := ParseBackend(b.String()); got != b || err != nil {
			t.Errorf("ParseBackend(%q) = %v, %v", b, got, err)
		}
	}
	for _, s := range []string{"", "BPF", "procfs", "Backend(7)"} {
		if _, err := ParseBackend(s); err == nil {
			t.Errorf("ParseBackend(%q): no error", s)
		}
	}
	if got := Backend(7).String(); got != "Backend(7)" {
		t.Errorf("String of an invalid backend: %q", got)
	}
}
