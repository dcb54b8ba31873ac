package scene

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// A procRow is a row of one of the inet tables in /proc/net.
type procRow struct {
	local, remote netip.AddrPort
	state         State
	sendQ, recvQ  uint32
	timer         Timer
	uid, inode    uint32
}

func (r procRow) String() string {
	return fmt.Sprintf("%v > %v %v send %d recv %d timer %v uid %d inode %d", r.local, r.remote, r.state, r.sendQ, r.recvQ, r.timer, r.uid, r.inode)
}

// procTables are the files of /proc/net with inet sockets, by table and family (AF_INET, AF_INET6).
var procTables = []struct {
	table Table
	v6    bool
	file  string
}{
	{TCP, false, "tcp"}, {TCP, true, "tcp6"},
	{UDP, false, "udp"}, {UDP, true, "udp6"},
	{UDPLite, false, "udplite"}, {UDPLite, true, "udplite6"},
	{Raw, false, "raw"}, {Raw, true, "raw6"},
}

// readProc reads a table as the calling thread's network namespace has it. A missing file is an empty table.
func readProc(file string) ([]procRow, error) {
	b, err := os.ReadFile("/proc/thread-self/net/" + file)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseProc(file, string(b))
}

// parseProc parses a table; its first line is the header.
func parseProc(file, text string) ([]procRow, error) {
	var rows []procRow
	_, text, _ = strings.Cut(text, "\n")
	for line := range strings.Lines(text) {
		row, err := parseProcRow(strings.Fields(line))
		if err != nil {
			return nil, fmt.Errorf("/proc/net/%s: %q: %w", file, line, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func parseProcRow(f []string) (row procRow, err error) {
	if len(f) < 10 {
		return row, fmt.Errorf("%d fields", len(f))
	}
	number := func(s string, base int) uint32 {
		n, e := strconv.ParseUint(s, base, 32)
		if e != nil && err == nil {
			err = e
		}
		return uint32(n)
	}
	address := func(s string) netip.AddrPort {
		host, port, _ := strings.Cut(s, ":")
		b, e := hex.DecodeString(host)
		if e != nil || len(b)%4 != 0 {
			err = fmt.Errorf("address %q", s)
			return netip.AddrPort{}
		}
		// The kernel prints each word of the address as a number.
		for i := 0; i < len(b); i += 4 {
			binary.NativeEndian.PutUint32(b[i:], binary.BigEndian.Uint32(b[i:]))
		}
		addr, _ := netip.AddrFromSlice(b)
		return netip.AddrPortFrom(addr, uint16(number(port, 16)))
	}
	row.local, row.remote = address(f[1]), address(f[2])
	row.state = State(number(f[3], 16))
	tx, rx, _ := strings.Cut(f[4], ":")
	row.sendQ, row.recvQ = number(tx, 16), number(rx, 16)
	timer, _, _ := strings.Cut(f[5], ":")
	row.timer = Timer(number(timer, 16))
	row.uid, row.inode = number(f[7], 10), number(f[9], 10)
	return row, err
}

// row is what /proc/net must say about the socket.
func (e *Expect) row() procRow {
	return procRow{local: e.Local, remote: e.Remote, state: e.State, sendQ: e.SendQ, recvQ: e.RecvQ, timer: e.Timer, uid: e.UID, inode: e.Inode}
}

// inProc reports whether /proc/net has the socket at all.
func (e *Expect) inProc() bool {
	return e.Table >= TCP && e.Table <= Raw && e.State != BoundInactive
}

// differences compares the sockets with /proc/net of the calling thread's namespace, both ways, and describes every
// difference; none are left when the scene has come to rest.
func differences(sockets []Expect) ([]string, error) {
	var diffs []string
	for _, t := range procTables {
		rows, err := readProc(t.file)
		if err != nil {
			return nil, err
		}
		left := make(map[procRow]int)
		for _, r := range rows {
			left[r]++
		}
		for i := range sockets {
			e := &sockets[i]
			if !e.inProc() || e.Table != t.table || e.Local.Addr().Is4() == t.v6 {
				continue
			}
			want := e.row()
			if left[want] == 0 {
				diffs = append(diffs, fmt.Sprintf("%s lacks %q: %v", t.file, e.Name, want))
				continue
			}
			left[want]--
		}
		for row, n := range left {
			if n > 0 {
				diffs = append(diffs, fmt.Sprintf("%s has %d more: %v", t.file, n, row))
			}
		}
	}
	return diffs, nil
}
