// Package sockstat reads how many sockets a network namespace has: /proc/net/sockstat and sockstat6 (proc_net(5)).
package sockstat

import (
	"strconv"
	"strings"
)

// Count returns what one of the tables counts: TCP sockets in all states but SYN_RECV and those that are only bound, and UDP sockets
// that have a port. ok tells whether it has a count of TCP.
func Count(table string) (tcp, udp int, ok bool) {
	for line := range strings.Lines(table) {
		w := strings.Fields(line)
		for i := 1; i+1 < len(w); i += 2 {
			n, err := strconv.ParseUint(w[i+1], 10, 31)
			if err != nil || w[i] != "inuse" && w[i] != "tw" {
				continue
			}
			switch w[0] {
			case "TCP:", "TCP6:":
				tcp, ok = tcp+int(n), true
			case "UDP:", "UDP6:":
				udp += int(n)
			}
		}
	}
	return tcp, udp, ok
}
