package peers

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestPeersAnswer(t *testing.T) {
	for path, want := range map[string]string{SS(t): "ss utility, iproute2-7.", Netstat(t): "net-tools 2.10"} {
		out, err := exec.Command(path, "--version").Output()
		if err != nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("%s --version: %q, %v; want %q", path, out, err, want)
		}
		// The messages name the program as the original's do, not the wrapper's parts.
		out, err = exec.Command(path, "--no-such-option").CombinedOutput()
		if want := filepath.Base(path) + ": unrecognized option '--no-such-option'\n"; err == nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("%s --no-such-option: %v, %q; want %q", path, err, out, want)
		}
	}
}

func TestPeersMissing(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for require, wantFailed := range map[string]bool{"": false, "0": false, "1": true} {
		t.Setenv(requireEnv, require)
		r := &record{TB: t}
		r.run(func(tb testing.TB) { SS(tb) })
		if r.failed != wantFailed || r.skipped == wantFailed || !strings.Contains(r.text, "run make peers") {
			t.Errorf("%s=%q: failed %v, skipped %v: %s", requireEnv, require, r.failed, r.skipped, r.text)
		}
	}
}
