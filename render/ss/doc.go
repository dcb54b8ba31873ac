// Package ss prints sockets as ss(8) of iproute2 7.3 does, byte for byte.
//
// ss measures its columns, so it has to see rows before it prints the first one: rows are kept, up to 5 MiB of text, then laid
// out and written, and so on. Columns only ever get wider. Deliberate differences:
//
//   - control characters in names that others chose (interfaces, hosts, cgroups, unix sockets) are escaped;
//   - DCCP sockets, which ss does not know any more, are called dccp, and their state PARTOPEN;
//   - ports of MPTCP and SCTP sockets that follow raw sockets are not named after IP protocols;
//   - the list of a socket's processes is complete where ss cuts it at 64 KiB.
package ss
