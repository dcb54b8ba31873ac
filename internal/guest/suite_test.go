package guest

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/sockeye-tools/sockeye/internal/guest/wire"
)

// A test that a guest has all modules for has no reason to be skipped there; one that it lacks a module for has.
func TestUnexcused(t *testing.T) {
	const all = "inet_diag.ko\nvsock.ko\nvsock_diag.ko\nvsock_loopback.ko\n"
	skip := Skip{"TestVSockFamily", "loopback transport: connection timed out"}
	for _, c := range []struct {
		order   string
		missing []string // modules that were refused
		skipped []Skip
		want    []Skip
	}{
		{all, nil, []Skip{{"TestOther", "needs DCCP"}, skip}, []Skip{skip}},
		{all, nil, []Skip{{"TestOther", "needs DCCP"}}, nil},
		{all, []string{"tcp_cdg: no such device"}, []Skip{skip}, []Skip{skip}},
		{all, []string{"vsock_diag: no such device"}, []Skip{skip}, nil},
		{"inet_diag.ko\nvsock.ko\nvsock_loopback.ko\n", nil, []Skip{skip}, nil},
	} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "modules"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "modules", "order"), []byte(c.order), 0o644); err != nil {
			t.Fatal(err)
		}
		r := &Row{Kernel: &Kernel{dir: dir}, Result: &Result{Boot: wire.Boot{Missing: c.missing}}, Verdicts: []Verdict{{}, {Skipped: c.skipped}}}
		if got, err := r.Unexcused(); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: %v, %v", c, got, err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Unexcused(); err == nil {
			t.Errorf("without a list of modules: %v", got)
		}
	}
	if got, err := (&Row{}).Unexcused(); got != nil || err != nil { // the guest did not start, which is told
		t.Errorf("%v, %v", got, err)
	}
}
