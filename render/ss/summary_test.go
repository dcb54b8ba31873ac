package ss

import "testing"

func TestSummary(t *testing.T) {
	s := Summary{Sockets: 1234567, TCP4: 5, TCP6: 9, TCPEstab: 4, TCPOrphaned: 2, TCPTimeWait: 3, TCPAllocated: 499, UDP4: 6, UDP6: 10,
		Raw4: 7, Raw6: 1000000000, Frag4: 8, Frag6: 12}
	// As ss prints these figures.
	const want = "Total: 1234567\n" +
		"TCP:   502 (estab 4, closed 488, orphaned 2, timewait 3)\n\n" +
		"Transport Total     IP        IPv6\n" +
		"RAW\t  1000000007 7         1000000000\n" +
		"UDP\t  16        6         10       \n" +
		"TCP\t  14        5         9        \n" +
		"INET\t  1000000037 18        1000000019\n" +
		"FRAG\t  20        8         12       \n\n"
	if got := string(s.Append(nil)); got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
}
