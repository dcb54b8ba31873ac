package list

import (
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
)

// Ends are in the order of addresses and ports, not of their texts; sockets without one come last in either direction.
func TestSortOfEnds(t *testing.T) {
	const nine, ten, six = "192.0.2.9:1\n192.0.2.9:2\n192.0.2.9:3\n", "192.0.2.10:1\n192.0.2.10:2\n", "[2001:db8::1]:1\n"
	if out, words, _ := told(t, party, "-t", "-H", "-c", "peer", "-s", "peer"); out != nine+ten+six+"*\n" {
		t.Errorf("%s%s", out, words)
	}
	out, words, _ := told(t, party, "-t", "-H", "-c", "peer", "-s", "family,peer:desc", "-n", "3", "state = established")
	if want := "192.0.2.10:2\n192.0.2.10:1\n192.0.2.9:2\n"; out != want {
		t.Errorf("%s%s", out, words)
	}
}

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

// Where owners are not looked up, who asks for them by name is told; what shows them by itself shows the rest.
func TestWithoutOwners(t *testing.T) {
	for line, what := range map[string]string{
		"-g process": "--group-by process", "-g state,pid": "--group-by pid", "-s pid": "--sort pid", "-s rtt,no_owner:desc": "--sort no_owner",
		"-c owner": "--columns owner", "-c state,unit": "--columns unit", "-c +comm": "--columns comm", "-c all,pid -o json": "--columns pid", "pid = 1": "the filter",
	} {
		out, words, status := told(t, party, strings.Fields(line)...)
		if out != "" || status != cli.ExitUsage || words != "sockeye: "+what+" asks for owners, and --owners=none does not look them up\n" {
			t.Errorf("%s: %q, %q, status %d", line, out, words, status)
		}
	}
	for _, line := range []string{"", "-c +rtt", "-o wide", "-c all", "-s rtt", "-o wide -c +rtt", "-o csv", "-o csv -c all"} {
		out, words, status := told(t, party, strings.Fields(line)...)
		head := strings.ToUpper(strings.SplitN(out, "\n", 2)[0])
		if status != cli.ExitOK || !strings.Contains(head, "STATE") || strings.Contains(head, "OWNER") || strings.Contains(head, "UNIT") || strings.Contains(head, "PID") {
			t.Errorf("%s: %q, %q, status %d", line, head, words, status)
		}
	}
}
