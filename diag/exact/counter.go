package exact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
)

// sizeofIterBuffer is at least what the kernel returns from one read of an iterator where pages have 4 KiB: PAGE_SIZE << 3,
// kernel/bpf/bpf_iter.c.
const sizeofIterBuffer = 32 << 10

// exactTypes are types that kernels have whose iterators resume a bucket by cookies.
var exactTypes = []string{"bpf_tcp_iter_batch_item", "bpf_udp_iter_batch_item"}

// A Counter counts sockets. It serves any number of queries, and network namespaces.
type Counter struct{ objects socketsObjects }

// New loads what counts. The error is errors.ErrUnsupported before Linux 6.17 and without BTF, and os.ErrPermission without CAP_BPF and
// CAP_PERFMON in the initial user namespace.
func New() (*Counter, error) {
	x := &Counter{}
	if err := x.load(); err != nil {
		return nil, fmt.Errorf("exact: %w", err)
	}
	return x, nil
}

func (x *Counter) load() error {
	spec, err := loadSockets()
	if err != nil {
		return err
	}
	if err := spec.LoadAndAssign(&x.objects, nil); err != nil {
		return bpfError("load", err)
	}
	kernel, err := btf.LoadKernelSpec()
	if err == nil {
		for _, name := range exactTypes {
			if _, err = kernel.AnyTypeByName(name); err != nil {
				err = fmt.Errorf("needs Linux 6.17, whose iterators skip no socket: %w", err)
				break
			}
		}
	}
	if err != nil {
		x.objects.Close()
		return bpfError("probe", err)
	}
	return nil
}

// bpfError wraps err such that it is errors.ErrUnsupported where the kernel lacks what the programs need.
func bpfError(op string, err error) error {
	var verifier *ebpf.VerifierError
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%s: needs CAP_BPF and CAP_PERFMON: %w", op, unix.EPERM)
	case errors.Is(err, ebpf.ErrNotSupported), errors.Is(err, btf.ErrNotFound), errors.Is(err, unix.ENOSYS), errors.As(err, &verifier):
		return fmt.Errorf("%s: %w: %w", op, errors.ErrUnsupported, err)
	}
	return fmt.Errorf("%s: %w", op, err)
}

// Close unloads what New loaded.
func (x *Counter) Close() error { return x.objects.Close() }

// Covers reports whether sockets of a protocol can be counted: TCP and UDP.
func Covers(p diag.Protocol) bool { return p == diag.TCP || p == diag.UDP }

// Census counts the sockets that q asks for, in the network namespace of c. The protocol is one that Covers knows.
func (x *Counter) Census(ctx context.Context, c *diag.Conn, q diag.InetQuery) (*Census, error) {
	if q.Protocol == 0 {
		q.Protocol = diag.TCP
	}
	if q.States == 0 {
		q.States = diag.AllStates
	}
	records, err := x.count(ctx, c, &q)
	if err != nil {
		return nil, fmt.Errorf("exact: count %v: %w", q.Protocol, err)
	}
	return newCensus(q, records), nil
}

// count returns the records that meet q.
func (x *Counter) count(ctx context.Context, c *diag.Conn, q *diag.InetQuery) ([]record, error) {
	if !Covers(q.Protocol) || c.Elsewhere() {
		return nil, errors.ErrUnsupported
	}
	r, err := x.open(c, q.Protocol)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	// The tables of listeners come first.
	onlyListen := q.Protocol == diag.TCP && q.States == diag.StatesOf(diag.Listen)
	return readRecords(ctx, r, func(r *record) (keep, more bool) {
		return r.meets(q), !onlyListen || r.state() == diag.Listen
	})
}

// open begins an iteration over the sockets of c's namespace.
func (x *Counter) open(c *diag.Conn, p diag.Protocol) (r io.ReadCloser, err error) {
	program := x.objects.Tcp
	if p == diag.UDP {
		program = x.objects.Udp
	}
	return r, c.InNetNS(func() error { // the namespace is that of the thread that opens
		iter, err := link.AttachIter(link.IterOptions{Program: program})
		if err != nil {
			return bpfError("attach", err)
		}
		defer iter.Close()
		if r, err = iter.Open(); err != nil {
			return bpfError("open iterator", err)
		}
		return nil
	})
}

// readRecords reads an iterator until its end or until no more is wanted, and keeps the records that are.
func readRecords(ctx context.Context, r io.Reader, want func(*record) (keep, more bool)) ([]record, error) {
	var found []record
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
			rec := (*record)(b)
			keep, more := want(rec)
			if !more {
				return found, nil
			}
			if keep {
				if len(found) == cap(found) { // by a quarter, not twofold
					found = slices.Grow(found, max(1024, len(found)/4))
				}
				found = append(found, *rec)
			}
		}
		rest = copy(buf, b)
		switch {
		case errors.Is(err, unix.EAGAIN): // a million sockets were passed in one read; the next goes on from there
		case err == io.EOF && rest == 0:
			return found, nil
		case err == io.EOF:
			return nil, fmt.Errorf("read iterator: %w", io.ErrUnexpectedEOF)
		case err != nil:
			return nil, fmt.Errorf("read iterator: %w", err)
		}
	}
}
