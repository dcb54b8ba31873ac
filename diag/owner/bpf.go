package owner

import (
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/cilium/ebpf"

	"github.com/sockeye-tools/sockeye/internal/bpfiter"
)

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -tags linux -no-global-types taskfile bpf/task_file.bpf.c -- -O2 -Wall -Werror -I../../internal/bpfiter/bpf

const (
	// maybeBits is MAYBE_BITS in bpf/task_file.bpf.c.
	maybeBits = 19

	// maxKernelWanted is the largest set of inodes that the kernel picks by.
	// Of a larger one more than every eighth bit is set, and little is saved.
	maxKernelWanted = 1 << maybeBits / 8

	// sizeofRecord is the size of struct record in bpf/task_file.bpf.c.
	sizeofRecord = 12
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
		s := iterScan{ctx: ctx, program: program, want: want, buf: make([]byte, bpfiter.BufferSize)}
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
		return nil, bpfiter.Wrap("load", err)
	}
	return objects.TaskFile, nil
}

// read reads an iterator to its end and keeps the wanted records.
func (s *iterScan) read(r io.Reader) error {
	return bpfiter.Records(s.ctx, r, s.buf, sizeofRecord, func(b []byte) bool {
		for ; len(b) > 0; b = b[sizeofRecord:] {
			r := record{
				pid:   int32(binary.NativeEndian.Uint32(b)),
				fd:    int32(binary.NativeEndian.Uint32(b[4:])),
				inode: binary.NativeEndian.Uint32(b[8:]),
			}
			if s.want.has(r.inode) {
				s.found.add(r)
			}
		}
		return true
	})
}
