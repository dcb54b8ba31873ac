package netns

import (
	"strings"
	"testing"
)

// FuzzMountinfo: a line of mountinfo is one of a namespace, or none; escapes in it are undone.
func FuzzMountinfo(f *testing.F) {
	f.Add("36 35 0:4 net:[4026532177] /run/netns/blue rw shared:1 - nsfs nsfs rw\n")
	f.Add("36 35 0:4 net:[99999999999] /run/netns/a\\040b\\134\\01 rw - nsfs nsfs rw")
	f.Add("net:[1]")
	f.Add("1 2 3 net:[] x - nsfs ")
	f.Fuzz(func(t *testing.T, line string) {
		inode, point, ok := namespaceMount(line)
		if ok && (!strings.Contains(line, "net:[") || len(point) > len(line)) {
			t.Errorf("%q: %d at %q", line, inode, point)
		}
		if again, is := parseLink(line); is && !strings.HasPrefix(line, "net:[") {
			t.Errorf("%q: %d", line, again)
		}
		if got := unescape(line); len(got) > len(line) || !strings.Contains(line, `\`) && got != line {
			t.Errorf("%q: %q", line, got)
		}
	})
}

// FuzzCounts: counts of /proc/net/sockstat are never less than nothing.
func FuzzCounts(f *testing.F) {
	f.Add("sockets: used 1\nTCP: inuse 5 orphan 0 tw 2 alloc 9 mem 1\nUDP: inuse 4 mem 2\n")
	f.Add("TCP: inuse -5 tw 99999999999999999999")
	f.Fuzz(func(t *testing.T, table string) {
		var c Counts
		if c.add(table); c.TCP < 0 || c.UDP < 0 {
			t.Errorf("%q: %+v", table, c)
		}
	})
}
