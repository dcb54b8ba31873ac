package list

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
)

// identity is what both the scene and an answer know of a socket.
func identity(e *scene.Expect) string {
	fam := "ipv4"
	if e.Family == unix.AF_INET6 {
		fam = "ipv6"
	}
	peer := ""
	if e.Remote.Port() != 0 {
		peer = e.Remote.String()
	}
	return fmt.Sprint(e.Table, " ", fam, " ", e.Local, " ", peer, " ", e.Inode)
}

func identified(row map[string]any) string {
	ap := func(side string) string {
		if row[side+"_port"] == nil {
			return ""
		}
		return netip.AddrPortFrom(netip.MustParseAddr(str(row[side+"_addr"])), port(row[side+"_port"])).String()
	}
	inode := str(row["inode"])
	if inode == "" {
		inode = "0"
	}
	return fmt.Sprint(row["proto"], " ", row["family"], " ", ap("local"), " ", ap("peer"), " ", inode)
}

func port(v any) (p uint16) {
	fmt.Sscan(str(v), &p)
	return p
}

// freshScene returns a function that returns a scene with time before it: some of its sockets end after 60 seconds.
func freshScene(t *testing.T) func() *scene.Scene {
	var s *scene.Scene
	var made time.Time
	return func() *scene.Scene {
		if s == nil || time.Since(made) > 20*time.Second {
			s, made = scene.New(t), time.Now()
		}
		return s
	}
}

