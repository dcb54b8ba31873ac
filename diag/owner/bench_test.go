package owner

import (
	"fmt"
	"testing"
)

// benchmarkResolve resolves all sockets of a host where children hold more and
// more of them.
func benchmarkResolve(b *testing.B, backend Backend) {
	for _, n := range []int{100, 1000, 10000, 30000} {
		b.Run(fmt.Sprintf("sockets=%d", n), func(b *testing.B) {
			const children = 2
			for range children {
				startChild(b, fmt.Sprintf("hold=%d", n/children), nil)
			}
			records := 0
			for b.Loop() {
				table, err := Resolve(b.Context(), &Config{Backend: backend}, nil)
				if err != nil {
					b.Fatal(err)
				}
				records += len(table.records)
			}
			b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "sockets/s")
		})
	}
}

func BenchmarkResolveBPF(b *testing.B) {
	needBPF(b)
	benchmarkResolve(b, BPF)
}

func BenchmarkResolveProc(b *testing.B) { benchmarkResolve(b, Proc) }

func BenchmarkLookup(b *testing.B) {
	for _, n := range []uint32{1000, 1_000_000} {
		b.Run(fmt.Sprintf("sockets=%d", n), func(b *testing.B) {
			var s slabs
			for i := range n {
				s.add(record{inode: 1000 + i, pid: int32(i / 20000), fd: int32(i % 20000)})
			}
			table := &Table{}
			table.fill(s)
			dst := make([]Owner, 0, 8)
			inode := uint32(0)
			b.ReportAllocs()
			for b.Loop() {
				inode = (inode + 7919) % n
				dst = table.Owners(dst[:0], 1000+inode)
			}
			if len(dst) != 1 {
				b.Fatal(dst)
			}
		})
	}
}
