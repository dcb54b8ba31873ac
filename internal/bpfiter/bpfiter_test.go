package bpfiter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// again says EAGAIN some times, and then ends.
type again int

func (a *again) Read([]byte) (int, error) {
	if *a--; *a < 0 {
		return 0, io.EOF
	}
	return 0, unix.EAGAIN
}

// Records come whole, however reads cut them, until no more is wanted.
func TestRecords(t *testing.T) {
	const size, n = 24, 3000 // more than a buffer
	all := make([]byte, size*n)
	for i := range all {
		all[i] = byte(i / size)
	}
	wait := again(3)
	buf := make([]byte, BufferSize)
	for name, r := range map[string]io.Reader{
		"whole": bytes.NewReader(all), "half": iotest.HalfReader(bytes.NewReader(all)), "bytes": iotest.OneByteReader(bytes.NewReader(all)),
		"EOF with data": iotest.DataErrReader(bytes.NewReader(all)),
		"EAGAIN":        io.MultiReader(bytes.NewReader(all[:99]), &wait, bytes.NewReader(all[99:])),
	} {
		var got []byte
		err := Records(t.Context(), r, buf, size, func(b []byte) bool {
			if len(b) == 0 || len(b)%size != 0 {
				t.Errorf("%s: %d bytes", name, len(b))
			}
			got = append(got, b...)
			return true
		})
		if err != nil || !bytes.Equal(got, all) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	calls := 0
	if err := Records(t.Context(), bytes.NewReader(all), buf, size, func([]byte) bool { calls++; return false }); err != nil || calls != 1 {
		t.Errorf("called %d times, %v", calls, err)
	}
}

func TestRecordsFail(t *testing.T) {
	all := func([]byte) bool { return true }
	buf := make([]byte, BufferSize)
	if err := Records(t.Context(), bytes.NewReader(make([]byte, 30)), buf, 24, all); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut off: %v", err)
	}
	if err := Records(t.Context(), iotest.ErrReader(unix.EIO), buf, 24, all); !errors.Is(err, unix.EIO) {
		t.Errorf("broken: %v", err)
	}
	cause := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	ever := again(math.MaxInt)
	if _, err := Read(ctx, &ever, make([]byte, 24)); !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestWrap(t *testing.T) {
	verifier := &ebpf.VerifierError{Cause: unix.EINVAL}
	for _, tt := range []struct {
		name string
		err  error
		is   error // of the two kinds; nil: neither
	}{
		{"capability", fmt.Errorf("program: %w", unix.EPERM), os.ErrPermission},
		{"capability, by the verifier", &ebpf.VerifierError{Cause: unix.EPERM}, os.ErrPermission},
		{"program type", unix.EOPNOTSUPP, errors.ErrUnsupported},
		{"feature", ebpf.ErrNotSupported, errors.ErrUnsupported},
		{"bpf(2)", unix.ENOSYS, errors.ErrUnsupported},
		{"type in BTF", fmt.Errorf("sk_ino: %w", btf.ErrNotFound), errors.ErrUnsupported},
		{"verifier", verifier, errors.ErrUnsupported},
		{"memory", unix.ENOMEM, nil},
		{"descriptors", fmt.Errorf("%w: %w", ebpf.ErrNotSupported, unix.EMFILE), nil},
		{"descriptors of the host", fmt.Errorf("%w: %w", btf.ErrNotFound, unix.ENFILE), nil},
		{"descriptors, by the verifier", &ebpf.VerifierError{Cause: unix.EMFILE}, nil},
	} {
		err := Wrap("load", tt.err)
		for _, kind := range []error{os.ErrPermission, errors.ErrUnsupported} {
			if errors.Is(err, kind) != (kind == tt.is) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if !strings.HasPrefix(err.Error(), "load: ") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := Wrap("load", verifier); !errors.Is(err, unix.EINVAL) {
		t.Errorf("the cause is lost: %v", err)
	}
}