// Each filter picks exactly the sockets of the scene that the truth says.
func TestFiltersOverTheScene(t *testing.T) {
	scene.Require(t) // here: it is made for the whole test, also where a subtest is the first to need it
	fresh := freshScene(t)
	state := func(states ...scene.State) func(*scene.Expect) bool {
		return func(e *scene.Expect) bool { return e.Table == scene.TCP && slices.Contains(states, e.State) }
	}
	owned := func(comm string) func(*scene.Expect) bool {
		return func(e *scene.Expect) bool {
			return slices.ContainsFunc(e.Owners, func(o scene.Owner) bool { return o.Comm == comm })
		}
	}
	tcp := func(e *scene.Expect) bool { return e.Table == scene.TCP }
	for _, tt := range []struct {
		filter string
		want   func(*scene.Expect) bool
	}{
		{"", func(*scene.Expect) bool { return true }},
		{"proto tcp", tcp},
		{"netid = udp6", func(e *scene.Expect) bool { return e.Table == scene.UDP && e.Family == unix.AF_INET6 }},
		{"state listen", state(scene.Listen)},
		{"state close-wait state last-ack", state(scene.CloseWait, scene.LastAck)},
		{"state time-wait", state(scene.TimeWait)},
		{"state syn-recv or state syn-sent", state(scene.SynRecv, scene.SynSent)},
		{"state bound", state(scene.BoundInactive)},
		{"proto tcp and not state in (listen, established)", func(e *scene.Expect) bool {
			return tcp(e) && e.State != scene.Listen && e.State != scene.Established
		}},
		{"sport = :22 or dport = 22", func(e *scene.Expect) bool { return e.Local.Port() == 22 || e.Remote.Port() == 22 }},
		{"port = 22", func(e *scene.Expect) bool { return e.Local.Port() == 22 || e.Remote.Port() == 22 }},
		{"sport 7000-7010", func(e *scene.Expect) bool { return e.Local.Port() >= 7000 && e.Local.Port() <= 7010 }},
		{"dst 192.0.2.0/24 and proto tcp", func(e *scene.Expect) bool {
			return tcp(e) && netip.MustParsePrefix("192.0.2.0/24").Contains(e.Remote.Addr().Unmap())
		}},
		{"dev = lo", func(e *scene.Expect) bool { return e.Device == "lo" }},
		{"proto tcp and timer = persist", func(e *scene.Expect) bool { return tcp(e) && e.Timer == scene.TimerProbe }},
		{"proto tcp and timer", func(e *scene.Expect) bool { return tcp(e) && e.Timer != scene.TimerOff }},
		{"proto tcp and state established and recv_q >= 64 and send_q = 0", func(e *scene.Expect) bool {
			return state(scene.Established)(e) && e.RecvQ >= 64 && e.SendQ == 0
		}},
		{"accept_q > 0", func(e *scene.Expect) bool { return state(scene.Listen)(e) && e.RecvQ > 0 }},
		{"backlog = 5", func(e *scene.Expect) bool { return state(scene.Listen)(e) && e.Backlog == 5 }},
		{"cong = reno and not state listen and inode", func(e *scene.Expect) bool {
			return tcp(e) && e.Congestion == "reno" && e.State != scene.Listen && e.Inode != 0
		}},
		{"process = receiver", owned("receiver")},
		{`process ~ "we ird"`, owned(scene.OddComm)},
		{"user = nobody or uid = 65534", func(e *scene.Expect) bool { return e.UID == 65534 && e.Inode != 0 }},
		{"cmdline ~ ^/usr/sbin/receiver", owned("receiver")},
		{"proto tcp and not pid", func(e *scene.Expect) bool { return tcp(e) && len(e.Owners) == 0 }},
		{"no_owner = unaccepted", func(e *scene.Expect) bool {
			return e.Inode == 0 && (state(scene.Established, scene.CloseWait)(e))
		}},
		{"no_owner = time-wait", func(e *scene.Expect) bool {
			return state(scene.TimeWait)(e) || strings.HasPrefix(e.Name, "fin-wait-2 timewait")
		}},
		{"no_owner = orphan", func(e *scene.Expect) bool { return strings.Contains(e.Name, "orphan") }},
		{"rtt and state close-wait", state(scene.CloseWait)},
		{"fastopen", func(e *scene.Expect) bool {
			return e.FastOpen && e.State != scene.Listen && e.State != scene.BoundInactive
		}},
		{"rcv_shutdown and proto tcp and inode", func(e *scene.Expect) bool { return tcp(e) && e.Shutdown&scene.ShutRead != 0 && e.Inode != 0 }},
		{"mark = 48879", func(e *scene.Expect) bool { return e.Mark == 0xbeef }},
		{"fwmark 0xbeef/0xffff", func(e *scene.Expect) bool { return e.Mark == 0xbeef }},
	} {
		t.Run(tt.filter, func(t *testing.T) {
			s := fresh()
			var want, got []string
			for i := range s.Sockets {
				if e := &s.Sockets[i]; (e.Table == scene.TCP || e.Table == scene.UDP) && tt.want(e) {
					want = append(want, identity(e))
				}
			}
			for _, row := range answer(t, s.NetNS, tt.filter) {
				got = append(got, identified(row))
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				for _, w := range want {
					if !slices.Contains(got, w) {
						t.Error("lost:", w)
					}
				}
				for _, g := range got {
					if !slices.Contains(want, g) {
						t.Error("too many:", g)
					}
				}
			}
			if len(want) == 0 {
				t.Error("the scene has no such socket")
			}
		})
	}
	t.Run("formats", func(t *testing.T) { formatsAgree(t, fresh()) })
	t.Run("groups", func(t *testing.T) { groupsAgree(t, fresh()) })
	t.Run("sort", func(t *testing.T) { sortAgrees(t, fresh()) })
	t.Run("namespaces", func(t *testing.T) { everyNamespace(t, fresh()) })
	t.Run("owners", func(t *testing.T) { ownerColumn(t, fresh()) })
}

