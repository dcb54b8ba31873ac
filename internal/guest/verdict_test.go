package guest

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseVerdict(t *testing.T) {
	got := ParseVerdict([]byte(`=== RUN   TestA
=== RUN   TestA/one
    a_test.go:7: fact: dumps: in parallel
=== RUN   TestA/two
=== PAUSE TestA/two
=== CONT  TestA/two
    a_test.go:9: needs Linux 6.9: dumps in parallel
--- FAIL: TestA (0.01s)
    --- PASS: TestA/one (0.00s)
    --- SKIP: TestA/two (0.00s)
=== RUN   TestB
    a_test.go:11: something: else
=== NAME  TestC
    a_test.go:12: needs vsock
=== NAME  TestB
--- PASS: TestB (1.25s)
--- SKIP: TestC (0.00s)
=== RUN   ExampleD
--- PASS: ExampleD (0.00s)
not a test: --- PASS: x
=== RUN   TestE
=== RUN   TestE/deep
panic: oh
`))
	want := Verdict{
		Passed:  3,
		Failed:  []string{"TestA", "TestE", "TestE/deep"},
		Skipped: []Skip{{"TestA/two", "needs Linux 6.9: dumps in parallel"}, {"TestC", "needs vsock"}},
		Facts:   map[string]string{"dumps": "in parallel"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	long := "--- PASS: TestA (0.00s)\n" + strings.Repeat("x", 1<<20) + "\n--- FAIL: TestB (0.00s)\n"
	if got := ParseVerdict([]byte(long)); got.Passed != 1 || len(got.Failed) != 1 || !strings.Contains(got.Failed[0], "too long") {
		t.Errorf("of a line that is too long: %+v", got)
	}
	if got := ParseVerdict(nil); got.Passed != 0 || got.Failed != nil || got.Skipped != nil {
		t.Errorf("of nothing: %+v", got)
	}
}
