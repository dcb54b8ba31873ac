package owner

import (
	"cmp"
	"math/bits"
	"slices"
	"sync"
)

// An Owner is one descriptor that refers to a socket.
type Owner struct {
	PID int32 // process (thread group), as Resolve's proc mount numbers it
	FD  int32 // descriptor number in that process, 0 or more
}

// A record is one socket descriptor, as a backend finds it.
type record struct {
	inode   uint32
	pid, fd int32
}

func (r record) compare(s record) int {
	return cmp.Or(cmp.Compare(r.inode, s.inode), cmp.Compare(r.pid, s.pid), cmp.Compare(r.fd, s.fd))
}

// A Table holds the owners of sockets as Resolve found them. It holds no
// descriptor and needs no Close. Its methods are safe for concurrent use.
type Table struct {
	// The records, grouped by the hash of their inode: those of bucket h are
	// records[start[h]:start[h+1]], in order of inode, pid, fd.
	records []record
	start   []uint32
	shift   uint

	backend Backend
	reason  string
	denied  int

	root  string // the proc mount, for Process
	ticks uint64 // clock ticks between boot and the begin of the scan

	mu        sync.RWMutex
	processes map[int32]*Process
}

// Owners appends the owners of the socket with the given inode to dst, ordered
// by PID, then FD, and returns the extended slice. It appends nothing for a
// socket without known owner, nor for inode 0, which stands for a socket that
// has no descriptor: TIME_WAIT, SYN_RECV, not yet accepted, orphaned.
func (t *Table) Owners(dst []Owner, inode uint32) []Owner {
	if inode == 0 || len(t.records) == 0 {
		return dst
	}
	h := t.bucket(inode)
	for _, r := range t.records[t.start[h]:t.start[h+1]] {
		if r.inode == inode {
			dst = append(dst, Owner{r.pid, r.fd})
		}
	}
	return dst
}

// Backend returns the backend that ran: BPF or Proc, or None when nothing was
// wanted or could be looked into.
func (t *Table) Backend() Backend { return t.backend }

// Reason says in a few words, without line breaks, why that backend ran.
func (t *Table) Reason() string { return t.reason }

// Denied returns how many processes did not let the caller see their
// descriptors. Unless it is 0, a socket without owner in the Table can have one
// nonetheless. A /proc that hides other processes altogether (hidepid=2) counts
// as one, as does one that is empty or missing. It is 0 with the BPF backend,
// which no permission of ptrace(2) stops.
func (t *Table) Denied() int { return t.denied }

// Len returns how many descriptors were found.
func (t *Table) Len() int { return len(t.records) }

// bucket spreads inodes, which the kernel hands out in sequence, evenly.
func (t *Table) bucket(inode uint32) uint32 {
	return uint32(uint64(inode*hash) >> t.shift)
}

// fill builds the index from all records in two linear passes.
func (t *Table) fill(slabs slabs) {
	n := slabs.len()
	if n == 0 {
		return
	}
	width := bits.Len(uint(n)) - 1 // one or two records in a bucket
	t.shift = uint(32 - width)
	t.start = make([]uint32, 1<<width+1)
	t.records = make([]record, n)

	for _, slab := range slabs {
		for _, r := range slab {
			t.start[t.bucket(r.inode)]++
		}
	}
	var sum uint32
	for h, count := range t.start {
		sum += count
		t.start[h] = sum
	}
	// Each start is now the end of its bucket; filling from the back moves it
	// to the front and keeps the order of the scan.
	for _, slab := range slices.Backward(slabs) {
		for _, r := range slices.Backward(slab) {
			h := t.bucket(r.inode)
			t.start[h]--
			t.records[t.start[h]] = r
		}
	}
	t.sort()
}

// sort orders each bucket and drops repeated records: descriptors are seen more
// than once when the threads of an exited leader share a table.
func (t *Table) sort() {
	end := uint32(0)
	for h := range len(t.start) - 1 {
		bucket := t.records[t.start[h]:t.start[h+1]]
		slices.SortFunc(bucket, record.compare)
		bucket = slices.Compact(bucket)
		t.start[h] = end
		end += uint32(copy(t.records[end:], bucket))
	}
	t.start[len(t.start)-1] = end
	t.records = t.records[:end]
}