// All formats say the same of each socket.
func formatsAgree(t *testing.T, s *scene.Scene) {
	cols := "local,peer,inode,state,process,rtt,cong"
	rows := answer(t, s.NetNS, "-c", cols+",proto", "-s", "proto,local_addr,local_port,peer_addr,peer_port", "inode")
	out, words, status := verb(t, s.NetNS, "-o", "json", "-c", cols+",proto", "-s", "proto,local_addr,local_port,peer_addr,peer_port", "inode")
	var array []map[string]any
	if err := json.Unmarshal([]byte(out), &array); err != nil || status != 0 || len(array) != len(rows) {
		t.Fatalf("json: %v, %d objects where ndjson has %d lines: %s", err, len(array), len(rows), words)
	}
	for i := range rows {
		if str(array[i]["inode"]) != "" && str(rows[i]["inode"]) != fmt.Sprintf("%.0f", array[i]["inode"]) || array[i]["state"] != rows[i]["state"] {
			t.Errorf("json %v, ndjson %v", array[i], rows[i])
		}
	}
	for _, format := range []string{"csv", "tsv"} {
		out, _, _ := verb(t, s.NetNS, "-o", format, "-c", "inode,state,process,cong", "-s", "proto,local_addr,local_port,peer_addr,peer_port", "inode")
		r := csv.NewReader(strings.NewReader(out))
		if format == "tsv" {
			r.Comma, r.LazyQuotes = '\t', true
		}
		all, err := r.ReadAll()
		if err != nil || len(all) != len(rows)+1 || strings.Join(all[0], " ") != "inode state process cong" {
			t.Fatalf("%s: %v, %d rows, want %d, header %q", format, err, len(all), len(rows)+1, all[0])
		}
		for i, rec := range all[1:] {
			if rec[0] != str(rows[i]["inode"]) || rec[1] != str(rows[i]["state"]) || rec[3] != str(rows[i]["cong"]) {
				t.Errorf("%s %q, ndjson %v", format, rec, rows[i])
			}
		}
		if strings.ContainsRune(out, 0x1b) {
			t.Errorf("%s has control characters", format)
		}
	}
	for _, format := range []string{"table", "wide"} {
		out, _, _ := verb(t, s.NetNS, "-o", format, "-H")
		if n, all := strings.Count(out, "\n"), len(answer(t, s.NetNS)); n != all {
			t.Errorf("%s: %d lines, want %d", format, n, all)
		}
		if strings.ContainsRune(out, 0x1b) {
			t.Errorf("%s has control characters", format)
		}
	}
}

func groupsAgree(t *testing.T, s *scene.Scene) {
	want := map[string]int{}
	owners := map[string]int{}
	for i := range s.Sockets {
		e := &s.Sockets[i]
		if e.Table != scene.TCP {
			continue
		}
		want[strings.ToLower(e.State.String())]++
		seen := map[string]bool{}
		for _, o := range e.Owners {
			if !seen[o.Comm] {
				seen[o.Comm] = true
				owners[o.Comm]++
			}
		}
	}
	rename := map[string]string{"bound": "bound-inactive"}
	last := 1 << 30
	for _, row := range answer(t, s.NetNS, "-g", "state", "proto tcp") {
		name := str(row["state"])
		if r := rename[name]; r != "" {
			name = r
		}
		var n int
		fmt.Sscan(str(row["count"]), &n)
		if n != want[name] {
			t.Errorf("state %s: %d, want %d", name, n, want[name])
		}
		if n > last {
			t.Error("groups are not in the order of their counts")
		}
		last = n
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("not shown: %v", want)
	}
	for _, row := range answer(t, s.NetNS, "-g", "process", "proto tcp and pid") {
		name := str(row["process"])
		if str(row["count"]) != fmt.Sprint(owners[strings.ReplaceAll(name, "\ufffd", "\xff")]) {
			t.Errorf("process %q: %v, want %d", name, row["count"], owners[name])
		}
		delete(owners, name)
	}
	if len(owners) > 0 {
		t.Errorf("not shown: %v", owners)
	}
	// Prefixes, figures and conditions on them.
	rows := answer(t, s.NetNS, "-g", "peer/24", "-c", "count,sum(send_q),max(send_q),avg(rtt),p50(rtt)", "--having", "count > 3", "proto tcp and dst 192.0.2.0/24 and family = ipv4")
	if len(rows) != 1 || rows[0]["peer_prefix"] != "192.0.2.0/24" {
		t.Fatalf("peer/24: %v", rows)
	}
	n, sum, most := 0, uint32(0), uint32(0)
	for i := range s.Sockets {
		e := &s.Sockets[i]
		if e.Table == scene.TCP && e.Family == unix.AF_INET && netip.MustParsePrefix("192.0.2.0/24").Contains(e.Remote.Addr()) {
			n, sum, most = n+1, sum+e.SendQ, max(most, e.SendQ)
		}
	}
	if str(rows[0]["count"]) != fmt.Sprint(n) || str(rows[0]["sum_send_q_bytes"]) != fmt.Sprint(sum) || str(rows[0]["max_send_q_bytes"]) != fmt.Sprint(most) || rows[0]["p50_rtt_us"] == nil {
		t.Errorf("peer/24: %v, want %d, %d, %d", rows[0], n, sum, most)
	}
	if rows := answer(t, s.NetNS, "-g", "state", "--having", "count > 10000"); len(rows) != 0 {
		t.Errorf("having: %v", rows)
	}
}

