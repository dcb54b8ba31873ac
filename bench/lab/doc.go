// Package lab builds a network namespace with up to millions of real sockets
// and knows exactly what is in it.
//
// The sockets are held by worker processes, because one process may hold only
// RLIMIT_NOFILE descriptors. Workers are re-executions of the calling program:
// its main function, or TestMain, calls [ChildMain] first.
//
//	func main() {
//		lab.ChildMain()
//		...
//		exit, err := lab.Run(ctx, lab.Config{Sockets: 1_000_000, Shape: lab.Server},
//			[]string{"ss", "-tan"}, os.Stdin, os.Stdout, os.Stderr)
//	}
//
// Connections are made by real handshakes over loopback. A small part has
// something to look at: keepalive timers, unread bytes, zero windows, half
// closed connections, full accept queues, peers that no longer answer, and
// sockets held by two processes. [Truth] counts all of it, by protocol, family
// and state, and is given to the command as a JSON file named by the
// environment variable SOCKEYE_LAB.
//
// Nothing of it outlives the process that built the lab: workers die with it
// (PR_SET_PDEATHSIG, and a pipe that closes), the namespace dies with the last
// process in it, and the truth is kept in memory that has no name in a file
// system. What commands left running in the namespace ends with [Lab.Close];
// it stays if the builder is killed by SIGKILL.
//
// # Needs
//
// Linux 4.19 (TCP_REPAIR_OFF_NO_WP), the dummy or the veth driver, and
// CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_RAW. About 5 KB of memory a socket.
// Only settings of the new namespace are changed, never those of the host.
package lab
