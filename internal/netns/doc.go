// Package netns finds the network namespaces of a host (network_namespaces(7)), opens them, and tells which of them are worth a dump
// of their TCP connections.
//
// A namespace lives as long as something holds it: a thread that is in it, a mount of it (ip-netns(8) and container runtimes make
// those), a descriptor of it, or a socket in it. Find looks for all of these. For the last it takes a BPF program (iter/task_file,
// Linux 5.11, CAP_BPF and CAP_PERFMON); where that cannot be had, Found.Partial says so.
//
// The kernel keeps the TCP connections of all namespaces in one table, but for those that were made with a table of their own
// (net.ipv4.tcp_child_ehash_entries, Linux 6.1). A dump of a namespace with three connections walks over the million of another
// one. Connections walks once for all small namespaces, with a BPF program that reads the table as the kernel itself does without
// locks, so that each can then be looked up by its addresses.
package netns
