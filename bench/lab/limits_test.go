package lab

import (
	"bufio"
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLimits(t *testing.T) {
	good := limits{caps: 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_NET_RAW, noFile: 20_000, files: 2_000_000, available: 8 << 30}
	for _, tt := range []struct {
		name   string
		change func(l *limits)
		cfg    Config
		want   string // a part of the error; "" is none
	}{
		{"all there", func(*limits) {}, Config{Sockets: 1_000_000}, ""},
		{"no capability", func(l *limits) { l.caps = 0 }, Config{Sockets: 1}, "CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_NET_RAW"},
		{"one missing", func(l *limits) { l.caps &^= 1 << unix.CAP_NET_RAW }, Config{Sockets: 1}, "root, or CAP_NET_RAW"},
		{"few descriptors", func(l *limits) { l.noFile = 200 }, Config{Sockets: 1}, "RLIMIT_NOFILE is 200"},
		{"few files", func(l *limits) { l.files = 999 }, Config{Sockets: 1000}, "leaves 999 files"},
		{"few files, none needed", func(l *limits) { l.files = 999 }, Config{Sockets: 1000, Shape: TimeWait}, ""},
		{"little memory", func(l *limits) { l.available = 1 << 30 }, Config{Sockets: 1_000_000}, "1024 MB of memory"},
		{"little memory, little needed", func(l *limits) { l.available = 1 << 30 }, Config{Sockets: 1_000_000, Shape: TimeWait}, ""},
		{"unknown", func(l *limits) { l.files, l.available = -1, -1 }, Config{Sockets: 8_000_000}, ""},
	} {
		l := good
		tt.change(&l)
		err := l.check(tt.cfg)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		if perm := strings.Contains(tt.want, "CAP_"); errors.Is(err, os.ErrPermission) != perm {
			t.Errorf("%s: is a permission error: %v", tt.name, !perm)
		}
	}
	if n := good.perProc(); n != mostPerProc {
		t.Errorf("%d sockets a process of 20,000 descriptors", n)
	}
	if n := (limits{noFile: 1024}).perProc(); n != 1024-spareFDs {
		t.Errorf("%d sockets a process of 1,024 descriptors", n)
	}
}

func TestReadLimits(t *testing.T) {
	l, err := readLimits()
	if err != nil {
		t.Fatal(err)
	}
	if l.noFile <= 0 || l.files <= 0 || l.available <= 0 {
		t.Errorf("read %+v", l)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "CapEff:\t")
	if want, _, _ := strings.Cut(after, "\n"); !strings.EqualFold(want, hex16(l.caps)) {
		t.Errorf("capabilities %s, want %s", hex16(l.caps), want)
	}
}

func hex16(v uint64) string {
	const digits = "0123456789abcdef"
	b := make([]byte, 16)
	for i := range b {
		b[15-i] = digits[v&15]
		v >>= 4
	}
	return string(b)
}

func TestMemAvailable(t *testing.T) {
	for in, want := range map[string]int64{
		"MemTotal: 5 kB\nMemAvailable:    2048 kB\n": 2 << 20,
		"MemTotal: 5 kB\n":                           -1,
		"MemAvailable: much kB\n":                    -1,
	} {
		if got := memAvailable(bufio.NewScanner(strings.NewReader(in))); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}
