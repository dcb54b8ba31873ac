package exact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/cilium/ebpf/btf"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/bpfiter"
)

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
		return bpfiter.Wrap("load", err)
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
		return bpfiter.Wrap("probe", err)
	}
	return nil
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
	err = c.InNetNS(func() error {
		if r, err = bpfiter.Open(program); err != nil {
			return bpfiter.Wrap("count", err)
		}
		return nil
	})
	return r, err
}

// readRecords reads an iterator until its end or until no more is wanted, and keeps the records that are.
func readRecords(ctx context.Context, r io.Reader, want func(*record) (keep, more bool)) (found []record, err error) {
	err = bpfiter.Records(ctx, r, make([]byte, bpfiter.BufferSize), sizeofRecord, func(b []byte) bool {
		for ; len(b) > 0; b = b[sizeofRecord:] {
			rec := (*record)(b)
			keep, more := want(rec)
			if !more {
				return false
			}
			if keep {
				if len(found) == cap(found) { // by a quarter, not twofold
					found = slices.Grow(found, max(1024, len(found)/4))
				}
				found = append(found, *rec)
			}
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}
