package ss

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
	"github.com/sockeye-tools/sockeye/render/ss"
)

func split(line string) []string { return strings.Fields(line) }

// transports returns the part of a summary that is the namespace's own.
func transports(stdout string) string {
	_, table, _ := strings.Cut(stdout, "\n\n")
	return table
}

// The summary of a scene is that of ss, and of the scene.
func TestSummaryOfScene(t *testing.T) {
	p := peer(t)
	s := scene.New(t)
	run := func(program string) func() result {
		return func() result {
			r := inNS(t, s.NetNS, nil, program, "-s")
			r.stdout = transports(r.stdout)
			return r
		}
	}
	got, want := peers.Agree(run(""), run(p))
	if got != want || got.stdout == "" || got.status != 0 || got.stderr != "" {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	udp4, udp6 := 0, 0
	for _, e := range s.Sockets {
		if e.Table == scene.UDP && e.Family == 2 {
			udp4++
		} else if e.Table == scene.UDP {
			udp6++
		}
	}
	var counted ss.Summary
	for _, name := range []string{"sockstat", "sockstat6"} {
		var b []byte
		var err error
		if e := s.Do(func() { b, err = os.ReadFile("/proc/thread-self/net/" + name) }); e != nil || err != nil {
			t.Fatal(e, err)
		}
		readSockstat(&counted, b)
	}
	if counted.UDP4 < udp4 || counted.UDP6 < udp6 || udp4 == 0 || udp6 == 0 {
		t.Errorf("%d UDP sockets over IPv4 and %d over IPv6, the scene has %d and %d", counted.UDP4, counted.UDP6, udp4, udp6)
	}
}

func TestReadSockstat(t *testing.T) {
	var s ss.Summary
	readSockstat(&s, []byte("sockets: used 14\nTCP: inuse 5 orphan 2 tw 3 alloc 499 mem 1\nUDP: inuse 6 mem 0\nUDPLITE: inuse 0\n"+
		"RAW: inuse 7\nFRAG: inuse 8 memory 0\nTCP6: inuse 9\nUDP6: inuse 10\nRAW6: inuse 11\nFRAG6: inuse 12 memory 0\nODD\nTCP: inuse x\n"))
	want := ss.Summary{Sockets: 14, TCP4: 5, TCP6: 9, TCPOrphaned: 2, TCPTimeWait: 3, TCPAllocated: 499, UDP4: 6, UDP6: 10, Raw4: 7, Raw6: 11,
		Frag4: 8, Frag6: 12}
	if s != want {
		t.Errorf("%+v\nwant %+v", s, want)
	}
}

func TestSNMP(t *testing.T) {
	text := []byte("Ip: A CurrEstab\nIp: 1 2\nTcp: RtoMin CurrEstab InSegs\nTcp: 200 17 5\n")
	if n := snmp(text, "Tcp:", "CurrEstab"); n != 17 {
		t.Errorf("%d, want 17", n)
	}
	if n := snmp(text, "Tcp:", "None") + snmp(text, "Udp:", "InSegs") + snmp(nil, "Tcp:", "CurrEstab"); n != 0 {
		t.Errorf("%d, want 0", n)
	}
}

// What cannot be read is reported in ss's words, and the table has zeros.
func TestSummaryWithoutFiles(t *testing.T) {
	p := peer(t)
	ns := scene.NewNetNS(t)
	env := []string{"PROC_ROOT=" + filepath.Join(t.TempDir(), "none")}
	want, got := inNS(t, ns, env, p, "-s"), inNS(t, ns, env, "", "-s")
	if got != want || strings.Count(got.stderr, "\n") != 2 {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}
