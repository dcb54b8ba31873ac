package ss

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

func netlinkMessage(protocol, state uint8, port, dstPort, dstGroup uint32, attrs ...[]byte) []byte {
	return append(native(uint8(16), uint8(3), protocol, state, port, dstPort, dstGroup, uint32(9), uint32(7), uint32(8)), bytes.Join(attrs, nil)...)
}

// randomNetlink has no port that could be the number of a process.
func randomNetlink(r *rand.Rand) []byte {
	return netlinkMessage(uint8(r.IntN(30)), some[uint8](r, 0, 1, 7), some(r, 0, 1<<31+figure(r)>>1, 1<<32-1), figure(r), figure(r),
		maybe(r, attr(0, words(r, 9))), maybe(r, attr(1, words(r, 2))))
}

func TestNetlink(t *testing.T) {
	opt := Options{State: true, Processes: true, Extended: true, Memory: true, NetlinkProtocols: map[uint8]string{16: "generic"},
		Process: func(pid int32) (string, bool) { return "a\x1b)b", pid == 4711 }}
	got := rows(t, opt, diag.ParseNetlink, (*Writer).Netlink,
		netlinkMessage(16, 7, 4711, 0, 0, attr(1, uint64(1<<32|5))), netlinkMessage(0, 1, 4712, 5, 3))
	want := "UNCONN 0      0      generic:a./4711  *  sk=0 cb=0 groups=0x00000005\t\n" +
		"UNCONN 0      0            0:4712    3:5 sk=0 cb=0 groups=0x00000000\t\n"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	opt.Numeric = true
	opt.Processes = false // and with the column go the details
	got = rows(t, opt, diag.ParseNetlink, (*Writer).Netlink, netlinkMessage(16, 7, 4711, 0, 0), netlinkMessage(1, 7, 0, 0, 0))
	if want := "UNCONN 0      0      16:4711 *\nUNCONN 0      0       1:0    *\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	opt = Options{Processes: true, NoQueues: true, ProcessContext: func(pid int32) string { return "c" + strconv.Itoa(int(pid)) }}
	got = rows(t, opt, diag.ParseNetlink, (*Writer).Netlink, netlinkMessage(0, 7, 7, 0, 0), netlinkMessage(0, 7, 0, 0, 0), netlinkMessage(0, 7, 1<<31, 0, 0))
	want = "0:7           * proc_ctx=c7\n0:kernel      * proc_ctx=c0\n0:-2147483648 * proc_ctx=unavailable\n"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
