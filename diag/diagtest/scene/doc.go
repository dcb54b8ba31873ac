// Package scene builds real sockets in a network namespace of its own, and knows the truth about each of them.
//
// A test that asks the kernel for its sockets needs an answer to compare with that did not come the same way.
// [New] makes that answer: it opens the sockets, drives the TCP ones into every state there is, and writes down in
// [Scene.Sockets] what it made (addresses, state, inode, owners, timer, queues). Nothing in it is read from
// netlink or from /proc/net.
//
//	s := scene.New(t) // skips where privileges are missing
//	s.Do(func() {
//		// The calling thread is inside the namespace: open sockets, read /proc/thread-self/net, ...
//	})
//	s.Run(exec.Command("ss", "-tan")) // so is the command
//
// The far ends of the TCP connections that must stay half way (SYN-SENT, SYN-RECV, FIN-WAIT-1, CLOSING,
// LAST-ACK, a closed window, unacknowledged data) are played by a small TCP of the package's own behind a TUN device:
// it says as much as the state needs and then falls silent, so that the state holds for minutes. Those connections use
// the documentation addresses of RFC 5737 and RFC 3849; all others use the namespace's loopback device.
//
// The namespace has a hash table of established connections of its own (net.ipv4.tcp_child_ehash_entries, Linux 6.1),
// so that a dump in it does not walk the table of the host.
//
// Processes other than the test's own hold some of the sockets: they are the test binary, run again. Everything ends
// with the test, also when the test is killed.
package scene
