package netns

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
)

// The kernel counts what the test made.
func TestCount(t *testing.T) {
	p := newPlace(t, func(p *place) error {
		if err := p.open(); err != nil {
			return err
		}
		l, at, err := p.listen(loopback4)
		if err != nil {
			return err
		}
		near, far, err := p.connect(unix.AF_INET, l, at)
		if err != nil {
			return err
		}
		p.close(near) // FIN_WAIT2 for a moment, then TIME_WAIT
		p.close(far)
		if _, _, err := p.connect(unix.AF_INET, l, at); err != nil {
			return err
		}
		if _, _, err := p.listen(loopback6); err != nil {
			return err
		}
		_, err = p.bind(unix.SOCK_DGRAM, loopback6)
		return err
	})
	f, n := p.find(t, Config{NoBPF: true})
	// The last acknowledgement may be on its way still.
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if f.Count(); n.Counts == nil || n.Counts.TCP == 5 || time.Now().After(end) {
			break
		}
	}
	if n.Counts == nil || n.Counts.TCP != 5 || n.Counts.UDP != 1 || !n.Counts.Shared {
		t.Errorf("%+v, want 5 TCP, 1 UDP, shared", n.Counts)
	}
	if !f.All[0].Own || f.All[0].Counts == nil {
		t.Error("our own namespace is not counted")
	}
}

// A namespace with a table of its own.
func TestCountOwnTable(t *testing.T) {
	ns := scene.NewNetNS(t)
	inode, err := ns.Inode()
	if err != nil {
		t.Fatal(err)
	}
	p := &place{inode: uint32(inode)}
	f, n := p.find(t, Config{NoBPF: true})
	f.Count()
	if n == nil || n.Counts == nil || n.Counts.Shared || n.Counts.TCP != 0 {
		t.Errorf("%+v", n)
	}
}
