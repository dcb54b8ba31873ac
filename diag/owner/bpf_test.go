package owner

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/bpfiter"
)

// pieces is a reader that returns one piece or error for each read.
type pieces []any

func (p *pieces) Read(b []byte) (int, error) {
	if len(*p) == 0 {
		return 0, io.EOF
	}
	next := (*p)[0]
	*p = (*p)[1:]
	if err, ok := next.(error); ok {
		return 0, err
	}
	return copy(b, next.([]byte)), nil
}

func encode(records ...record) []byte {
	var b []byte
	for _, r := range records {
		b = binary.NativeEndian.AppendUint32(b, uint32(r.pid))
		b = binary.NativeEndian.AppendUint32(b, uint32(r.fd))
		b = binary.NativeEndian.AppendUint32(b, r.inode)
	}
	return b
}

// readRecords reads an iterator.
func readRecords(ctx context.Context, r io.Reader, want *inodeSet) (slabs, error) {
	s := iterScan{ctx: ctx, want: want, buf: make([]byte, bpfiter.BufferSize)}
	err := s.read(r)
	return s.found, err
}

func TestReadRecords(t *testing.T) {
	a, b, c := record{1, 2, 3}, record{4, 5, 6}, record{7, 8, 9}
	all := encode(a, b, c)
	for _, tt := range []struct {
		name string
		r    io.Reader
		want []uint32
		got  []record
		err  error
	}{
		{name: "empty", r: &pieces{}},
		{name: "one read", r: &pieces{all}, got: []record{a, b, c}},
		{name: "cut anywhere", r: &pieces{all[:5], all[5:19], all[19:]}, got: []record{a, b, c}},
		{name: "byte by byte", r: iotest.OneByteReader(&limited{all}), got: []record{a, b, c}},
		{name: "data with EOF", r: iotest.DataErrReader(&pieces{all}), got: []record{a, b, c}},
		{name: "wanted", r: &pieces{all}, want: []uint32{4, 99}, got: []record{b}},
		{name: "nothing in a million", r: &pieces{encode(a), unix.EAGAIN, &os.PathError{Err: unix.EAGAIN}, encode(b)}, got: []record{a, b}},
		{name: "short", r: &pieces{all[:13]}, err: io.ErrUnexpectedEOF},
		{name: "error", r: &pieces{all, unix.ENOMEM}, err: unix.ENOMEM},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found, err := readRecords(t.Context(), tt.r, newInodeSet(tt.want))
			if got := slices.Concat(found...); !errors.Is(err, tt.err) || err == nil && !slices.Equal(got, tt.got) {
				t.Errorf("got %v, %v; want %v, %v", got, err, tt.got, tt.err)
			}
		})
	}
}

// endless never ends, and cancels after some reads.
type endless struct {
	reads  int
	cancel context.CancelFunc
}

func (e *endless) Read(b []byte) (int, error) {
	if e.reads--; e.reads == 0 {
		e.cancel()
	}
	clear(b)
	return len(b), nil
}

func TestReadRecordsCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, err := readRecords(ctx, &endless{3, cancel}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestReadRecordsAllocs pins that only kept records take memory.
func TestReadRecordsAllocs(t *testing.T) {
	records := make([]record, 20000)
	for i := range records {
		records[i] = record{uint32(i + 1), 1, 1}
	}
	b := encode(records...)
	want := newInodeSet([]uint32{1 << 31})
	allocs := func(b []byte) float64 {
		return testing.AllocsPerRun(10, func() {
			if _, err := readRecords(t.Context(), &limited{b}, want); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := allocs(b[:120]), allocs(b); many > few {
		t.Errorf("%v allocations for 10 records, %v for %d", few, many, len(records))
	}
}

type limited struct{ b []byte }

func (l *limited) Read(b []byte) (int, error) {
	if len(l.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b, l.b)
	l.b = l.b[n:]
	return n, nil
}

// TestBPFObjects decodes the objects of both byte orders.
func TestBPFObjects(t *testing.T) {
	for _, name := range []string{"taskfile_bpfel.o", "taskfile_bpfeb.o"} {
		t.Run(name, func(t *testing.T) {
			spec, err := ebpf.LoadCollectionSpec(name)
			if err != nil {
				t.Fatal(err)
			}
			if p := spec.Programs[taskfileProgTaskFile]; p == nil || p.AttachTo != "task_file" || p.License != "Dual BSD/GPL" {
				t.Errorf("program: %+v", p)
			}
			if v := spec.Variables[taskfileVarMaybe]; v == nil || v.Size() != 1<<maybeBits/8 || v.Constant() {
				t.Errorf("variable: %v", v)
			}
			if v := spec.Variables[taskfileVarFiltered]; v == nil || v.Size() != 1 || !v.Constant() {
				t.Errorf("variable: %v", v)
			}
		})
	}
}
