package ss

import (
	"testing"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
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
		var want, got result
		for range 4 { // a socket may change in between
			want = inNS(t, outside, nil, append([]string{p}, args...)...)
			if got = inNS(t, outside, nil, append([]string{""}, args...)...); got == want {
				break
			}
		}
		if got != want {
			t.Errorf("%s: status %d, %q\n%s", line, got.status, got.stderr, firstDiff(got.stdout, want.stdout))
		}
	}
	// The counters of that namespace, not those of this one.
	here, there := inNS(t, outside, nil, "", "-s"), inNS(t, outside, nil, "", "-s -N "+name)
	if want := inNS(t, s.NetNS, nil, "", "-s"); transports(there.stdout) != transports(want.stdout) || transports(here.stdout) == transports(want.stdout) {
		t.Errorf("-s:\n%s\nwant\n%s", there.stdout, want.stdout)
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
