package netstat

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"strconv"

	"github.com/sockeye-tools/sockeye/diag"
)

// synRecv knows how often the timers of SYN_RECV sockets have expired (num_timeout of struct request_sock): sock_diag has
// num_retrans, the SYN-ACKs that were sent again. It reads /proc/net/tcp and tcp6 when it is first asked.
type synRecv struct {
	root string // where tcp and tcp6 are
	read [2]bool
	seen map[synRecvKey]uint8
}

type synRecvKey struct {
	family        diag.Family
	local, remote netip.AddrPort
}

func (q *synRecv) timeouts(s *diag.InetSocket) (uint8, bool) {
	if s.Source == diag.FromProc {
		return s.Retrans, true
	}
	table, at := "/tcp", 0
	if s.Family == diag.IPv6 {
		table, at = "/tcp6", 1
	}
	if !q.read[at] {
		q.read[at] = true
		q.load(q.root+table, s.Family)
	}
	n, ok := q.seen[synRecvKey{s.Family, s.Local, s.Remote}]
	return n, ok
}

// load reads a table. What cannot be read stays unknown.
func (q *synRecv) load(path string, family diag.Family) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	if q.seen == nil {
		q.seen = map[synRecvKey]uint8{}
	}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, n, ok := parseSynRecv(lines.Bytes(), family); ok {
			q.seen[key] = n
		}
	}
}

// parseSynRecv reads a line that is in SYN_RECV (Documentation/networking/proc_net_tcp.rst):
//
//	sl: local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt ...
func parseSynRecv(line []byte, family diag.Family) (key synRecvKey, timeouts uint8, ok bool) {
	_, line, _ = bytes.Cut(line, []byte(": "))
	size := 4
	if family == diag.IPv6 {
		size = 16
	}
	const state = "03"
	addr := 2*size + len(":0016")
	if len(line) < 2*addr+4 || string(line[2*addr+2:2*addr+4]) != state {
		return key, 0, false
	}
	key.family = family
	f := bytes.Fields(line)
	if len(f) < 6 || !parseProcAddr(f[0], size, &key.local) || !parseProcAddr(f[1], size, &key.remote) {
		return key, 0, false
	}
	n, err := strconv.ParseUint(string(f[5]), 16, 32)
	return key, uint8(min(n, 255)), err == nil
}

// parseProcAddr reads ADDRESS:PORT: 32-bit words in the machine's order, in hexadecimal.
func parseProcAddr(b []byte, size int, dst *netip.AddrPort) bool {
	var a [16]byte
	if len(b) != 2*size+5 || b[2*size] != ':' {
		return false
	}
	if _, err := hex.Decode(a[:], b[:2*size]); err != nil {
		return false
	}
	for i := 0; i < size; i += 4 {
		binary.NativeEndian.PutUint32(a[i:], binary.BigEndian.Uint32(a[i:]))
	}
	port, err := strconv.ParseUint(string(b[2*size+1:]), 16, 16)
	addr, _ := netip.AddrFromSlice(a[:size])
	*dst = netip.AddrPortFrom(addr, uint16(port))
	return err == nil
}
