// Package owner finds the processes that hold a socket.
//
// The kernel's socket diagnostics (sock_diag(7)) name a socket's inode, not its
// processes. Resolve goes the other way: it looks through the descriptor tables
// of all processes and keeps those descriptors that refer to sockets.
//
//	table, err := owner.Resolve(ctx, nil, inodes)
//	if err != nil {
//		return err
//	}
//	var owners []owner.Owner // reused
//	for _, inode := range inodes {
//		owners = table.Owners(owners[:0], inode)
//		for _, o := range owners {
//			fmt.Println(inode, o.PID, o.FD, table.Process(o.PID).Comm)
//		}
//	}
//
// # All owners
//
// A socket can have many owners: fork(2) and SCM_RIGHTS share it between
// processes, dup(2) within one. A Table has all of them. A scan therefore never
// ends early, not even when each wanted socket has an owner already. Ask only
// for what is needed all the same: wanting few sockets makes the table small,
// and the BPF backend then picks them out in the kernel.
//
// Threads count as their process. Threads that left the descriptor table of
// their process with unshare(CLONE_FILES) are looked at too, as are those that
// outlive the thread group leader; where the Proc backend cannot use kcmp(2) it
// finds the latter only.
//
// A socket without descriptor has no owner here: those in flight in an
// SCM_RIGHTS message, registered with io_uring only, or held by the kernel
// itself.
//
// # Backends
//
// The BPF backend reads a bpf_iter of type task_file, for about 0.3
// microseconds of CPU time a descriptor after some 20 milliseconds to load the
// program. Where few processes hold many files it reads one for each process, on
// all cores (Linux 6.7). The Proc backend reads the links in /proc/PID/fd, on all
// cores, for about 3.7 microseconds of CPU time a descriptor. Auto, the default,
// reads how many files are open on the host from /proc/sys/fs/file-nr, takes Proc
// below 8000 where it is cheaper, and otherwise BPF, or Proc again if BPF is not
// permitted or not supported. Table.Backend and Table.Reason tell what was chosen.
//
// Both number processes as the proc mount does. The BPF iterator knows only the
// pid namespace of the caller, so that it is not used with a proc mount of
// another one.
//
// # What is not known
//
// The absence of an owner means that there is none only if Table.Denied is 0:
// without privilege the Proc backend sees the caller's own processes.
//
// Names are read when Table.Process is called, and only then. A Process that
// has exited in the meantime is not Known and has no name, but its pid remains
// what the scan saw. The name of a later process that got the same pid is never
// taken for it.
//
// Inodes of sockets are numbers of 32 bits that the kernel takes from one
// counter; after 2^32 of them it starts over, and two sockets can have the same.
// The owners of both are the owners of each.
package owner
