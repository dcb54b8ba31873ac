package owner

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -tags linux -no-global-types taskfile bpf/task_file.bpf.c -- -O2 -Wall -Werror

const (
	// maxKernelWanted is the largest set of inodes that is looked up in the
	// kernel. A larger one takes longer to hand over than it saves.
	maxKernelWanted = 4096

	// sizeofRecord is the size of struct record in bpf/task_file.bpf.c.
	sizeofRecord = 12

	// sizeofIterBuffer is at least what the kernel returns from one read of an
	// iterator where pages have 4 KiB: PAGE_SIZE << 3, kernel/bpf/bpf_iter.c.
	sizeofIterBuffer = 32 << 10
)

// scanBPF returns the socket descriptors of all processes in the pid namespace
// of the caller. Linux 5.11.
func scanBPF(ctx context.Context, want *inodeSet) (slabs, error) {
	spec, err := loadTaskfile()
	if err != nil {
		return nil, err
	}
	filtered := want != nil && want.n <= maxKernelWanted
	if filtered {
		spec.Maps[taskfileMapWanted].MaxEntries = uint32(want.n)
		if err := spec.Variables[taskfileVarFiltered].Set(uint8(1)); err != nil {
			return nil, err
		}
	}
	var objects taskfileObjects
	if err := spec.LoadAndAssign(&objects, nil); err != nil {
		return nil, bpfError("load", err)
	}
	defer objects.Close()
	if filtered {
		keys := want.appendTo(make([]uint32, 0, want.n))
		if _, err := objects.Wanted.BatchUpdate(keys, make([]uint8, len(keys)), nil); err != nil {
			return nil, bpfError("fill map", err)
		}
		want = nil
	}
	iter, err := link.AttachIter(link.IterOptions{Program: objects.TaskFile})
	if err != nil {
		return nil, bpfError("attach", err)
	}
	defer iter.Close()
	r, err := iter.Open()
	if err != nil {
		return nil, bpfError("open iterator", err)
	}
	defer r.Close()
	return readRecords(ctx, r, want)
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

// readRecords reads the iterator to its end and keeps the wanted records.
func readRecords(ctx context.Context, r io.Reader, want *inodeSet) (slabs, error) {
	var found slabs
	buf := make([]byte, sizeofIterBuffer)
	rest := 0 // bytes of a record that the last read cut off
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := r.Read(buf[rest:])
		n += rest
		b := buf[:n]
		for ; len(b) >= sizeofRecord; b = b[sizeofRecord:] {
			r := record{
				pid:   int32(binary.NativeEndian.Uint32(b)),
				fd:    int32(binary.NativeEndian.Uint32(b[4:])),
				inode: binary.NativeEndian.Uint32(b[8:]),
			}
			if want.has(r.inode) {
				found.add(r)
			}
		}
		rest = copy(buf, b)
		switch {
		case errors.Is(err, unix.EAGAIN):
			// One read passes at most a million descriptors, and none of
			// these was wanted. The next read goes on from there.
		case err == io.EOF && rest == 0:
			return found, nil
		case err == io.EOF:
			return nil, fmt.Errorf("read iterator: %w", io.ErrUnexpectedEOF)
		case err != nil:
			return nil, fmt.Errorf("read iterator: %w", err)
		}
	}
}
