package owner

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -tags linux -no-global-types taskfile bpf/task_file.bpf.c -- -O2 -Wall -Werror

const (
	// maybeBits is MAYBE_BITS in bpf/task_file.bpf.c.
	maybeBits = 19

	// maxKernelWanted is the largest set of inodes that the kernel picks by.
	// Of a larger one more than every eighth bit is set, and little is saved.
	maxKernelWanted = 1 << maybeBits / 8

	// sizeofRecord is the size of struct record in bpf/task_file.bpf.c.
	sizeofRecord = 12

	// sizeofIterBuffer is at least what the kernel returns from one read of an
	// iterator where pages have 4 KiB: PAGE_SIZE << 3, kernel/bpf/bpf_iter.c.
	sizeofIterBuffer = 32 << 10
)

// scanBPF returns the socket descriptors of all processes in the pid namespace
// of the caller, which fs shows. Linux 5.11.
func scanBPF(ctx context.Context, fs *procFS, want *inodeSet, workers int) (slabs, error) {
	program, err := loadProgram(want)
	if err != nil {
		return nil, err
	}
	defer program.Close()
	found, err := scanProcesses(ctx, fs, program, want, workers)
	if errors.Is(err, errors.ErrUnsupported) {
		s := iterScan{ctx: ctx, program: program, want: want, buf: make([]byte, sizeofIterBuffer)}
		err = s.scan(0)
		found = s.found
	}
	return found, err
}

// loadProgram loads the program such that it writes the wanted inodes, and
// perhaps others.
func loadProgram(want *inodeSet) (*ebpf.Program, error) {
	spec, err := loadTaskfile()
	if err != nil {
		return nil, err
	}
	if want != nil && want.n <= maxKernelWanted {
		if err := spec.Variables[taskfileVarFiltered].Set(uint8(1)); err != nil {
			return nil, err
		}
		if err := spec.Variables[taskfileVarMaybe].Set(want.bits(maybeBits)); err != nil {
			return nil, err
		}
	}
	var objects taskfilePrograms
	if err := spec.LoadAndAssign(&objects, nil); err != nil {
		return nil, bpfError("load", err)
	}
	return objects.TaskFile, nil
}

// bpfError wraps err such that it is errors.ErrUnsupported where the kernel
// lacks what the program needs.
func bpfError(op string, err error) error {
	var verifier *ebpf.VerifierError
	if errors.Is(err, ebpf.ErrNotSupported) || errors.Is(err, btf.ErrNotFound) || errors.As(err, &verifier) && !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("%s: %w: %w", op, errors.ErrUnsupported, err)
	}
	return fmt.Errorf("%s: %w", op, err)
}

// read reads an iterator to its end and keeps the wanted records.
func (s *iterScan) read(r io.Reader) error {
	rest := 0 // bytes of a record that the last read cut off
	for {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(s.buf[rest:])
		n += rest
		b := s.buf[:n]
		for ; len(b) >= sizeofRecord; b = b[sizeofRecord:] {
			r := record{
				pid:   int32(binary.NativeEndian.Uint32(b)),
				fd:    int32(binary.NativeEndian.Uint32(b[4:])),
				inode: binary.NativeEndian.Uint32(b[8:]),
			}
			if s.want.has(r.inode) {
				s.found.add(r)
			}
		}
		rest = copy(s.buf, b)
		switch {
		case errors.Is(err, unix.EAGAIN):
			// One read passes at most a million descriptors, and none of
			// these was wanted. The next read goes on from there.
		case err == io.EOF && rest == 0:
			return nil
		case err == io.EOF:
			return fmt.Errorf("read iterator: %w", io.ErrUnexpectedEOF)
		case err != nil:
			return fmt.Errorf("read iterator: %w", err)
		}
	}
}
