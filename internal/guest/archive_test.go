package guest

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// readArchive reads an archive by the format's description: its entries by name, in a text of mode and content.
func readArchive(t *testing.T, b []byte) map[string]string {
	t.Helper()
	entries := map[string]string{}
	at := 0
	padded := func(n int) int { return (n + 3) &^ 3 }
	for {
		if at%4 != 0 || len(b) < at+110 || string(b[at:at+6]) != "070701" {
			t.Fatalf("no header at %d", at)
		}
		var f [13]int
		for i := range f {
			if _, err := fmt.Sscanf(string(b[at+6+8*i:at+14+8*i]), "%08x", &f[i]); err != nil {
				t.Fatal(err)
			}
		}
		mode, size, major, minor, nameLen := f[1], f[6], f[9], f[10], f[11]
		name := string(b[at+110 : at+110+nameLen-1])
		data := padded(at + 110 + nameLen)
		at = padded(data + size)
		if name == "TRAILER!!!" {
			if at != len(b) {
				t.Errorf("%d bytes behind the end", len(b)-at)
			}
			return entries
		}
		if _, ok := entries[name]; ok {
			t.Errorf("%s is there twice", name)
		}
		entries[name] = fmt.Sprintf("%06o %d:%d %q", mode, major, minor, b[data:data+size])
	}
}

func TestArchive(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a": "12345", "empty": "", "sub/b": "x"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../a", filepath.Join(dir, "sub", "link")); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	a := newArchive(&b)
	a.device("/dev/console", 0o600, 5, 1)
	a.tree("/top/tree", dir)
	a.tree("/one", filepath.Join(dir, "a"))
	a.link("/bin", "usr/bin")
	a.text("/top/text", 0o644, []byte("words"))
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"dev": `040755 0:0 ""`, "dev/console": `020600 5:1 ""`,
		"top": `040755 0:0 ""`, "top/tree": fmt.Sprintf(`%06o 0:0 ""`, 0o040000|mode(t, dir)), "top/tree/a": `100755 0:0 "12345"`, "top/tree/empty": `100640 0:0 ""`,
		"top/tree/sub": `040750 0:0 ""`, "top/tree/sub/b": `100640 0:0 "x"`, "top/tree/sub/link": `120777 0:0 "../a"`,
		"one": `100755 0:0 "12345"`, "bin": `120777 0:0 "usr/bin"`, "top/text": `100644 0:0 "words"`,
	}
	if got := readArchive(t, b.Bytes()); !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	a = newArchive(&b)
	a.tree("/x", filepath.Join(dir, "not there"))
	if err := a.close(); !os.IsNotExist(err) {
		t.Errorf("of a file that is not there: %v", err)
	}
}

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}
