package field

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// FuzzProcFiles: what is read of /proc/PID/cgroup and status stands in them.
func FuzzProcFiles(f *testing.F) {
	f.Add([]byte("0::/system.slice/nginx.service\n"))
	f.Add([]byte("12:name=systemd:/user.slice/x\\x2dy.scope\n1:cpu:/docker/" + strings.Repeat("0a", 32) + "\n"))
	f.Add([]byte("Name:\tx\nUid:\t0\t1000\t0\t0\n"))
	f.Add([]byte("0::/kubepods.slice/kubepods-burstable-pod" + strings.Repeat("a1", 16) + ".slice/cri-containerd-" + strings.Repeat("b2", 32) + ".scope"))
	f.Add([]byte(":::\n::\n:\n\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		text := string(b)
		path := cgroupOf(b)
		if !strings.Contains(text, path) || strings.Contains(path, "\n") {
			t.Errorf("%q: path %q", text, path)
		}
		for _, p := range []Place{PlaceOf(path), PlaceOfFile(b), PlaceOf(text)} {
			if !strings.Contains(text, p.Container) {
				t.Errorf("%q: container %q", text, p.Container)
			}
			if p.Pod != "" && !strings.Contains(strings.ReplaceAll(text, "_", "-"), p.Pod) {
				t.Errorf("%q: pod %q", text, p.Pod)
			}
			if len(p.Unit) > len(text) {
				t.Errorf("%q: unit %q", text, p.Unit)
			}
		}
		if uid := effectiveUID(b); uid != ^uint32(0) && !strings.Contains(text, "\nUid:") {
			t.Errorf("%q: user %d", text, uid)
		}
	})
}

// FuzzUnit: quantities as people write them, and as they are shown. What is shown of a number can be read again as no more than that
// number, but for times in two units; all digits of it, where they are shown.
func FuzzUnit(f *testing.F) {
	for _, s := range []string{"100ms", "1.5s", "10Mbit", "1KiB", "-1", "0", "1e9", "99999999999999999999", "1.0000000001us", "3.", ".5", "2h"} {
		f.Add(s, uint64(1500000))
	}
	for _, v := range []uint64{0, 7, 999, 59_999_999, 3_600_000_001, 1 << 53, 1<<64 - 1} {
		f.Add("", v)
	}
	f.Fuzz(func(t *testing.T, word string, v uint64) {
		for u := range Unit(len(unitNames)) {
			u.Parse(word)
			shown := string(u.AppendHuman(nil, v))
			if shown == "" || len(shown) > 40 || strings.ContainsAny(shown, " \n\x1b") {
				t.Errorf("%v: %d is shown as %q", u, v, shown)
			}
			if (u == Milliseconds || u == BytesPerSecond) && v > 1<<53 { // beyond what is read
				continue
			}
			digits := strconv.FormatUint(v, 10)
			switch q, err := u.Parse(shown); {
			case err != nil && !twoUnits.MatchString(shown) || err == nil && q.Whole > v:
				t.Errorf("%v: %d is shown as %q, which is read as %d: %v", u, v, shown, q.Whole, err)
			case err == nil && strings.Trim(shown, "us") == digits && q != (Quantity{v, true}):
				t.Errorf("%v: %q is read as %+v", u, shown, q)
			}
		}
	})
}

var twoUnits = regexp.MustCompile(`^\d+[mhd]\d+[smh]$`)

// FuzzLookup: an unknown name is an error that may say what was meant.
func FuzzLookup(f *testing.F) {
	f.Add("rtt")
	f.Add("Local-Addr")
	f.Add("rt")
	f.Add("\x1b]0;\a")
	f.Fuzz(func(t *testing.T, name string) {
		if len(name) > 200 {
			return
		}
		got, err := Lookup(name)
		if (got == nil) == (err == nil) {
			t.Errorf("%q: %v, %v", name, got, err)
		}
		if err != nil && err.Error() == "" {
			t.Errorf("%q: an error without words", name)
		}
	})
}
