// Package peers compares sockeye with the programs it stands in for: ss of iproute2 and netstat of net-tools.
//
// The peers are fetched by "make peers" into .peers at the module root. A test that needs them is skipped where they are
// missing, unless SOCKEYE_REQUIRE_PEERS=1 asks for them: then it fails.
//
//	func TestMain(m *testing.M) { os.Exit(peers.Wrap(m).Run()) }
//
//	func TestListening(t *testing.T) {
//		s := scene.New(t)
//		peers.Compare(t, s, []string{peers.SS(t), "-tln"}, []string{peers.Sockeye(t), "ss", "-tln"}, peers.Options{})
//	}
package peers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// requireEnv set to 1 makes a missing peer a failure.
const requireEnv = "SOCKEYE_REQUIRE_PEERS"

// SS is the path of the peer ss. Its base name is ss, and its messages begin with "ss:".
func SS(t testing.TB) string {
	t.Helper()
	return find(t, "ss")
}

// Netstat is the path of the peer netstat.
func Netstat(t testing.TB) string {
	t.Helper()
	return find(t, "netstat")
}

func find(t testing.TB, name string) string {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal("peers:", err)
	}
	path := filepath.Join(root, ".peers", name)
	_, err = os.Stat(path)
	switch {
	case err == nil:
		return path
	case !errors.Is(err, os.ErrNotExist):
		t.Fatal("peers:", err)
	case os.Getenv(requireEnv) == "1":
		t.Fatalf("peers: no %s: run make peers", path)
	}
	t.Skipf("peers: no %s: run make peers", path)
	return ""
}

// moduleRoot is the closest folder with a go.mod, from the working directory (a test's is its package's) upwards.
func moduleRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod above %s: %w", start, os.ErrNotExist)
		}
	}
}
