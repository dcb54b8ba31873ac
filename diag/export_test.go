package diag

import "github.com/sockeye-tools/sockeye/diag/internal/tcpiter"

// For the tests that ask a real kernel.
var PortRange = portRange

// Iterable says why the sockets cannot be read from an iterator.
func (c *Conn) Iterable() error {
	r, err := tcpiter.Open(uint32(AllStates), 0, c.InNetNS)
	if err == nil {
		err = r.Close()
	}
	return err
}
