package netns

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -tags linux -no-global-types held bpf/held.bpf.c -- -O2 -Wall -Werror -I../../diag/owner/bpf

// whatBound is BOUND in bpf/held.bpf.c: the descriptor is that of a TCP socket which is bound and nothing else.
const whatBound = 2

// descriptors finds the namespaces that descriptors hold, also those of sockets, and which have sockets that are only bound.
func (f *finder) descriptors(ctx context.Context) error {
	spec, err := loadHeld()
	if err != nil {
		return err
	}
	var objects heldObjects
	if err := spec.LoadAndAssign(&objects, nil); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	defer objects.Close()
	it, err := link.AttachIter(link.IterOptions{Program: objects.Held})
	if err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	defer it.Close()
	r, err := it.Open()
	if err != nil {
		return fmt.Errorf("open iterator: %w", err)
	}
	defer r.Close()
	in := bufio.NewReaderSize(patient{ctx, r}, 32<<10) // as much as the kernel gives at a time
	for {
		var b [16]byte
		if _, err := io.ReadFull(in, b[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("read iterator: %w", err)
		}
		ne := binary.NativeEndian
		inode, h, what := ne.Uint32(b[:]), holder{int32(ne.Uint32(b[4:])), int32(ne.Uint32(b[8:]))}, ne.Uint32(b[12:])
		if !f.isNetwork(inode, h) {
			continue
		}
		f.hold(inode, h)
		if what&whatBound != 0 {
			f.byInode[inode].Bound = true
		}
	}
}

// isNetwork reports whether an inode that a record told is a network namespace's: a descriptor can be of another kind of namespace.
func (f *finder) isNetwork(inode uint32, h holder) bool {
	if f.byInode[inode] != nil {
		return true
	}
	target, err := os.Readlink(fmt.Sprintf("%s/%d/fd/%d", f.proc, h.pid, h.fd))
	if err != nil {
		return false // closed since
	}
	i, ok := parseLink(target)
	return ok && i == inode || len(target) > 7 && target[:7] == "socket:"
}

// patient reads an iterator, which says EAGAIN when it has passed over a million descriptors and has nothing to tell.
type patient struct {
	ctx context.Context
	r   io.Reader
}

func (p patient) Read(b []byte) (int, error) {
	for {
		if err := p.ctx.Err(); err != nil {
			return 0, err
		}
		if n, err := p.r.Read(b); n > 0 || !errors.Is(err, unix.EAGAIN) {
			return n, err
		}
	}
}

func itoa(n int32) string { return strconv.Itoa(int(n)) }

func atoi(s string) int32 {
	n, _ := strconv.ParseInt(s, 10, 32)
	return int32(n)
}
