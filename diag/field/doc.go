// Package field knows everything that can be said of an IPv4 or IPv6 socket and its owners by name: with its unit, the
// kernel that tells it first, what has to be asked for, and how to read it from a diag.InetSocket without allocation.
//
//	f, err := field.Lookup("rtt")
//	query.Ext |= f.Ext
//	...
//	if us, ok := f.Number(ctx, s); ok { ... }
//
// What the kernel did not tell is absent, never 0: a socket in TIME_WAIT has no rtt, one that was not yet measured has none either.
package field
