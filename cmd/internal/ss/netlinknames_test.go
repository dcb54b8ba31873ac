package ss

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

func TestNetlinkProtocols(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "etc"), filepath.Join(dir, "usr")
	for file, text := range map[string]string{
		first:  "# names\n0\troute\n0x15  crypto2 # more\n 17 my\x1bown\n#3 x\nfour y\n300 z\n5\n",
		second: "0 other\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := netlinkProtocols([]string{filepath.Join(dir, "missing"), first, second})
	for id, want := range map[uint8]string{0: "route", 21: "crypto2", 17: `my\033own`, 16: "genl", 5: "nflog", 44: "", 22: ""} {
		if got[id] != want {
			t.Errorf("%d: %q, want %q", id, got[id], want)
		}
	}
	if got := netlinkProtocols(nil); got[0] != "rtnl" {
		t.Errorf("without a file: %q", got[0])
	}
}

func TestProcessName(t *testing.T) {
	want, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	got, ok := processName("/proc", int32(os.Getpid()))
	if n := len(want) - 1; !ok || len(got) < n || got[:n] != string(want[:n]) {
		t.Errorf("%q, %v, want %q", got, ok, want)
	}
	proc := t.TempDir()
	if err := os.MkdirAll(filepath.Join(proc, "7"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(proc, "7", "stat"), []byte("7 nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int32{7, 8} {
		if name, ok := processName(proc, pid); ok {
			t.Errorf("%s: %q", strconv.Itoa(int(pid)), name)
		}
	}
}
