package lab

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestTallySum(t *testing.T) {
	base := newTally()
	base.tcp(false, "LISTEN", 1, true)
	a, b := newTally(), newTally()
	a.tcp(false, "ESTABLISHED", 10, true)
	a.move(false, "ESTABLISHED", "FIN_WAIT2", 2)
	a.move(false, "ESTABLISHED", "CLOSE_WAIT", 2) // of b's
	a.timer("keepalive", 3)
	a.timer("on", 0)
	b.tcp(false, "ESTABLISHED", 2, true)
	b.tcp(true, "TIME_WAIT", 5, false)
	b.timer("keepalive", 1)
	b.Groups[Group{Protocol: "raw", Family: "inet", State: "CLOSE", Owned: true}]++
	b.Raw = 1
	b.Sharer = &Process{PID: 7, Comm: "s", Held: map[string]int{"tcp": 4}}
	a.pack()
	b.pack()
	truth := Truth{Shared: 1, Processes: []Process{{PID: 9}}}
	truth.sum(base, []*tally{a, b})
	for _, tt := range []struct {
		proto, fam, state string
		want              int
	}{
		{"tcp", "inet", "ESTABLISHED", 8}, {"tcp", "", "FIN_WAIT2", 2}, {"tcp", "inet", "CLOSE_WAIT", 2}, {"tcp", "inet", "LISTEN", 1},
		{"tcp", "inet6", "", 5}, {"tcp", "", "", 18}, {"raw", "", "", 1}, {"", "", "", 19}, {"udp", "", "", 0},
	} {
		if got := truth.Count(tt.proto, tt.fam, tt.state); got != tt.want {
			t.Errorf("Count(%q, %q, %q) = %d, want %d", tt.proto, tt.fam, tt.state, got, tt.want)
		}
	}
	if truth.Owned != 13 || truth.Ownerless != 5 || truth.Shared != 5 || truth.Raw != 1 {
		t.Errorf("owned %d, ownerless %d, shared %d, raw %d", truth.Owned, truth.Ownerless, truth.Shared, truth.Raw)
	}
	if want := map[string]int{"keepalive": 4}; !reflect.DeepEqual(truth.Timers, want) {
		t.Errorf("timers %v, want %v", truth.Timers, want)
	}
	if truth.Processes[0].PID != 7 || truth.Processes[1].PID != 9 || truth.Processes[0].Sockets() != 4 {
		t.Errorf("processes %+v", truth.Processes)
	}
	if base.Groups[Group{Protocol: "tcp", Family: "inet", State: "LISTEN", Owned: true}] != 1 {
		t.Error("sum changed its base")
	}
}

func TestCountListIsSorted(t *testing.T) {
	got := countList(map[Group]int{
		{Protocol: "tcp", Family: "inet", State: "ESTABLISHED", Owned: false}: 2,
		{Protocol: "tcp", Family: "inet", State: "ESTABLISHED", Owned: true}:  1,
		{Protocol: "tcp", Family: "inet", State: "CLOSE_WAIT", Owned: true}:   0, // left out
		{Protocol: "raw", Family: "inet6", State: "CLOSE", Owned: true}:       3,
	})
	var n []int
	for _, c := range got {
		n = append(n, c.Count)
	}
	if want := []int{3, 1, 2}; !reflect.DeepEqual(n, want) {
		t.Errorf("got %v, want %v", n, want)
	}
}

func TestTruthText(t *testing.T) {
	truth := Truth{Sockets: 3, Shape: Pairs, NetNS: 42, Owned: 2, Ownerless: 1, Timers: map[string]int{"on": 1, "keepalive": 2},
		Counts: countList(map[Group]int{
			{Protocol: "tcp", Family: "inet", State: "ESTABLISHED", Owned: true}:               1,
			{Protocol: "tcp", Family: "inet", State: "TIME_WAIT"}:                              1,
			{Protocol: "unix", Family: "unix", Type: "seqpacket", State: "CLOSE", Owned: true}: 1,
		})}
	var b strings.Builder
	if err := truth.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	const want = `lab: 3 sockets, shape pairs, 0 processes, netns 42
  tcp   inet       ESTABLISHED  owned     1
  tcp   inet       TIME_WAIT    no owner  1
  unix  seqpacket  CLOSE        owned     1
  owned 2, no owner 1, shared by processes 0, IPv4-mapped 0
  timers: keepalive 2 on 1; Recv-Q 0, Send-Q 0, full accept queues 0
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	j, err := truth.json()
	if err != nil {
		t.Fatal(err)
	}
	var back Truth
	if err := json.Unmarshal(j, &back); err != nil || !reflect.DeepEqual(back, truth) {
		t.Errorf("JSON came back as %+v, %v", back, err)
	}
}
