package owner

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseName(t *testing.T) {
	for s, want := range map[string]int32{
		"\x00": -1, "": -1, "7": -1, ".\x00": -1, "..\x00": -1, "self\x00": -1, "1a\x00": -1, "-1\x00": -1,
		"0\x00": 0, "7\x00\x00\x00": 7, "4194304\x00": 4194304, "2147483639\x00": 2147483639, "21474836480\x00": -1,
	} {
		got, ok := parseName([]byte(s))
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("parseName(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestParseSocketLink(t *testing.T) {
	for s, want := range map[string]uint32{
		"socket:[42]":         42,
		"socket:[4294967295]": math.MaxUint32,
		"socket:[4294967296]": 0, "socket:[99999999999999999999]": 0,
		"socket:[]": 0, "socket:[": 0, "socket:[-1]": 0, "socket:[1": 0, "socket:[1]x": 0, "": 0,
		"pipe:[42]": 0, "/tmp/socket:[42]": 0, "anon_inode:[eventfd]": 0,
	} {
		if got := parseSocketLink([]byte(s)); got != want {
			t.Errorf("parseSocketLink(%q) = %d, want %d", s, got, want)
		}
	}
}

func FuzzParseSocketLink(f *testing.F) {
	f.Add([]byte("socket:[42]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		inode := parseSocketLink(b)
		if inode == 0 {
			return
		}
		text := string(b[len("socket:[") : len(b)-1])
		if n, err := strconv.ParseUint(text, 10, 32); err != nil || uint32(n) != inode {
			t.Errorf("parseSocketLink(%q) = %d", b, inode)
		}
	})
}

// TestNumbers reads a directory that takes several reads.
func TestNumbers(t *testing.T) {
	root := t.TempDir()
	var want []int32
	for n := range int32(100) {
		want = append(want, n)
		if err := os.WriteFile(filepath.Join(root, itoa(n)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"self", "1x", "4294967296"} {
		if err := os.WriteFile(filepath.Join(root, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fd, err := openDir(unix.AT_FDCWD, root)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	reader := &dirReader{buf: make([]byte, 256)}
	got, err := reader.numbers(nil, fd)
	slices.Sort(got)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %d numbers, want %d: %v", len(got), len(want), err)
	}
}

func TestReadFile(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "f"), []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := openDir(unix.AT_FDCWD, root)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for size, want := range map[int]string{4: "0123", 10: "0123456789", 99: "0123456789"} {
		if got, err := readFile(fd, "f", make([]byte, size)); string(got) != want || err != nil {
			t.Errorf("size %d: got %q, %v", size, got, err)
		}
	}
	if _, err := readFile(fd, "none", make([]byte, 4)); !gone(err) {
		t.Errorf("no such file: %v", err)
	}
}

func TestErrnoClasses(t *testing.T) {
	for _, err := range []error{unix.ENOENT, unix.ESRCH} {
		if !gone(err) || denied(err) {
			t.Errorf("%v must mean gone", err)
		}
	}
	for _, err := range []error{unix.EACCES, unix.EPERM} {
		if gone(err) || !denied(err) {
			t.Errorf("%v must mean denied", err)
		}
	}
	for _, err := range []error{nil, unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.EIO} {
		if gone(err) || denied(err) {
			t.Errorf("%v must be neither gone nor denied", err)
		}
	}
}
