package exact

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/sockeye-tools/sockeye/bench/lab"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/internal/leak"
)

// envChild makes the test program say what New returns.
const envChild = "EXACT_TEST_CHILD"

func TestMain(m *testing.M) {
	lab.ChildMain()
	if os.Getenv(envChild) != "" {
		_, err := New()
		for text, target := range map[string]error{"permission": os.ErrPermission, "unsupported": errors.ErrUnsupported} {
			if errors.Is(err, target) {
				os.Stdout.WriteString(text)
			}
		}
		os.Exit(0)
	}
	os.Exit(leak.Wrap(m).Run())
}

// newCounter skips the test where the kernel does not count, or does not let us.
func newCounter(t testing.TB) *Counter {
	t.Helper()
	x, err := New()
	if errors.Is(err, os.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		t.Skipf("needs CAP_BPF, CAP_PERFMON, Linux 6.17 and BTF: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func dial(t testing.TB, cfg *diag.Config) *diag.Conn {
	t.Helper()
	c, err := diag.Dial(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// cookies returns how often each socket is yielded.
func cookies(t testing.TB, list func(yield func(*diag.InetSocket, error) bool)) map[uint64]int {
	t.Helper()
	m := map[uint64]int{}
	list(func(s *diag.InetSocket, err error) bool {
		if err != nil {
			t.Fatal(err)
		}
		m[s.Cookie]++
		return true
	})
	return m
}

// Who may not is told so.
func TestNewUnprivileged(t *testing.T) {
	newCounter(t) // root may
	cmd := exec.Command("/proc/self/exe")
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), envChild+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), "permission") {
		t.Errorf("%q, %v", out, err)
	}
}

// Nothing is counted of protocols that have no iterator, nor once the context has ended.
func TestCensusUnsupported(t *testing.T) {
	x := newCounter(t)
	if _, err := x.Census(t.Context(), dial(t, nil), diag.InetQuery{Protocol: diag.Raw}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("raw: %v", err)
	}
	c := dial(t, nil)
	cause := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := x.Census(ctx, c, diag.InetQuery{}); !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
		t.Errorf("cancelled: %v", err)
	}
}

// A kernel that is played is not counted.
func TestCensusElsewhere(t *testing.T) {
	x := newCounter(t)
	k := diagtest.NewKernel(t, func(diagtest.Request) []diagtest.Datagram { return nil })
	if _, err := x.Census(t.Context(), dial(t, k.Config()), diag.InetQuery{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}
