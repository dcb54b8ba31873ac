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
package netstat
