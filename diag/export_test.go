package diag

// PortRange is for the test that asks a real kernel.
var PortRange = portRange

// Iterable says why the sockets cannot be read from an iterator.
func (c *Conn) Iterable() error {
	r, err := c.openIterator(InetQuery{States: AllStates})
	if err == nil {
		err = r.Close()
	}
	return err
}
