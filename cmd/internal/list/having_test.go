package list

import "testing"

func TestHaving(t *testing.T) {
	const nine, ten, six, none = "192.0.2.9 3\n", "192.0.2.10 2\n", "2001:db8::1 1\n", "- 1\n"
	for cond, want := range map[string]string{
		"count > 2": nine, "count>2": nine, "count >= 2": nine + ten, "count < 2": none + six, "count <= 1": none + six,
		"count = 2": ten, "count == 2": ten, "count != 1": nine + ten,
		"count > 1 and count < 3": ten,
		"sum(send_q) > 0":         ten, "sum(send_q) = 400": ten, "max(send_q) >= 0.25K": ten, "sum(send_q) = 0": nine + six,
		"max(rtt) < 1s": "", // nobody has one
		// 0.5 bytes are no whole number: what lies between counts as it should.
		"sum(send_q) < 0.0005K": nine + six, "sum(send_q) != 0.0005K": nine + ten + six, "sum(send_q) = 0.0005K": "", "sum(send_q) >= 399.5": ten,
	} {
		if got := grouped(t, "-g", "peer_addr", "--having", cond); got != want {
			t.Errorf("%s: %q, want %q", cond, got, want)
		}
	}
}

func TestHavingMistakes(t *testing.T) {
	g := &grouper{l: &lister{}}
	for _, cond := range []string{"", "5", "count", "count >", "count > x", "count => 3", "count ! 3", "nothing > 3", "max(rtt) > 5", "count > 1 or count < 3"} {
		if all, err := g.parseHaving(cond); err == nil {
			t.Errorf("%q: %+v", cond, all)
		}
	}
}
