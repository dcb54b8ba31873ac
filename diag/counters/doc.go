// Package counters reads the counters that Linux keeps of its network protocols: the SNMP MIBs of RFC 1213, 4022, 4113, 4293 and
// 3873, and Linux's own (uapi linux/snmp.h). The files in /proc/net are the only source: netlink does not have them.
//
//	for _, s := range sections {
//		for _, c := range s.Counters {
//			fmt.Println(s.Key(c), c.Value) // TcpExt.TCPTimeouts 2
//		}
//	}
//
// Names, and the order they come in, are the kernel's. A counter that the kernel does not have is absent, never 0.
//
// Counters belong to a network namespace, count from its creation, and are never reset. They are 64 bits wide, but on 32-bit kernels
// those of snmp and netstat that do not count octets and IP packets wrap at 2^32. The kernel sums them up over the processors without a
// lock: two counters of one reading may be some packets apart. A few are no counters but gauges: see [IsGauge].
package counters
