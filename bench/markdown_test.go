package bench

import "testing"

func TestMarkdown(t *testing.T) {
	reports := []*Report{testReport(1000), testReport(100_000), testReport(1_000_000)}
	golden(t, "results.md", markdown(reports, func(q string) string { return "pairs-" + q + ".svg" }))
}
