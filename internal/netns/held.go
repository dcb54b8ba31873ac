package netns

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"

	"github.com/sockeye-tools/sockeye/internal/bpfiter"
)

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -tags linux -no-global-types held bpf/held.bpf.c -- -O2 -Wall -Werror -I../bpfiter/bpf

const (
	// whatBound is BOUND in bpf/held.bpf.c: the descriptor is that of a TCP socket which is bound and nothing else.
	whatBound = 2

	// sizeofHeld is the size of struct record in bpf/held.bpf.c.
	sizeofHeld = 16
)

// descriptors finds the namespaces that descriptors hold, also those of sockets, and which have sockets that are only bound.
func (f *finder) descriptors(ctx context.Context) error {
	spec, err := loadHeld()
	if err != nil {
		return err
	}
	var objects heldObjects
	if err := spec.LoadAndAssign(&objects, nil); err != nil {
		return bpfiter.Wrap("load", err)
	}
	defer objects.Close()
	r, err := bpfiter.Open(objects.Held)
	if err != nil {
		return err
	}
	defer r.Close()
	return bpfiter.Records(ctx, r, make([]byte, bpfiter.BufferSize), sizeofHeld, func(b []byte) bool {
		for ; len(b) > 0; b = b[sizeofHeld:] {
			ne := binary.NativeEndian
			inode, h, what := ne.Uint32(b), holder{int32(ne.Uint32(b[4:])), int32(ne.Uint32(b[8:]))}, ne.Uint32(b[12:])
			if !f.isNetwork(inode, h) {
				continue
			}
			f.hold(inode, h)
			if what&whatBound != 0 {
				f.byInode[inode].Bound = true
			}
		}
		return true
	})
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

func itoa(n int32) string { return strconv.Itoa(int(n)) }

func atoi(s string) int32 {
	n, _ := strconv.ParseInt(s, 10, 32)
	return int32(n)
}
