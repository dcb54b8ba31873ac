// Package exact shows sockets exactly once, also while others come and go.
//
// A dump of package diag is no snapshot: where a message of it ends, the kernel remembers a bucket of its table and how many sockets
// of that it has sent, and if one of these is closed before the next message, it passes over another that is still there. That is
// rare where buckets are short, and not where they are long.
//
// BPF's iterators over TCP and UDP sockets do not: since Linux 6.17 (UDP: 6.16) they take a bucket whole, under its lock, and resume it
// by the cookies of the sockets that are left. But they carry little of what a dump says. So an Inet first takes a census by
// such an iterator, then dumps, and in the end looks up, one by one, what was counted and not sent.
//
// # What it promises
//
// Each TCP socket that is listening or connected (or connecting, or in TIME_WAIT), and each UDP socket that is bound, for the whole time
// from the call to the end of the sequence, and meets the query all that time, is yielded exactly once. Of those that come, go or
// change meanwhile each is yielded at most once. A UDP socket whose local address changes (it connects) counts as one that changes.
//
// It does not cover TCP sockets that are bound and nothing else ([diag.BoundInactive]), nor other protocols: they are dumped
// as ever, without repeats.
//
// # What it takes
//
// Linux 6.17 with BTF, CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN) in the initial user namespace; the census, a walk over the
// tables that takes about as long as a dump; and some 200 bytes of memory for each socket. Otherwise the error is errors.ErrUnsupported or
// os.ErrPermission, and nothing is yielded.
package exact