func sortAgrees(t *testing.T, s *scene.Scene) {
	all := answer(t, s.NetNS, "-c", "send_q,inode", "-s", "send_q:desc", "proto tcp and not state listen")
	top := answer(t, s.NetNS, "-c", "send_q,inode", "-s", "send_q:desc", "-n", "5", "proto tcp and not state listen")
	if len(top) != 5 || len(all) < 20 {
		t.Fatalf("%d and %d rows", len(top), len(all))
	}
	last := uint64(1 << 62)
	for i, row := range all {
		var v uint64
		fmt.Sscan(str(row["send_q_bytes"]), &v)
		if v > last {
			t.Errorf("row %d: %d behind %d", i, v, last)
		}
		last = v
		if i < 5 && str(row["send_q_bytes"]) != str(top[i]["send_q_bytes"]) {
			t.Errorf("row %d: %v in the top, %v in all", i, top[i], row)
		}
	}
	if rows := answer(t, s.NetNS, "-n", "3"); len(rows) != 3 {
		t.Errorf("limit 3: %d rows", len(rows))
	}
}

// The scene is found from outside, once, by its name.
func everyNamespace(t *testing.T, s *scene.Scene) {
	name, err := s.Mount()
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, row := range answer(t, nil, "--all-netns", "netns = "+name) {
		if row["netns"] != name {
			t.Errorf("%v", row)
		}
		got = append(got, identified(row))
	}
	for i := range s.Sockets {
		if e := &s.Sockets[i]; e.Table == scene.TCP || e.Table == scene.UDP {
			want = append(want, identity(e))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d sockets, want %d", len(got), len(want))
	}
}

// The table says of each socket who holds it, or why nobody does, unless the state says so.
func ownerColumn(t *testing.T, s *scene.Scene) {
	got := map[string]int{}
	out, _, _ := verb(t, s.NetNS, "-H", "-c", "state,inode,owner")
	for line := range strings.Lines(out) {
		w := strings.Fields(line)
		if len(w) > 2 && strings.HasPrefix(w[2], "(") || len(w) == 3 && w[2] == "-" {
			got[w[2]]++
			says := w[0] == "TIME-WAIT" || w[0] == "SYN-RECV"
			if says && w[2] != "-" || !says && w[2] == "-" && w[0] != "FIN-WAIT-2" { // which can be one that waits
				t.Errorf("%s", line)
			}
		}
	}
	want := map[string]int{}
	for _, row := range answer(t, s.NetNS, "-c", "no_owner", "no_owner") {
		switch why := str(row["no_owner"]); why {
		case "time-wait", "syn-recv":
			want["-"]++
		default:
			want["("+why+")"]++
		}
	}
	if !maps.Equal(got, want) || want["(orphan)"] == 0 || want["(unaccepted)"] == 0 || want["-"] == 0 {
		t.Errorf("%v, want %v", got, want)
	}
}
