package ss

import (
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// Each row comes out at once, under the headings and in columns that only grow.
func TestFlushEvent(t *testing.T) {
	var b strings.Builder
	p := New(&b, Options{State: true, Extended: true, Numeric: true})
	for _, step := range []struct {
		row  message
		want string
	}{
		{message{state: diag.Close, src: "192.0.2.1:1", dst: "192.0.2.2:2", inode: 1234567}, "State  Recv-Q Send-Q Local Address:Port Peer Address:Port\n" +
			"UNCONN 0      0          192.0.2.1:1       192.0.2.2:2 ino:1234567 sk:0\n"},
		{message{state: diag.Close, src: "192.0.2.1:1", dst: "192.0.2.2:2"}, "UNCONN 0      0          192.0.2.1:1       192.0.2.2:2 ino:0 sk:0\n"},
		{message{state: diag.Close, src: "192.0.2.100:10000", dst: "192.0.2.200:2"}, "UNCONN 0      0        192.0.2.100:10000  192.0.2.200:2 ino:0 sk:0\n"},
	} {
		if err := p.Inet(step.row.socket(t)); err != nil {
			t.Fatal(err)
		}
		b.Reset()
		if err := p.FlushEvent(); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != step.want {
			t.Errorf("%q\nwant %q", got, step.want)
		}
	}
}
