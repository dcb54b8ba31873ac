package ss

import "strconv"

// Summary counts the sockets of a network namespace, as /proc/net/sockstat, sockstat6 and snmp do. What a file does not tell is 0,
// as in ss.
type Summary struct {
	Sockets int // of all families, "sockets: used"

	TCP4, TCP6   int // in the tables of TCP
	TCPEstab     int // CurrEstab of snmp
	TCPOrphaned  int
	TCPTimeWait  int
	TCPAllocated int // of the whole host, even where the others are of a namespace
	UDP4, UDP6   int
	Raw4, Raw6   int
	Frag4, Frag6 int // reassembly queues
}

// Append appends the table of ss -s.
func (s *Summary) Append(b []byte) []byte {
	number := func(text string, n int) { b = strconv.AppendInt(append(b, text...), int64(n), 10) }
	number("Total: ", s.Sockets)
	number("\nTCP:   ", s.TCPAllocated+s.TCPTimeWait)
	number(" (estab ", s.TCPEstab)
	number(", closed ", s.TCPAllocated-(s.TCP4+s.TCP6-s.TCPTimeWait))
	number(", orphaned ", s.TCPOrphaned)
	number(", timewait ", s.TCPTimeWait)
	b = append(b, ")\n\nTransport Total     IP        IPv6\n"...)
	for _, row := range [...]struct {
		name   string
		v4, v6 int
	}{
		{"RAW", s.Raw4, s.Raw6}, {"UDP", s.UDP4, s.UDP6}, {"TCP", s.TCP4, s.TCP6},
		{"INET", s.Raw4 + s.UDP4 + s.TCP4, s.Raw6 + s.UDP6 + s.TCP6}, {"FRAG", s.Frag4, s.Frag6},
	} {
		b = append(append(b, row.name...), "\t  "...)
		for i, n := range [...]int{row.v4 + row.v6, row.v4, row.v6} {
			at := len(b)
			b = strconv.AppendInt(b, int64(n), 10)
			b = blanks(b, at+9-len(b))
			if i < 2 {
				b = append(b, ' ')
			}
		}
		b = append(b, '\n')
	}
	return append(b, '\n')
}
