package lab

import (
	"net/netip"
	"testing"
	"time"
)

// onesSum is the Internet checksum's sum (RFC 1071), which is 0xffff over
// data that holds its own checksum.
func onesSum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

func TestAppendSegment(t *testing.T) {
	for _, tt := range []struct {
		src, dst string
		header   int
	}{{"198.18.3.2:1033", "10.64.30.1:8084", 20}, {"[2001:db8::7]:65535", "[fd50::1]:1", 40}, {"255.255.255.255:65535", "255.255.255.254:65535", 20}} {
		src, dst := netip.MustParseAddrPort(tt.src), netip.MustParseAddrPort(tt.dst)
		b := appendSegment(nil, src, dst, flagSYN|flagACK, 0x01020304, 0xfffefdfc)
		if len(b) != tt.header+20 {
			t.Fatalf("%d bytes", len(b))
		}
		s, d := src.Addr().AsSlice(), dst.Addr().AsSlice()
		pseudo := append(append(append([]byte{}, s...), d...), 0, 6, 0, 20)
		if got := onesSum(append(pseudo, b[tt.header:]...)); got != 0xffff {
			t.Errorf("%s > %s: checksum leaves %#x", src, dst, got)
		}
		tcp := b[tt.header:]
		if got := uint16(tcp[0])<<8 | uint16(tcp[1]); got != src.Port() {
			t.Errorf("source port %d", got)
		}
		if tcp[4] != 1 || tcp[7] != 4 || tcp[8] != 0xff || tcp[11] != 0xfc || tcp[13] != 0x12 {
			t.Errorf("header % x", tcp)
		}
	}
}

// TestKeeperRefresh asks the kernel: after a refresh, TIME_WAIT sockets have longer to live than before.
func TestKeeperRefresh(t *testing.T) {
	for f := range 2 {
		inNamespace(t, func(w *worker) error {
			w.spec.TimeWait[f] = 5
			if err := w.build(); err != nil {
				return err
			}
			// ends is when the kernel will drop the first and the last of them, at the earliest and at the latest.
			ends := func() (n int, first, last time.Time, err error) {
				begun := time.Now()
				rows, err := tables()
				done := time.Now()
				for _, r := range rows {
					if r.group.State != "TIME_WAIT" {
						continue
					}
					left := time.Duration(r.expires) * 10 * time.Millisecond
					if at := begun.Add(left); n == 0 || at.Before(first) {
						first = at
					}
					if at := done.Add(left); at.After(last) {
						last = at
					}
					n++
				}
				return n, first, last, err
			}
			_, _, before, err := ends()
			if err != nil {
				return err
			}
			now := time.Now()
			if err := w.keep.refresh(now); err != nil { // nothing is due yet
				return err
			}
			if at := w.keep.chunks[0].at; !at.Before(now) {
				t.Errorf("refreshed at %v, before it was due", at)
			}
			// As often as it takes to see a difference: those after the first are not answered, and count all the same.
			later := now
			for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
				later = later.Add(refreshAfter)
				if err := w.keep.refresh(later); err != nil {
					return err
				}
				if at := w.keep.chunks[0].at; at != later {
					t.Errorf("refreshed at %v, want %v", at, later)
				}
				n, after, _, err := ends()
				if err != nil {
					return err
				}
				if n == 5 && after.After(before.Add(time.Second)) {
					break
				}
				if n != 5 || time.Since(begun) > 40*time.Second { // before they would end by themselves
					t.Errorf("%d sockets, the first of which ends at %v; before, the last one did at %v", n, after, before)
					break
				}
			}
			return nil
		})
	}
}

func TestForgerDoesNotAllocate(t *testing.T) {
	inNamespace(t, func(*worker) error {
		f, err := newForger([2]bool{true, true})
		if err != nil {
			return err
		}
		defer f.close()
		for i := range 2 {
			src, dst := newSockaddr(remoteAddr(i, 0, 0)), newSockaddr(netip.AddrPortFrom(ownAddr[i], 9))
			if n := testing.AllocsPerRun(100, func() {
				if err := f.send(src, dst, flagACK, 1, 1); err != nil {
					t.Error(err)
				}
			}); n != 0 {
				t.Errorf("%s: %v allocations a segment", familyName(i == 1), n)
			}
		}
		return nil
	})
}
