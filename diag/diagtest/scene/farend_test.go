package scene

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestFlowReceive(t *testing.T) {
	tun, err := os.Create(filepath.Join(t.TempDir(), "tun"))
	if err != nil {
		t.Fatal(err)
	}
	defer tun.Close()
	f := &farEnd{tun: tun, flows: make(map[[2]netip.AddrPort]*flow)}
	fl := f.flow(netip.MustParseAddrPort("192.0.2.10:80"), netip.MustParseAddrPort("192.0.2.1:1"), openWindow)
	steps := []struct {
		what   string
		in     segment
		flags  uint8 // of the answer, 0: none
		seq    uint32
		ack    uint32
		before func()
	}{
		{"SYN", segment{seq: 99, flags: flagSYN}, flagSYN | flagACK, iss, 100, nil},
		{"handshake", segment{seq: 100, ack: iss + 1, flags: flagACK}, 0, 0, 0, nil},
		{"data", segment{seq: 100, flags: flagACK, payload: []byte("abc")}, flagACK, iss + 1, 103, nil},
		{"data again", segment{seq: 100, flags: flagACK, payload: []byte("abc")}, flagACK, iss + 1, 103, nil},
		{"probe", segment{seq: 102, flags: flagACK}, flagACK, iss + 1, 103, nil},
		{"data, window closed", segment{seq: 103, flags: flagACK, payload: []byte("d")}, flagACK, iss + 1, 103, func() { fl.window = 0 }},
		{"reset", segment{seq: 103, flags: flagRST}, 0, 0, 0, func() { fl.window = 1 }},
		{"FIN", segment{seq: 103, flags: flagFIN | flagACK}, flagACK, iss + 1, 104, nil},
		{"silence", segment{seq: 104, flags: flagACK, payload: []byte("e")}, 0, 0, 0, fl.silence},
		{"nothing of what was sent", segment{seq: 104, ack: iss + 1, flags: flagACK}, 0, 0, 0, func() {
			if err := fl.send(flagFIN|flagPSH|flagACK, []byte("xyz")); err != nil {
				t.Error(err)
			}
		}},
		{"some of it", segment{seq: 104, ack: iss + 3, flags: flagACK}, 0, 0, 0, nil},
		{"no acknowledgement", segment{seq: 104, ack: iss + 5, flags: flagRST}, 0, 0, 0, nil},
		{"all of it", segment{seq: 104, ack: iss + 5, flags: flagACK}, 0, 0, 0, nil},
	}
	size := func() int64 {
		stat, err := tun.Stat()
		if err != nil {
			t.Fatal(err)
		}
		return stat.Size()
	}
	var sent []bool // the far end sends something again
	for _, s := range steps {
		if s.before != nil {
			s.before()
		}
		out, ok := fl.receive(&s.in)
		if ok != (s.flags != 0) {
			t.Fatalf("%s: answered %v", s.what, ok)
		}
		if ok && (out.flags != s.flags || out.seq != s.seq || out.ack != s.ack || out.src != fl.far || out.dst != fl.near) {
			t.Errorf("%s: %+v", s.what, out)
		}
		was := size()
		f.resend()
		sent = append(sent, size() > was)
	}
	if !fl.synSeen || !fl.finSeen {
		t.Error("SYN or FIN not noticed")
	}
	want := make([]bool, len(steps))
	want[len(want)-4], want[len(want)-3], want[len(want)-2] = true, true, true
	if !slices.Equal(sent, want) {
		t.Errorf("sent again after steps %v, want %v", sent, want)
	}
	// The same packet each time.
	b, err := os.ReadFile(tun.Name())
	if err != nil {
		t.Fatal(err)
	}
	first := b[:len(b)/4]
	got, err := parseSegment(first)
	if !bytes.Equal(b, bytes.Repeat(first, 4)) || err != nil || got.seq != iss+1 || got.ack != 104 || string(got.payload) != "xyz" {
		t.Errorf("%x: %+v, %v", b, got, err)
	}
}

// timeLeft is the remaining time of a socket's timer in /proc/net/tcp, in clock ticks.
func timeLeft(t *testing.T, s *Scene, near string) (ticks int64) {
	t.Helper()
	var text []byte
	var err error
	if e := s.Do(func() { text, err = os.ReadFile("/proc/thread-self/net/tcp") }); e != nil || err != nil {
		t.Fatal(e, err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if row, err := parseProcRow(f); err != nil || row.local.String() != near {
			continue
		}
		_, when, _ := strings.Cut(f[5], ":")
		ticks, err = strconv.ParseInt(when, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		return ticks
	}
	t.Fatalf("no socket %s in:\n%s", near, text)
	return 0
}

func TestRefreshTimeWait(t *testing.T) {
	s := New(t)
	near := s.Find(t, "time-wait v4").Local.String()
	time.Sleep(time.Second)
	old := timeLeft(t, s, near)
	s.far.repeat()
	// The packet is on its way: the time must go up, which it never does by itself.
	if err := wait(patience, "refreshed TIME-WAIT", func() (bool, error) { return timeLeft(t, s, near) > old, nil }); err != nil {
		t.Error(err)
	}
}

func TestWait(t *testing.T) {
	n := 0
	if err := wait(patience, "three", func() (bool, error) { n++; return n == 3, nil }); err != nil || n != 3 {
		t.Errorf("wait: %v after %d calls", err, n)
	}
	if err := wait(0, "nothing", func() (bool, error) { return false, nil }); err == nil {
		t.Error("wait without end")
	}
	if err := wait(patience, "error", func() (bool, error) { return true, os.ErrClosed }); !errors.Is(err, os.ErrClosed) {
		t.Errorf("wait hides the error: %v", err)
	}
}
