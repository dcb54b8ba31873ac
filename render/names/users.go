package names

import (
	"bytes"
	"os"
	"strconv"
)

// Users names user ids after /etc/passwd (passwd(5)). Users that only another service of nsswitch.conf knows have no name.
type Users struct {
	File string // "": /etc/passwd

	loaded bool
	byUID  map[uint32]string
}

// Lookup returns the name of a user.
func (u *Users) Lookup(uid uint32) (string, bool) {
	if !u.loaded {
		u.load()
	}
	name, ok := u.byUID[uid]
	return name, ok
}

func (u *Users) load() {
	u.loaded = true
	u.byUID = map[uint32]string{}
	file := u.File
	if file == "" {
		file = "/etc/passwd"
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return
	}
	for line := range bytes.Lines(b) {
		f := bytes.SplitN(line, []byte{':'}, 4)
		if len(f) < 4 || len(f[0]) == 0 {
			continue
		}
		uid, err := strconv.ParseUint(string(f[2]), 10, 32)
		if err != nil {
			continue
		}
		if _, ok := u.byUID[uint32(uid)]; !ok {
			u.byUID[uint32(uid)] = escaped(string(f[0]))
		}
	}
}
