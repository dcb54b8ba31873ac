// Package netstat writes sockets as the netstat of net-tools 2.10 does, byte for byte, so that what reads netstat's output reads
// this. It does no I/O: a Table appends lines to a buffer.
//
// Where it differs from net-tools, it does so on purpose:
//   - Bytes of a program's name outside of 0x20..0x7e are written as "." (net-tools 2.10 sends them to the terminal).
//   - What counts as a TCP server is a socket in LISTEN. net-tools takes any socket whose remote port is 0, and so shows a
//     connection attempt to port 0 among the servers only.
//   - A SYN_RECV row whose listener is not known has the user "-".
//   - An SCTP association shows its own state in TCP's words. net-tools shows the state of the socket that it belongs to, which for
//     a one-to-many socket is never ESTABLISHED.
//   - Control characters in the path of a UNIX domain socket are written as a backslash and three octal digits, and so is what is
//     not UTF-8 (net-tools sends them to the terminal).
//   - A network device whose name has 15 characters has its counters. net-tools shows zeros for it.
//   - The label of an IPv4 address that does not begin with a device's name is shown as an alias of the device that has the address.
//     net-tools ends with an error there, and leaves out the devices behind it.
//   - Of a device's hardware address all those bytes are shown that netlink tells, up to 14, and zeros for the others; net-tools shows
//     what was in its memory. Addresses of AX.25, NET/ROM, ROSE, X.25, DLCI and Ash devices are shown in the form of unknown ones.
//   - A line of a table that cannot be read is passed over, where net-tools shows the line before it again (IPv6 routes).
//
// The types whose names begin with BSD write what the netstat of macOS does (Apple's network_cmds; netstat(1) there), which goes back
// to 4.3BSD's as FreeBSD's does: its headings, columns, widths and words, with the facts that Linux has. Where the two BSDs differ, macOS is
// followed: -L has no column Proto, -v has process:pid. Only -x, which on macOS is about the link layer, has FreeBSD's columns. What
// Linux does not tell is "-" in a column and left out among counters.
package netstat
