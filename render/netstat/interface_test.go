package netstat

import (
	"math"
	"strings"
	"testing"
)

func TestAppendSize(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0.0 B", 1023: "1023.0 B", 1024: "1024.0 B", 1025: "1.0 KiB", 1536: "1.5 KiB", 2047: "1.9 KiB", 1 << 20: "1024.0 KiB", 1<<20 + 1: "1.0 MiB",
		234820696: "223.9 MiB", 1<<60 + 1: "1.0 EiB", 3 << 59: "1.5 EiB", math.MaxUint64: "15.9 EiB", 3 << 49: "1.5 PiB",
	} {
		if got := string(appendSize(nil, n)); got != " ("+want+")\n" {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestAppendInterface(t *testing.T) {
	i := &Interface{Name: "eth0", MTU: 1500, Flags: 0x1043, Counters: &InterfaceCounters{
		RxPackets: 1, RxErrors: 2, RxDropped: 3, RxFIFO: 4, TxPackets: 5, TxErrors: 6, TxDropped: 7, TxFIFO: 8}}
	want := "eth0             1500        1      2      3 4             5      6      7      8 BMRU\n"
	if got := string(AppendInterface(nil, i)); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	want = "x                   0      - no statistics available -                        [NO FLAGS]\n"
	if got := string(AppendInterface(nil, &Interface{Name: "x"})); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestAppendMap: hardware that a test cannot make.
func TestAppendMap(t *testing.T) {
	for want, i := range map[string]Interface{
		"": {BaseAddr: 0xff},
		"        device interrupt 16  memory 0xf7c00000-f7c20000  \n": {IRQ: 16, MemStart: 0xf7c00000, MemEnd: 0xf7c20000},
		"        device base 0x1000    dma 0x3\n":                     {BaseAddr: 0x1000, DMA: 3},
	} {
		if got := string(appendMap(nil, &i)); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	long := string(AppendInterfaceLong(nil, &Interface{Name: "e", IRQ: 5, Type: 1, Hardware: []byte{1, 2, 3, 4, 5, 6}}))
	if !strings.HasSuffix(long, "        ether 01:02:03:04:05:06  txqueuelen 0  (Ethernet)\n        device interrupt 5  \n\n") {
		t.Errorf("got %q", long)
	}
}
