package exact

import (
	"os"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/bench/lab"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/counts"
)

// While others come and go, in buckets so crowded that a plain dump loses some nearly every time, each socket that stays is there once.
func TestExactUnderChurn(t *testing.T) {
	x := newCounter(t)
	dumps := 4
	if os.Getenv("SOCKEYE_SLOW_TESTS") == "1" {
		dumps = 60
	}
	l, err := lab.Build(t.Context(), lab.Config{Sockets: 4000, Shape: lab.Mixed, IPv6: 40, SmallHash: true, HashSize: 16})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := dial(t, &diag.Config{NetNS: l.NetNSPath()})
	queries := []diag.InetQuery{
		{Protocol: diag.TCP, States: ordinary},
		{Protocol: diag.TCP, States: ordinary, AnyOrder: true, Ext: 0xff},
		{Protocol: diag.TCP, States: diag.StatesOf(diag.Listen)},
		{Protocol: diag.UDP},
	}
	stay := make([]map[uint64]int, len(queries))
	for i, q := range queries {
		stay[i] = cookies(t, c.Inet(t.Context(), q))
	}
	truth := l.Truth()
	if tcp, udp := truth.Count("tcp", "", ""), truth.Count("udp", "", ""); len(stay[0]) != tcp || len(stay[3]) != udp {
		t.Fatalf("%d and %d sockets, want %d and %d", len(stay[0]), len(stay[3]), tcp, udp)
	}
	churn, err := l.StartChurn(1, 6000)
	if err != nil {
		t.Fatal(err)
	}
	defer churn.Stop()
	begin := time.Now()
	for churn.Made() < 2000 { // the table of TIME_WAITs fills
		if time.Sleep(10 * time.Millisecond); time.Since(begin) > time.Minute {
			t.Fatal("the churn does not begin")
		}
	}
	before := churn.Made()
	begin = time.Now()
	expected, plain, lost, repeated := 0, 0, 0, 0
	for i := range dumps {
		i %= len(queries)
		got := cookies(t, c.Inet(t.Context(), queries[i]))
		for k := range stay[i] {
			if got[k] == 0 {
				plain++
			}
		}
		got = cookies(t, x.Inet(t.Context(), c, queries[i]))
		expected += len(stay[i])
		for k := range stay[i] {
			if got[k] == 0 {
				lost++
			}
		}
		for k, n := range got {
			if n > 1 {
				repeated++
				t.Logf("socket %#x %d times", k, n)
			}
		}
	}
	rate := float64(churn.Made()-before) / time.Since(begin).Seconds()
	if err := churn.Stop(); err != nil {
		t.Error(err)
	}
	t.Logf("%d dumps of %d sockets beside %.0f new ones a second: plain dumps lost %d", dumps, expected, rate, plain)
	if lost > 0 || repeated > 0 {
		t.Errorf("%d sockets lost, %d repeated", lost, repeated)
	}
	counts.Add(t, "dumps under churn", dumps)
	counts.Add(t, "sockets expected", expected)
	counts.Add(t, "sockets lost", lost)
	counts.Add(t, "sockets repeated", repeated)
}
