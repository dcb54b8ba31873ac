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
			time.Sleep(1200 * time.Millisecond)
			before, err := tables()
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
			later := now.Add(refreshAfter)
			if err := w.keep.refresh(later); err != nil {
				return err
			}
			if at := w.keep.chunks[0].at; at != later {
				t.Errorf("refreshed at %v, want %v", at, later)
			}
			// A second one is not answered, and counts all the same.
			if err := w.keep.refresh(later.Add(refreshAfter)); err != nil {
				return err
			}
			after, err := tables()
			if err != nil {
				return err
			}
			least, most := uint64(1<<63), uint64(0)
			n := 0
			for _, r := range after {
				if r.group.State == "TIME_WAIT" {
					least = min(least, r.expires)
					n++
				}
			}
			for _, r := range before {
				if r.group.State == "TIME_WAIT" {
					most = max(most, r.expires)
				}
			}
			if n != 5 || least <= most {
				t.Errorf("%d sockets, which end in %d/100 s at the earliest; before they did in %d/100 s", n, least, most)
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
