// Package diag asks the Linux kernel for its sockets: TCP, UDP, MPTCP, SCTP, DCCP, UDP-Lite and raw sockets over IPv4 and IPv6, with
// their states, queues, timers, memory, options and TCP internals, as ss(8) shows them, and the sockets of AF_UNIX, AF_NETLINK,
// AF_PACKET, AF_VSOCK, AF_XDP and AF_TIPC. It speaks NETLINK_SOCK_DIAG (sock_diag(7)),
// and reads /proc/net where the kernel has no handler for a protocol. It does not print, and it does not look for the processes
// behind the sockets: package owner does.
//
// # Quick start
//
//	c, err := diag.Dial(nil)
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	q := diag.InetQuery{Protocol: diag.TCP, States: diag.StatesOf(diag.Established), Ext: diag.ExtInfo}
//	for s, err := range c.Inet(ctx, q) {
//		if err != nil {
//			return err
//		}
//		var info diag.TCPInfo
//		if s.TCPInfo(&info) {
//			fmt.Println(s.Local, s.Remote, info.RTT)
//		}
//	}
//
// Ask for little. The kernel picks by States and by Bytecode (package filter compiles it from an expression) before it sends
// anything, and leaves out what Ext does not ask for. Listeners alone cost next to nothing, on the busiest host too.
//
// LookupInet asks for one socket by its addresses, without a walk over the kernel's tables.
//
// # Streaming
//
// Sockets are decoded in place, in the buffer that the kernel filled. A socket, and every slice that its methods return, is valid
// until the next socket is asked for: Clone what is to stay. For that, a dump of a million sockets takes one buffer of 32 KiB, and
// no allocation for each of them.
//
// InetBatches is for programs that receive in one goroutine and decode in another.
//
// A dump is no snapshot. The kernel walks its tables a bucket at a time while sockets come and go, so that one may be missed; those that
// it sends twice are left out. Package exact misses none.
//
// # Absent and zero
//
// What the kernel did not say is absent, and never 0: the methods for attributes report whether there was one, and Has reports
// whether a kernel's struct tcp_info reaches to a field. Kernels add attributes and fields all the time; those that this package does
// not know are skipped, and Attr gives the bytes of those that it does. TIME_WAIT and SYN_RECV have neither inode nor tcp_info.
//
// # Errors
//
// An error ends the sequence, and is an *Error. With errors.Is it tells [ErrPartial] (what was yielded is true, but may not be all),
// fs.ErrPermission, [errors.ErrUnsupported] (neither the kernel nor /proc/net has the protocol), fs.ErrNotExist (LookupInet found
// nothing; Config.NetNS is not there), os.ErrDeadlineExceeded (Config.Timeout), os.ErrClosed, and the context's error and cause.
// A dump that fails for a passing reason before its first socket is begun again, up to four times in all.
//
// # Privileges
//
// Every user may dump all sockets of a network namespace. The kernel keeps for CAP_NET_ADMIN: SO_MARK, the keys of TCP_MD5SIG, and
// the upper layer protocol (before Linux 6.15; since then only MPTCP's sequence numbers).
//
// # Network namespaces
//
// A Conn looks into one network namespace: that of Config.NetNS or Config.NetNSFD, which takes CAP_SYS_ADMIN, or that of the thread
// that called Dial. It keeps to it, whatever goroutine and thread its methods are called on. A program that moves threads between
// namespaces calls Dial on a locked thread (runtime.LockOSThread).
//
// # The tables in /proc/net
//
// Where the kernel was built without a handler (RAW_DIAG, or UDP-Lite's part of UDP_DIAG), or does not let the program open the
// socket family, rows come from /proc/net/{tcp,udp,udplite,raw} and their like for IPv6, of the same namespace. They are marked
// FromProc, and have no attributes, no cookie and no device; Bytecode is not applied to them, States is. So it is with
// /proc/net/{unix,netlink,packet}.
//
// # Kernel versions
//
// Linux 3.3 has NETLINK_SOCK_DIAG; the package wants 3.17, for /proc/thread-self. Where a method needs a newer kernel its comment
// says so, and on an older one its answer is absent. MPTCP takes 5.9. From 6.9 on dumps on different sockets run in parallel;
// Plan makes use of that.
package diag
