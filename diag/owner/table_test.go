package owner

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

func newTable(records ...record) *Table {
	var s slabs
	for _, r := range records {
		s.add(r)
	}
	t := &Table{root: "/proc"}
	t.fill(s)
	return t
}

// TestTable compares with a map that is filled in the plain way.
func TestTable(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 3, 100, 5000, 100_000} {
		want := make(map[uint32][]Owner)
		var records []record
		for range n {
			r := record{uint32(1 + rng.IntN(n)), int32(1 + rng.IntN(50)), int32(rng.IntN(20))}
			if rng.IntN(10) == 0 {
				r.inode = ^uint32(0) - r.inode // inodes wrap at 32 bits
			}
			records = append(records, r)
			if o := (Owner{r.pid, r.fd}); !slices.Contains(want[r.inode], o) {
				want[r.inode] = append(want[r.inode], o)
			}
		}
		table := newTable(records...)
		total := 0
		for inode, owners := range want {
			total += len(owners)
			if got := table.Owners(nil, inode); !slices.Equal(got, sortOwners(owners)) {
				t.Fatalf("%d records: owners of %d = %v, want %v", n, inode, got, owners)
			}
		}
		if len(table.records) != total {
			t.Errorf("%d records: table has %d, want %d", n, len(table.records), total)
		}
		for inode := range uint32(2*n + 2) {
			if _, ok := want[inode]; !ok && table.Owners(nil, inode) != nil {
				t.Fatalf("%d records: inode %d has an owner", n, inode)
			}
		}
	}
}

func TestTableAppends(t *testing.T) {
	table := newTable(record{7, 2, 1}, record{7, 1, 9}, record{7, 1, 3})
	dst := []Owner{{99, 99}}
	want := []Owner{{99, 99}, {1, 3}, {1, 9}, {2, 1}}
	if got := table.Owners(dst, 7); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := table.Owners(dst, 0); !slices.Equal(got, dst) {
		t.Errorf("inode 0: got %v, want %v", got, dst)
	}
}

// TestTableShared has one inode with so many owners that its bucket is most of
// the table, in the order that is worst for sorting by insertion.
func TestTableShared(t *testing.T) {
	const n = 100_000
	var s slabs
	for i := range int32(n) {
		s.add(record{5, n - i, 3})
	}
	table := &Table{}
	table.fill(s)
	got := table.Owners(nil, 5)
	if len(got) != n || got[0].PID != 1 || got[n-1].PID != n {
		t.Errorf("got %d owners, first %v", len(got), got[0])
	}
}

func TestTableSize(t *testing.T) {
	const n = 1 << 20
	var s slabs
	for i := range uint32(n) {
		s.add(record{i + 1, 1, int32(i)})
	}
	table := &Table{}
	table.fill(s)
	size := cap(table.records)*int(unsafe.Sizeof(record{})) + cap(table.start)*4
	if size > 17<<20 {
		t.Errorf("a table of %d records takes %d bytes", n, size)
	}
	longest := uint32(0)
	for h := range len(table.start) - 1 {
		longest = max(longest, table.start[h+1]-table.start[h])
	}
	if longest > 8 {
		t.Errorf("inodes in sequence: %d in one bucket", longest)
	}
}

func TestOwnersAllocs(t *testing.T) {
	table := newTable(record{7, 2, 1}, record{7, 1, 9}, record{8, 1, 3})
	dst := make([]Owner, 0, 4)
	inode := uint32(0)
	if n := testing.AllocsPerRun(100, func() {
		dst = table.Owners(dst[:0], inode%10)
		inode++
	}); n != 0 {
		t.Errorf("Owners: %v allocations", n)
	}
}
