// Package bpfiter reads BPF iterators: programs that the kernel runs for each thing of a kind, and that write records about them.
package bpfiter

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/ctxerr"
)

// BufferSize is at least what the kernel returns from one read where pages have 4 KiB: PAGE_SIZE << 3, kernel/bpf/bpf_iter.c.
const BufferSize = 32 << 10

// Wrap wraps an error of op such that it is errors.ErrUnsupported where the kernel lacks what a program needs, and os.ErrPermission
// without the capabilities that it takes. Where no descriptor is left it is neither, whatever a probe made of that.
func Wrap(op string, err error) error {
	var verifier *ebpf.VerifierError
	switch {
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE): // also from the verifier
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%s: needs CAP_BPF and CAP_PERFMON: %w", op, unix.EPERM)
	case errors.Is(err, ebpf.ErrNotSupported), errors.Is(err, btf.ErrNotFound), errors.Is(err, unix.ENOSYS), errors.As(err, &verifier):
		if scarce := room(); scarce != nil {
			return fmt.Errorf("%s: %w", op, scarce)
		}
		return fmt.Errorf("%s: %w: %w", op, errors.ErrUnsupported, err)
	}
	return fmt.Errorf("%s: %w", op, err)
}

// room returns EMFILE or ENFILE where fewer descriptors are left than a program takes with its maps. The probes of package ebpf take that
// for a feature that the kernel lacks, and say no more.
func room() error {
	const enough = 16
	for range enough {
		fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC) // which fails for nothing else
		if err != nil {
			return err
		}
		defer unix.Close(fd)
	}
	return nil
}

// Open begins to iterate. Sockets are those of the calling thread's network namespace.
func Open(program *ebpf.Program) (io.ReadCloser, error) {
	iter, err := link.AttachIter(link.IterOptions{Program: program})
	if err != nil {
		return nil, fmt.Errorf("attach: %w", err)
	}
	defer iter.Close() // what is open keeps it
	r, err := iter.Open()
	if err != nil {
		return nil, fmt.Errorf("open iterator: %w", err)
	}
	return r, nil
}

// Read reads as much as the kernel has ready. The error is io.EOF at the end.
func Read(ctx context.Context, r io.Reader, b []byte) (int, error) {
	for {
		if ctx.Err() != nil {
			return 0, ctxerr.Of(ctx)
		}
		n, err := r.Read(b)
		switch {
		case n == 0 && errors.Is(err, unix.EAGAIN):
			// One read passes at most a million things, and none of these was wanted. The next goes on from there.
			continue
		case err != nil && err != io.EOF:
			err = fmt.Errorf("read iterator: %w", err)
		}
		return n, err
	}
}

// Records reads into buf, to the end or until wanted returns false. That is called with one or more whole records of the size, which are
// valid until it returns.
func Records(ctx context.Context, r io.Reader, buf []byte, size int, wanted func(records []byte) (more bool)) error {
	rest := 0 // bytes of a record that the last read cut off
	for {
		n, err := Read(ctx, r, buf[rest:])
		n += rest
		whole := n / size * size
		if whole > 0 && !wanted(buf[:whole]) {
			return nil
		}
		rest = copy(buf, buf[whole:n])
		switch {
		case err == io.EOF && rest > 0:
			return fmt.Errorf("read iterator: %w", io.ErrUnexpectedEOF)
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}
