package ss

import (
	"math/bits"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

func TestDefaultStates(t *testing.T) {
	const (
		conn = diag.AllStates &^ (1<<diag.Listen | 1<<diag.Close | 1<<diag.TimeWait | 1<<diag.SynRecv)
		est  = diag.States(1 << diag.Established)
		cls  = diag.States(1 << diag.Close)
	)
	for name, want := range map[string]diag.States{
		"tcp": conn, "mptcp": conn, "dccp": conn, "sctp": conn, "udp": est, "raw": est, "inet": conn | est,
		"unix_stream": conn, "u_seq": conn, "u_dgr": cls, "unix": conn | cls, "packet": cls, "p_raw": cls, "netlink": cls, "xdp": cls,
		"v_str": conn, "vsock_dgram": conn, "tipc": est | cls | 1<<diag.Listen, "all": conn | est | cls,
	} {
		if got := queries[name].defaultStates(); got != want {
			t.Errorf("%s: %b, want %b", name, got, want)
		}
	}
}

func TestInetTables(t *testing.T) {
	var all tables
	for _, it := range inetTables {
		if bits.OnesCount32(uint32(it.table)) != 1 || all&it.table != 0 {
			t.Errorf("%v is no table of its own", it)
		}
		all |= it.table
	}
	if all != tablesInet {
		t.Errorf("%b, want %b", all, tablesInet)
	}
}
