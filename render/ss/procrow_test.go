package ss

import (
	"strings"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/diag"
)

// Each of these was seen from ss, which read the line from PROC_NET_TCP.
func TestInetProc(t *testing.T) {
	for _, tt := range []struct {
		sock diag.InetSocket
		row  ProcRow
		want string
	}{
		{diag.InetSocket{Inode: 39627716}, ProcRow{SK: 0xd0fa744, RTO: 100, Cwnd: 10}, " ino:39627716 sk:d0fa744 rto:1 cwnd:10 reordering:0"},
		{diag.InetSocket{UID: 7, Inode: 39627717, Timer: diag.TimerOn, Expires: 200 * time.Millisecond, Retrans: 3},
			ProcRow{SK: 0x19787927, RTO: 20, ATO: 4, QAck: 31, Cwnd: 10, SSThresh: 7},
			" timer:(on,200ms,3) uid:7 ino:39627717 sk:19787927 rto:0.2 ato:0.04 qack:15 bidir cwnd:10 ssthresh:7 retrans:3/0 reordering:0"},
		{diag.InetSocket{Inode: 1}, ProcRow{RTO: 300, QAck: 4, SSThresh: 70000}, " ino:1 sk:0 qack:2 ssthresh:70000 reordering:0"},
		{diag.InetSocket{Inode: 1}, ProcRow{RTO: 123456, ATO: 45, QAck: 3, Opt: []byte("foo bar\x1b")},
			` ino:1 sk:0 opt:"foo bar?" rto:1234.56 ato:0.45 qack:1 bidir reordering:0`},
	} {
		tt.sock.Source, tt.sock.Protocol = diag.FromProc, diag.TCP
		var b strings.Builder
		p := New(&b, Options{NoHeader: true, Extended: true, Info: true, Timers: true})
		if err := p.InetProc(&tt.sock, &tt.row); err != nil {
			t.Fatal(err)
		}
		if err := p.Flush(); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(b.String(), "*"+tt.want+"\n") {
			t.Errorf("%q\nwant %q", b.String(), tt.want)
		}
		if p.row != nil {
			t.Error("the row goes on to the next socket")
		}
	}
}
