package netstat

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/diag"
)

// TestBSDTail: the columns behind the state, below the headings that macOS 14 and FreeBSD have.
func TestBSDTail(t *testing.T) {
	info := make([]byte, 280)
	binary.NativeEndian.PutUint32(info[52:], 2500) // tcpi_last_data_recv, tcpi_last_ack_recv: ms
	binary.NativeEndian.PutUint32(info[56:], 1230)
	binary.NativeEndian.PutUint64(info[128:], 6502) // tcpi_bytes_received
	binary.NativeEndian.PutUint64(info[200:], 2563) // tcpi_bytes_sent
	mem := []uint32{2304, 131072, 0, 131328, 0, 4352, 0, 0, 0}
	list := []sock{
		{proto: diag.TCP, state: diag.Established, local: "198.51.100.20:61781", remote: "203.0.113.4:443", inode: 7, info: info, mem: mem,
			timer: diag.TimerOn, expires: 1234 * time.Millisecond},
		{proto: diag.TCP, state: diag.Established, local: "198.51.100.20:61781", remote: "203.0.113.4:443", inode: 8, info: info[:192], mem: mem,
			timer: diag.TimerKeepalive, expires: 7199 * time.Second},
		{proto: diag.TCP, state: diag.TimeWait, local: "198.51.100.20:61782", remote: "203.0.113.4:443", timer: diag.TimerTimeWait, expires: 59 * time.Second},
		{proto: diag.UDP, state: diag.Close, local: "0.0.0.0:53", remote: "0.0.0.0:0", inode: 9, mem: mem},
	}
	// Nothing has come yet: the kernel counts from when the host came up.
	young := sock{proto: diag.TCP, state: diag.SynSent, local: "198.51.100.20:61783", remote: "203.0.113.4:443", inode: 10, info: info, mem: mem,
		timer: diag.TimerOn, expires: time.Second}
	programs := func(inode uint32) (int32, string, bool) {
		switch inode {
		case 7:
			return 1910, "Some App", true
		case 8:
			return 32768, "x\nevil\x1b[31m\xff", true
		}
		return 0, "", false
	}
	sameText(t, bsdLines(bsdText(t, BSDOptions{Verbose: true, Program: programs}, list...)), `Active Internet connections
Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)          rxbytes      txbytes  rhiwat  shiwat          process:pid
tcp4       0      0  198.51.100.20.61781    203.0.113.4.443        ESTABLISHED         6502         2563  131072  131328         Some App:1910
tcp4       0      0  198.51.100.20.61781    203.0.113.4.443        ESTABLISHED         6502            -  131072  131328     x.evil.[31m.:32768
tcp4       0      0  198.51.100.20.61782    203.0.113.4.443        TIME_WAIT              -            -       -       -                -:-
udp4       0      0  *.53                   *.*                                           -            -  131072  131328                -:-
`)
	sameText(t, bsdLines(bsdText(t, BSDOptions{Bytes: true}, list[0])), `Active Internet connections
Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)          rxbytes      txbytes
tcp4       0      0  198.51.100.20.61781    203.0.113.4.443        ESTABLISHED         6502         2563
`)
	sameText(t, bsdLines(bsdText(t, BSDOptions{Buffers: true}, append(list, young)...)), `Active Internet connections
Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)      R-HIWA  S-HIWA  R-BCNT  S-BCNT   rexmt persist    keep    2msl rcvtime
tcp4       0      0  198.51.100.20.61781    203.0.113.4.443        ESTABLISHED  131072  131328    2304    4352    1.23       -       -       -    1.23
tcp4       0      0  198.51.100.20.61781    203.0.113.4.443        ESTABLISHED  131072  131328    2304    4352       -       - 7199.00       -    1.23
tcp4       0      0  198.51.100.20.61782    203.0.113.4.443        TIME_WAIT         -       -       -       -       -       -       -   59.00       -
udp4       0      0  *.53                   *.*                                 131072  131328    2304    4352       -       -       -       -       -
tcp4       0      0  198.51.100.20.61783    203.0.113.4.443        SYN_SENT     131072  131328    2304    4352    1.00       -       -       -       -
`)
}
