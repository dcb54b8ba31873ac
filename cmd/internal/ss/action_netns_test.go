package ss

import (
	"testing"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// -N shows another namespace as if the command were in it: sockets, counters, devices.
func TestNamedNamespace(t *testing.T) {
	p := peer(t)
	s := scene.New(t)
	name, err := s.Mount()
	if err != nil {
		t.Fatal(err)
	}
	outside := scene.NewNetNS(t)
	for _, line := range []string{"-tan", "-tuan", "-uanp", "-wan", "-tan src 127.0.0.1", "-tan dev lo", "-tln6", "-xln"} {
		args := append([]string{"-N", name}, split(line)...)
		run := func(program string) func() result {
			return func() result { return inNS(t, outside, nil, append([]string{program}, args...)...) }
		}
		got, want := peers.Agree(run(""), run(p))
		if got != want {
			t.Errorf("%s: status %d, %q\n%s", line, got.status, got.stderr, firstDiff(got.stdout, want.stdout))
		}
	}
	// The counters of that namespace, not those of this one.
	summary := func(ns *scene.NetNS, line string) func() string {
		return func() string { return transports(inNS(t, ns, nil, "", line).stdout) }
	}
	here, there, want := summary(outside, "-s"), summary(outside, "-s -N "+name), summary(s.NetNS, "-s")
	if got, want := peers.Agree(there, want); got != want || got == here() {
		t.Errorf("-s:\n%s\nwant\n%s", got, want)
	}
	for _, line := range []string{"-N no-such-namespace -V", "-V -N no-such-namespace", "-N ../../proc/self/ns/mnt", "-N ../../proc/self/ns/net -tanH"} {
		want := inNS(t, outside, nil, append([]string{p}, split(line)...)...)
		got := inNS(t, outside, nil, "", line)
		if want.stdout != got.stdout && line[:2] == "-V" { // names sockeye
			want.stdout = got.stdout
		}
		if got != want {
			t.Errorf("%s: %+v\nwant %+v", line, got, want)
		}
	}
}
