package netns

import (
	"strings"
	"testing"
)

// FuzzMountinfo: a line of mountinfo is one of a namespace, or none.
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
	})
}
