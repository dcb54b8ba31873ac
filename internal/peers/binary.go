package peers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// binaryEnv names a sockeye that is built already.
const binaryEnv = "SOCKEYE_BIN"

// errUnwrapped says that there would be no one to remove what is built.
var errUnwrapped = errors.New("TestMain must run the tests by peers.Wrap(m).Run(), or " + binaryEnv + " name a binary")

// binary is the sockeye of this run of the tests.
var binary struct {
	once    sync.Once
	wrapped bool   // Wrap's Run is at work and will remove dir
	dir     string // temporary; empty until built
	path    string
	err     error
}

// Sockeye is the path of the sockeye under test: that of SOCKEYE_BIN, else one that is built at the first call and removed by
// [Wrap] at the end of the run.
func Sockeye(t testing.TB) string {
	t.Helper()
	binary.once.Do(func() {
		if path := os.Getenv(binaryEnv); path != "" {
			binary.path, binary.err = filepath.Abs(path)
			return
		}
		if !binary.wrapped {
			binary.err = errUnwrapped
			return
		}
		if binary.dir, binary.err = os.MkdirTemp("", "sockeye-peers-"); binary.err != nil {
			return
		}
		binary.path = filepath.Join(binary.dir, "sockeye")
		binary.err = build(binary.path, "./cmd/sockeye")
	})
	if binary.err != nil {
		t.Fatal("peers:", binary.err)
	}
	return binary.path
}

// build builds the program of a package of the module as it is released.
func build(path, pkg string) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, pkg)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// Tests is a run of tests: a *testing.M.
type Tests interface{ Run() int }

// Wrap returns the tests with what they need around them. TestMain runs it in the place of m.
func Wrap(m Tests) Tests { return wrapped{m} }

type wrapped struct{ Tests }

func (w wrapped) Run() (code int) {
	binary.wrapped = true
	defer func() {
		binary.wrapped = false
		if binary.dir == "" {
			return
		}
		if err := os.RemoveAll(binary.dir); err != nil {
			fmt.Fprintln(os.Stderr, "peers:", err)
			code = max(code, 1)
		}
	}()
	return w.Tests.Run()
}
