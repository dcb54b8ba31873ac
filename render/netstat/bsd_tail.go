package netstat

import (
	"time"

	"github.com/sockeye-tools/sockeye/diag"
)

// hasReceived are the states that begin with a segment of the peer's. In SYN-SENT tcpi_last_data_recv and tcpi_last_ack_recv are about
// as old as the host.
const hasReceived = diag.ProcStates &^ (1<<diag.SynSent | 1<<diag.Listen | 1<<diag.Close)

// appendTailTitle appends the headings behind the state.
func (t *BSDTable) appendTailTitle(dst []byte) []byte {
	if t.Bytes || t.Verbose {
		dst = append(dst, "      rxbytes      txbytes"...)
	}
	if t.Verbose {
		dst = append(dst, "  rhiwat  shiwat          process:pid   "...)
	}
	if t.Buffers {
		dst = append(dst, "  R-HIWA  S-HIWA  R-BCNT  S-BCNT   rexmt persist    keep    2msl rcvtime"...)
	}
	return dst
}

// appendTail appends the columns behind the state. What sock_diag tells of a socket is
//   - rxbytes, txbytes: tcpi_bytes_received and tcpi_bytes_sent (Linux 4.1, 4.19), of TCP alone;
//   - rhiwat, shiwat, R-HIWA, S-HIWA: the limits of its buffers (SO_RCVBUF, SO_SNDBUF), in bytes;
//   - R-BCNT, S-BCNT: the memory that its queues take, in bytes;
//   - rexmt, persist, keep, 2msl: the time until a timer expires, in seconds. The kernel tells of one timer at a time;
//   - rcvtime: the time since the last segment came, in seconds, where one has come.
func (t *BSDTable) appendTail(dst []byte, s *diag.InetSocket) []byte {
	if !t.Bytes && !t.Verbose && !t.Buffers {
		return dst
	}
	info := &t.info
	hasInfo := s.TCPInfo(info)
	mem, hasMem := s.SKMemInfo()
	if t.Bytes || t.Verbose {
		dst = appendKnown(dst, info.BytesReceived, 13, hasInfo && diag.Has(info, &info.BytesReceived))
		dst = appendKnown(dst, info.BytesSent, 13, hasInfo && diag.Has(info, &info.BytesSent))
	}
	if t.Verbose {
		dst = appendKnown(dst, uint64(mem.RcvBuf), 8, hasMem)
		dst = appendKnown(dst, uint64(mem.SndBuf), 8, hasMem)
		dst = t.appendOwner(dst, s.Inode)
	}
	if t.Buffers {
		for _, n := range [...]uint32{mem.RcvBuf, mem.SndBuf, mem.RMemAlloc, mem.WMemQueued} {
			dst = appendKnown(dst, uint64(n), 8, hasMem)
		}
		for _, kind := range [...]diag.Timer{diag.TimerOn, diag.TimerProbe, diag.TimerKeepalive, diag.TimerTimeWait} {
			dst = appendTime(dst, s.Expires, s.Protocol == diag.TCP && s.Timer == kind)
		}
		dst = appendTime(dst, time.Duration(min(info.LastDataRecv, info.LastAckRecv))*time.Millisecond,
			hasInfo && hasReceived.Has(s.State))
	}
	return dst
}

// appendKnown appends a number that is right-aligned in width columns, or "-" if it is not known.
func appendKnown(dst []byte, n uint64, width int, known bool) []byte {
	if !known {
		return append(pad(dst, len(dst), width-1), '-')
	}
	return appendRightUint(dst, n, width)
}

// appendTime appends seconds and hundredths, right-aligned in 8 columns, or "-".
func appendTime(dst []byte, d time.Duration, known bool) []byte {
	if !known {
		return appendKnown(dst, 0, 8, false)
	}
	var cell [24]byte
	return appendRight(dst, appendSeconds(cell[:0], d), 8)
}

// appendOwner appends NAME:PID, the name right-aligned in 16 columns behind a blank, and the pid left-aligned in 6. Bytes of a name
// that are not printable ASCII become dots, so that none takes a row of its own or reaches a terminal.
func (t *BSDTable) appendOwner(dst []byte, inode uint32) []byte {
	var pid int32
	var name string
	known := false
	if t.Program != nil && inode != 0 {
		pid, name, known = t.Program(inode)
	}
	if name == "" {
		name = "-"
	}
	name = name[:min(len(name), 16)]
	dst = pad(dst, len(dst), 17-len(name))
	for i := range len(name) {
		c := name[i]
		if c < 0x20 || c > 0x7e {
			c = '.'
		}
		dst = append(dst, c)
	}
	dst = append(dst, ':')
	if !known {
		return append(dst, "-     "...)
	}
	return appendLeftInt(dst, int64(pid), 6)
}
