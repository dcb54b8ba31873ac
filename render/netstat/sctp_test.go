package netstat

import (
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// TestSCTP: the lines are those that netstat of net-tools 2.10 prints for the same rows in /proc/net/sctp/{eps,assocs}.
func TestSCTP(t *testing.T) {
	for _, c := range []struct {
		what string
		o    Options
		sock sock
		want string
	}{
		{"endpoint", Options{Which: All},
			sock{state: diag.Listen, local: "127.0.0.1:11100", remote: "0.0.0.0:0", inode: 24689, locals: []string{"127.0.0.1:11100", "10.0.0.1:11100"}}, `
sctp                127.0.0.1:11100                                 LISTEN     
                    10.0.0.1:11100                                             
`},
		{"endpoint, -epo: the columns are on the last line", Options{Which: All, Extend: true, Programs: true, Timers: true},
			sock{state: diag.Close, local: "[::1]:53", remote: "[::]:0", uid: 1000, inode: 24690, locals: []string{"[::1]:53", "[fe80::1]:53"}}, `
sctp                ::1:53                                          CLOSE      
                    fe80::1:53                                                  1000       24690      -                    
`},
		{"endpoint without a port", Options{Which: Servers},
			sock{state: 14, local: "0.0.0.0:0", remote: "0.0.0.0:0", locals: []string{"0.0.0.0:0"}}, `
sctp                0.0.0.0:*                                       UNKNOWN(14)
`},
		{"endpoint, names: the port stays a number", Options{Which: All, Host: hosts, Service: services},
			sock{state: diag.Listen, local: "127.0.0.1:22", remote: "0.0.0.0:0", locals: []string{"127.0.0.1:22", "192.0.2.7:22"}}, `
sctp                localhost:22                                    LISTEN     
                    a-host-with-a-long-name.example.com:22                     
`},
		{"endpoint, IPv6 wildcard, names", Options{Which: All, Host: hosts},
			sock{state: diag.Established, local: "[::]:22", remote: "[::]:0", locals: []string{"[::]:22"}}, `
sctp                [::]:22                                         ESTABLISHED
`},
		{"association, as many addresses on both sides", Options{Which: All},
			sock{state: 3, local: "127.0.0.1:55555", remote: "10.0.0.3:11100", rq: 222, wq: 111,
				locals: []string{"127.0.0.1:55555", "10.0.0.2:55555"}, peers: []string{"10.0.0.3:11100", "10.0.0.4:11100"}}, `
sctp     222    111 127.0.0.1:55555         10.0.0.3:11100          ESTABLISHED
                    10.0.0.2                10.0.0.4                           
`},
		{"association, more peers, -e", Options{Which: Connected, Extend: true},
			sock{state: 0, local: "[::1]:22", remote: "[::2]:80", rq: 6, wq: 5, uid: 1000, inode: 24692,
				locals: []string{"[::1]:22", "[::4]:22"}, peers: []string{"[::2]:80", "[::3]:80", "[::5]:80"}}, `
sctp       6      5 ::1:22                  ::2:80                  CLOSE      
                    ::4                     ::3                                
                                            ::5                                 1000       24692     
`},
		{"association, more local addresses", Options{Which: All},
			sock{state: 6, local: "10.0.0.1:22", remote: "10.0.0.2:80", locals: []string{"10.0.0.1:22", "10.0.0.3:22"}, peers: []string{"10.0.0.2:80"}}, `
sctp       0      0 10.0.0.1:22             10.0.0.2:80             CLOSE_WAIT 
                    10.0.0.3                                                   
`},
		{"nothing is cut", Options{Which: All},
			sock{state: 3, local: "[2001:db8:1234:567:89ab::1]:34056", remote: "[2001:db8:1234:567:89ab::2]:34057",
				locals: []string{"[2001:db8:1234:567:89ab::1]:34056"}, peers: []string{"[2001:db8:1234:567:89ab::2]:34057"}}, `
sctp       0      0 2001:db8:1234:567:89ab::1:34056 2001:db8:1234:567:89ab::2:34057 ESTABLISHED
`},
	} {
		c.sock.proto = diag.SCTP
		want := c.want[1:]
		if got := string(New(c.o).Append(nil, c.sock.build(t))); got != want {
			t.Errorf("%s:\n got\n%s\nwant\n%s", c.what, visible(got), visible(want))
		}
	}
}

func visible(s string) string { return strings.ReplaceAll(s, "\n", "$\n") }

func TestSCTPState(t *testing.T) {
	for state, want := range map[diag.State]diag.State{
		0: diag.Close, 1: diag.Close, 2: diag.Close, 3: diag.Established, 4: diag.Established, 5: diag.Established,
		6: diag.CloseWait, 7: diag.CloseWait,
	} {
		if got := sctpState(&diag.InetSocket{State: state}, true); got != want {
			t.Errorf("association in state %d: got %v, want %v", uint8(state), got, want)
		}
	}
	if got := sctpState(&diag.InetSocket{State: diag.Listen}, false); got != diag.Listen {
		t.Errorf("endpoint in LISTEN: got %v", got)
	}
}
