package scene

import (
	"os"
	"testing"
)

// What the names of the sockets promise; that the owners are true is TestSceneOwners's to find.
func TestOwners(t *testing.T) {
	s := New(t)
	comms := func(name string) (list []string) {
		for i, o := range s.Find(t, name).Owners {
			if owners := s.Find(t, name).Owners; i > 0 && owners[i-1].PID > o.PID {
				t.Errorf("%s: owners not ordered: %v", name, owners)
			}
			if o.PID == os.Getpid() {
				o.Comm = "test"
			}
			list = append(list, o.Comm)
		}
		return list
	}
	count := func(list []string, comm string) (n int) {
		for _, c := range list {
			if c == comm {
				n++
			}
		}
		return n
	}
	if c := comms("shared by fork"); len(c) != 3 || count(c, "heir") != 2 || count(c, "test") != 1 {
		t.Errorf("shared by fork: %q", c)
	}
	if c := comms("sent away"); len(c) != 1 || c[0] != "receiver" {
		t.Errorf("sent away: %q", c)
	}
	if c := comms("sent and kept"); len(c) != 2 || count(c, "receiver") != 1 || count(c, "test") != 1 {
		t.Errorf("sent and kept: %q", c)
	}
	if c := comms("odd name tcp"); len(c) != 1 || c[0] != OddComm {
		t.Errorf("odd name: %q", c)
	}
	for _, name := range []string{"other user tcp", "other user udp"} {
		if e := s.Find(t, name); e.UID != nobody || len(e.Owners) != 1 {
			t.Errorf("%s: uid %d, owners %v", name, e.UID, e.Owners)
		}
	}
}
