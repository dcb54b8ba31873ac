package diag

import "fmt"

// ParseProcInet decodes a line of a table in /proc/net (tcp, udp, udplite or raw, or the like for IPv6). It is for programs that
// have recorded one; queries read the tables by themselves where they have to.
func ParseProcInet(line []byte, p Protocol, f Family) (*InetSocket, error) {
	s := &InetSocket{}
	if !s.parseProc(line, p, f) {
		return nil, fmt.Errorf("parse line of /proc/net: %q is none", line)
	}
	return s, nil
}
