package bench

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// tree writes files below a new directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadMachine(t *testing.T) {
	proc := tree(t, map[string]string{
		"cpuinfo": "processor\t: 0\nmodel name\t: ACME \x1b[1mCPU @ 3 GHz\nprocessor\t: 1\nmodel name\t: other\n",
		"meminfo": "MemTotal:       16384000 kB\nMemFree: 1 kB\n",
		"loadavg": "0.52 0.58 0.59 1/467 12345\n",
	})
	m := readMachine(proc)
	if m.CPU != `ACME \x1b[1mCPU @ 3 GHz` || m.Memory != 16384000<<10 || m.Load != "0.52" {
		t.Errorf("%+v", m)
	}
	if m.System != "Linux" || m.Kernel == "" || m.Arch == "" || m.CPUs != runtime.NumCPU() || m.Root != (os.Geteuid() == 0) {
		t.Errorf("%+v", m)
	}
	if m := readMachine(t.TempDir()); m.CPU != "" || m.Memory != 0 || m.Load != "" {
		t.Errorf("without /proc: %+v", m)
	}
}

func TestReadSockets(t *testing.T) {
	files := map[string]string{
		"net/sockstat":  "sockets: used 300\nTCP: inuse 12 orphan 1 tw 3 alloc 20 mem 4\nUDP: inuse 5 mem 2\nUDPLITE: inuse 7\n",
		"net/sockstat6": "TCP6: inuse 30\nUDP6: inuse 2\n",
	}
	if s := readSockets(tree(t, files)); s == nil || *s != (Sockets{TCP: 42, TimeWait: 3, UDP: 7}) {
		t.Errorf("%+v", s)
	}
	delete(files, "net/sockstat6")
	if s := readSockets(tree(t, files)); s == nil || *s != (Sockets{TCP: 12, TimeWait: 3, UDP: 5}) {
		t.Errorf("without IPv6: %+v", s)
	}
	if s := readSockets(t.TempDir()); s != nil {
		t.Errorf("without /proc: %+v", s)
	}
}

func TestReadLab(t *testing.T) {
	dir := tree(t, map[string]string{
		"truth": `{"sockets": 1000, "shape": "pairs", "processes": [{"pid": 7}, {"pid": 8}], "netns": 3}`,
		"other": `{}`, "broken": `{"sock`,
	})
	if l := readLab(filepath.Join(dir, "truth")); l == nil || *l != (Lab{1000, "pairs", 2}) {
		t.Errorf("%+v", l)
	}
	for _, name := range []string{"other", "broken", "missing", ""} {
		if l := readLab(filepath.Join(dir, name)); l != nil {
			t.Errorf("%s: %+v", name, l)
		}
	}
}
