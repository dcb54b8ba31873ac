package netstat

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

const heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

// Tables as Linux 6.18 on a little-endian machine wrote them.
const (
	tcpTable = heading +
		"   0: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0000000000000000 100 0 0 10 0\n" +
		"   1: 0100007F:1F91 0100007F:A2B4 03 00000000:00000000 01:00000117 00000006  1000        0 0 0 0000000000000000\n" +
		"   2: 0100007F:A2B4 0100007F:1F91 01 00000000:00000000 00:00000000 00000009     0        0 2 1 0000000000000000 20 4 30 10 -1\n" +
		"bogus\n" +
		"   3: 0100007F:1F91 0100007F:XXXX 03 00000000:00000000 01:00000117 00000006  1000        0 0 0 0000000000000000\n"
	tcp6Table = heading +
		"   1: 00000000000000000000000001000000:1F92 00000000000000000000000001000000:B3EC 03 00000000:00000000 01:00000100 00000002    33        0 0 0 0000000000000000\n" +
		"   2: 0000000000000000FFFF00000100007F:1F92 0000000000000000FFFF00000100007F:B3ED 03 00000000:00000000 01:00000100 00000003    33        0 0 0 0000000000000000\n"
)

func TestTimeouts(t *testing.T) {
	if [2]byte{1, 0} != [2]byte(littleEndian()) {
		t.Skip("the tables are those of a little-endian machine")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"tcp": tcpTable, "tcp6": tcp6Table} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	q := &synRecv{root: dir}
	for _, c := range []struct {
		local, remote string
		family        diag.Family
		want          uint8
		ok            bool
	}{
		{"127.0.0.1:8081", "127.0.0.1:41652", diag.IPv4, 6, true},
		{"127.0.0.1:41652", "127.0.0.1:8081", diag.IPv4, 0, false}, // ESTABLISHED
		{"127.0.0.1:8081", "127.0.0.1:1", diag.IPv4, 0, false},
		{"[::1]:8082", "[::1]:46060", diag.IPv6, 2, true},
		{"[::ffff:127.0.0.1]:8082", "[::ffff:127.0.0.1]:46061", diag.IPv6, 3, true},
	} {
		s := &diag.InetSocket{Family: c.family, State: diag.SynRecv, Local: netip.MustParseAddrPort(c.local), Remote: netip.MustParseAddrPort(c.remote)}
		if got, ok := q.timeouts(s); got != c.want || ok != c.ok {
			t.Errorf("%s %s: got %d, %v; want %d, %v", c.local, c.remote, got, ok, c.want, c.ok)
		}
	}
	s := &diag.InetSocket{Family: diag.IPv4, State: diag.SynRecv, Source: diag.FromProc, Retrans: 9}
	if got, ok := q.timeouts(s); got != 9 || !ok {
		t.Errorf("a row from /proc: got %d, %v", got, ok)
	}
	missing := &synRecv{root: filepath.Join(dir, "none")}
	s.Source = diag.FromNetlink
	if _, ok := missing.timeouts(s); ok {
		t.Error("known, without a table")
	}
}

func littleEndian() []byte {
	addr := netip.AddrPort{}
	if !parseProcAddr([]byte("00000001:0000"), 4, &addr) {
		return nil
	}
	b := addr.Addr().As4()
	return []byte{b[0], b[3]}
}
