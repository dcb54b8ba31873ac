package netns

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/bpfiter"
)

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -tags linux -no-global-types shared bpf/shared.bpf.c -- -O2 -Wall -Werror -mcpu=v3 -I../bpfiter/bpf

// What things take, in microseconds, as measured on one processor: a dump over an empty table, a dump for each socket in the table,
// to look up one socket, and to load the program.
const (
	costDump, costPassed, costLookup, costLoad = 400, 0.22, 15, 30_000
)

// mostConnections is how many connections are kept, each of about 200 bytes.
const mostConnections = 100_000

// Connections finds the TCP connections of the namespaces that have few, in one walk over the table that they share, where that is
// cheaper than a dump for each. It wants Count called before. A namespace for which it cannot be certain keeps none: its counts
// have changed, or do not agree with what was found.
func (f *Found) Connections(ctx context.Context) error {
	small := f.small()
	if len(small) == 0 {
		return nil
	}
	return f.connections(ctx, small)
}

func (f *Found) connections(ctx context.Context, small []*Namespace) error {
	found, err := walkShared(ctx, small)
	if err != nil {
		return err
	}
	f.visit(small, func(n *Namespace) { f.accept(ctx, n, found[n.Inode]) })
	return nil
}

// accept takes the connections that were found of a namespace, if the kernel counts as many. The thread is in it.
func (f *Found) accept(ctx context.Context, n *Namespace, found []connection) {
	n.Connections = nil
	listeners, err := f.listeners(ctx)
	now := f.counts()
	if err != nil || now == nil {
		return
	}
	keys := make([]diag.InetKey, 0, len(found))
	known := make(map[diag.InetKey]bool, len(found)) // a bucket may have been read twice
	seen := listeners
	for i := range found {
		k := found[i].key()
		if known[k] {
			continue
		}
		known[k] = true
		keys = append(keys, k)
		if diag.State(found[i].state) != diag.NewSynRecv { // which is not counted
			seen++
		}
	}
	if seen >= min(n.Counts.TCP, now.TCP) && seen <= max(n.Counts.TCP, now.TCP) {
		n.Connections = keys
	}
}

// small returns the namespaces that have so few connections that it is cheaper to look up each than to walk over those of all, or
// none if the walk for them is not worth it.
func (f *Found) small() (small []*Namespace) {
	total := 0
	for _, n := range f.All {
		if n.Counts != nil {
			total += n.Counts.TCP
		}
	}
	dump := costDump + costPassed*float64(total)
	for _, n := range f.All {
		if n.Counts != nil && n.Counts.Shared && n.Counts.TCP > 0 && costLookup*float64(n.Counts.TCP) < dump {
			small = append(small, n)
		}
	}
	slices.SortStableFunc(small, func(a, b *Namespace) int { return cmp.Compare(a.Counts.TCP, b.Counts.TCP) })
	sum := 0
	for i, n := range small {
		if sum += n.Counts.TCP; sum > mostConnections {
			small = small[:i]
			break
		}
	}
	if float64(len(small))*dump < dump+costLoad {
		return nil
	}
	return small
}

// connection is struct connection of bpf/shared.bpf.c.
type connection struct {
	netns, device     uint32
	family, state     uint16
	local             uint16
	remote            [2]byte // in network order
	localIP, remoteIP [16]byte
}

// key returns the addresses by which the connection is looked up.
func (c *connection) key() diag.InetKey {
	addr := func(ip *[16]byte) netip.Addr {
		if c.family == unix.AF_INET6 {
			return netip.AddrFrom16(*ip)
		}
		return netip.AddrFrom4([4]byte(ip[:4]))
	}
	return diag.InetKey{
		Protocol:  diag.TCP,
		Local:     netip.AddrPortFrom(addr(&c.localIP), c.local),
		Remote:    netip.AddrPortFrom(addr(&c.remoteIP), binary.BigEndian.Uint16(c.remote[:])),
		Interface: c.device,
	}
}

// totals is struct totals of bpf/shared.bpf.c.
type totals struct{ Buckets, Own, Found, Lost uint32 }

// walkShared returns the connections of the namespaces, some perhaps twice.
func walkShared(ctx context.Context, all []*Namespace) (map[uint32][]connection, error) {
	room := 4096
	for _, n := range all {
		room += 2 * n.Counts.TCP
	}
	for range 3 {
		found, total, err := walkOnce(ctx, all, room)
		switch {
		case err != nil:
			return nil, err
		case total.Own != 0:
			return nil, fmt.Errorf("this namespace has a table of its own: %w", errors.ErrUnsupported)
		case total.Lost != 0:
			return nil, fmt.Errorf("%d of %d buckets could not be read", total.Lost, total.Buckets)
		case int(total.Found) <= room:
			return found, nil
		}
		room = 2 * int(total.Found) // connection attempts are not counted
	}
	return nil, errors.New("too many connections")
}

func walkOnce(ctx context.Context, all []*Namespace, room int) (map[uint32][]connection, totals, error) {
	var total totals
	spec, err := loadShared()
	if err != nil {
		return nil, total, err
	}
	spec.Maps[sharedMapWanted].MaxEntries = uint32(len(all))
	spec.Maps[sharedMapFound].MaxEntries = uint32(room)
	var objects sharedObjects
	if err := spec.LoadAndAssign(&objects, nil); err != nil {
		return nil, total, bpfiter.Wrap("load", err)
	}
	defer objects.Close()
	for _, n := range all {
		if err := objects.Wanted.Update(n.Inode, uint8(1), ebpf.UpdateAny); err != nil {
			return nil, total, fmt.Errorf("fill map: %w", err)
		}
	}
	run := func(from, count uint32) error {
		_, err := objects.Shared.Run(&ebpf.RunOptions{Context: [2]uint64{uint64(from), uint64(count)}})
		return err
	}
	if err := run(0, 0); err != nil { // for the size of the table
		return nil, total, fmt.Errorf("run: %w", err)
	}
	if err := objects.Totals.Lookup(uint32(0), &total); err != nil {
		return nil, total, fmt.Errorf("read map: %w", err)
	}
	// A run holds the processor: a millisecond or so, even where the chains are long.
	const chunk = 1024
	workers := max(1, min(runtime.GOMAXPROCS(0), 4))
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for from := uint32(w * chunk); from < total.Buckets && errs[w] == nil; from += uint32(workers * chunk) {
				if errs[w] = ctx.Err(); errs[w] == nil {
					errs[w] = run(from, min(chunk, total.Buckets-from))
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, total, fmt.Errorf("run: %w", err)
	}
	if err := objects.Totals.Lookup(uint32(0), &total); err != nil {
		return nil, total, fmt.Errorf("read map: %w", err)
	}
	size := int(unsafe.Sizeof(connection{}))
	b, err := unix.Mmap(objects.Found.FD(), 0, (room*size+unix.Getpagesize()-1)&^(unix.Getpagesize()-1), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, total, fmt.Errorf("map results: %w", err)
	}
	defer unix.Munmap(b)
	found := make(map[uint32][]connection, len(all))
	for _, c := range unsafe.Slice((*connection)(unsafe.Pointer(&b[0])), min(room, int(total.Found))) {
		found[c.netns] = append(found[c.netns], c)
	}
	return found, total, nil
}
