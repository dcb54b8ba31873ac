package netns

import "testing"

func TestNamespaceMount(t *testing.T) {
	for line, want := range map[string]struct {
		inode uint32
		point string
	}{
		"36 35 0:4 net:[4026532177] /run/netns/blue rw shared:1 - nsfs nsfs rw\n": {4026532177, "/run/netns/blue"},
		"36 35 0:4 net:[4026532177] /a\\040b\\134c rw - nsfs nsfs rw\n":           {4026532177, `/a b\c`},
		"36 35 0:4 mnt:[4026532177] /run/x rw shared:1 - nsfs nsfs rw\n":          {},
		"36 35 0:4 /net:[4026532177] /run/x rw shared:1 - ext4 /dev/sda rw\n":     {},
		"36 35 0:4 net:[4026532177] /run/x rw shared:1 - ext4 /dev/sda rw\n":      {},
		"36 35 0:4 net:[99999999999] /run/x rw shared:1 - nsfs nsfs rw\n":         {},
		"36 35 0:4 net:[] /run/x rw - nsfs nsfs rw\n":                             {},
		"36 35 0:4 net:[12x] /run/x rw - nsfs nsfs rw\n":                          {},
		"36\n": {},
		"":     {},
	} {
		inode, point, ok := namespaceMount(line)
		if !ok {
			inode, point = 0, ""
		}
		if inode != want.inode || point != want.point || ok != (want.inode != 0) {
			t.Errorf("%q: %d %q %v", line, inode, point, ok)
		}
	}
}
