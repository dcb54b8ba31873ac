package lab

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Shape says what kind of host the lab resembles.
type Shape string

const (
	// Pairs is loopback connections with both ends in one process, and the
	// listeners that they need. The zero Shape means Pairs.
	Pairs Shape = "pairs"
	// Server is one listening port per family, shared by all server processes,
	// with as many accepted connections as there are clients.
	Server Shape = "server"
	// Proxy is clients, proxies and backends: a proxy process holds as many
	// accepted as outgoing connections.
	Proxy Shape = "proxy"
	// TimeWait is TIME_WAIT sockets alone, which no process owns. The kernel
	// drops them 60 s after their last segment; the workers send one to each
	// before that, so that their number stays what it was.
	TimeWait Shape = "timewait"
	// Listeners is listening TCP sockets.
	Listeners Shape = "listeners"
	// Mixed is a host with everything: TCP in every stable state, TIME_WAIT, SYN_RECV,
	// UDP and unix sockets, and up to 300 small processes.
	Mixed Shape = "mixed"
)

// Shapes lists all shapes.
func Shapes() []Shape {
	return []Shape{Pairs, Server, Proxy, TimeWait, Listeners, Mixed}
}

// ParseShape returns the shape of that name.
func ParseShape(s string) (Shape, error) {
	if sh := Shape(s); slices.Contains(Shapes(), sh) {
		return sh, nil
	}
	names := make([]string, 0, 6)
	for _, sh := range Shapes() {
		names = append(names, string(sh))
	}
	return "", fmt.Errorf("shape %q: want one of %s", s, strings.Join(names, ", "))
}

// Config says what to build.
type Config struct {
	// Sockets is the exact number of sockets, 1 to [MaxSockets]. They are all
	// TCP, but for the shape Mixed, where UDP and unix sockets count too.
	Sockets int
	// Shape is what kind of host to resemble; "" means Pairs.
	Shape Shape
	// IPv6 is the part of the TCP and UDP sockets that is IPv6, in percent, 0 to 100.
	// It is met as closely as whole connections and their listeners allow.
	IPv6 int
	// Procs is the least number of processes that hold sockets; 0 means as many as are needed.
	// Proxy and Server round it up to whole groups of client and server.
	Procs int
	// Progress receives one line a second; nil means none.
	Progress io.Writer
	// SmallHash gives the namespace a connection hash of its own (Linux 6.1+), so that
	// dumps in it do not walk the host's. It is for tests; a benchmark wants
	// what an ordinary namespace has.
	SmallHash bool
	// HashSize is how many buckets that hash has, 0 for 16384; a power of two. It is for tests of crowded buckets.
	HashSize int
}

// MaxSockets is the largest lab: the addresses are laid out for so many.
const MaxSockets = 8_000_000

func (c Config) check() (Config, error) {
	if c.Shape == "" {
		c.Shape = Pairs
	}
	if _, err := ParseShape(string(c.Shape)); err != nil {
		return c, err
	}
	if c.Sockets < 1 || c.Sockets > MaxSockets {
		return c, fmt.Errorf("sockets %d: want 1 to %d", c.Sockets, MaxSockets)
	}
	if c.IPv6 < 0 || c.IPv6 > 100 {
		return c, fmt.Errorf("ipv6 %d percent: want 0 to 100", c.IPv6)
	}
	if c.Procs < 0 || c.Procs > maxProcs {
		return c, fmt.Errorf("procs %d: want 0 to %d", c.Procs, maxProcs)
	}
	return c, nil
}
