package diag_test

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/internal/check"
)

// FuzzAnswer: a dump comes to an end whatever the kernel sends. No socket is made of messages that are not an answer, an error is the
// last that is yielded, and one that follows sockets is partial.
func FuzzAnswer(f *testing.F) {
	var well []byte
	for _, fam := range families {
		well = append(well, 8, 0, byte(len(fam.message)), byte(len(fam.message)>>8))
		well = append(well, fam.message...)
	}
	f.Add(well)
	f.Add(append(well[:len(well):len(well)], 0, 0, 4, 0, 0, 0, 0, 0))
	f.Add(append(well[:len(well):len(well)], 0, 0, 4, 0, 0xff, 0xff, 0xff, 0xff))
	f.Add([]byte{1, 0, 20, 0, 0xf0, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{2, 0xff, 0, 0})
	f.Add([]byte{6, 5, 0, 0})
	f.Add([]byte{6, 0x90, 0, 0})
	f.Add([]byte{4, 0, 0, 0, 5, 0, 0, 0, 3, 0, 3, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		check.Time(t, time.Minute, func() string { return fmt.Sprintf("%x", b) })
		k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram { return diagtest.Fuzzed(r, b) })
		cfg := k.Config()
		cfg.Timeout = 10 * time.Second
		c, err := diag.Dial(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ctx := t.Context()
		for _, try := range []struct {
			name string
			run  func() (int, error)
		}{
			{"inet", func() (int, error) { return drain(t, c.Inet(ctx, diag.InetQuery{Family: diag.IPv6})) }},
			{"any order", func() (int, error) { return drain(t, c.Inet(ctx, diag.InetQuery{AnyOrder: true})) }},
			{"unix", func() (int, error) { return drain(t, c.Unix(ctx, diag.UnixQuery{})) }},
			{"netlink", func() (int, error) { return drain(t, c.Netlink(ctx, diag.NetlinkQuery{})) }},
			{"packet", func() (int, error) { return drain(t, c.Packet(ctx, diag.PacketQuery{})) }},
			{"record", func() (int, error) { return 0, c.Record(ctx, diag.InetQuery{Family: diag.IPv4}, io.Discard) }},
		} {
			before := len(k.Requests())
			n, err := try.run()
			if n > len(b)/16 {
				t.Errorf("%s: %d sockets of %d bytes", try.name, n, len(b))
			}
			if err != nil && n > 0 && !errors.Is(err, diag.ErrPartial) {
				t.Errorf("%s: %v after %d sockets is not partial", try.name, err, n)
			}
			if asked := len(k.Requests()) - before; asked > 8 { // 4 tries; the one walk for both families may be followed by one for each
				t.Errorf("%s: asked %d times", try.name, asked)
			}
		}
	})
}

// drain reads a sequence to its end: an error has to be the last.
func drain[S any](t *testing.T, seq iter.Seq2[*S, error]) (n int, last error) {
	for s, err := range seq {
		if last != nil {
			t.Errorf("%v %v after the error %v", s, err, last)
		}
		if last = err; err == nil {
			n++
		}
	}
	return n, last
}
