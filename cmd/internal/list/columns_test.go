package list

import (
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
)

// Why there is no owner is told where owners were looked up, unless the state tells it.
func TestOrWhyNone(t *testing.T) {
	f, err := field.Lookup("owner")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		owners field.Owners
		socket diag.InetSocket
		want   string
	}{
		{holders{}, diag.InetSocket{State: diag.Established, Inode: 1}, "server[100] other[200] server[300]"},
		{holders{}, diag.InetSocket{State: diag.Established}, "(unaccepted)"},
		{holders{}, diag.InetSocket{State: diag.TimeWait}, "-"},
		{nil, diag.InetSocket{State: diag.Established, Inode: 1}, "-"},
		{nil, diag.InetSocket{State: diag.Established}, "-"},
	} {
		col := column(&field.Context{Owners: tt.owners}, f)
		if got := string(col.Append(nil, &tt.socket)); got != tt.want {
			t.Errorf("%v, %v, inode %d: %q, want %q", tt.owners, tt.socket.State, tt.socket.Inode, got, tt.want)
		}
	}
}
