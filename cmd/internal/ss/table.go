package ss

import (
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
)

// tables is a set of ss's tables.
type tables uint32

const (
	tableRaw tables = 1 << iota
	tableUDP
	tableTCP
	tableDCCP
	tableSCTP
	tableMPTCP
	tableUnixDgram
	tableUnixStream
	tableUnixSeqpacket
	tablePacketDgram
	tablePacketRaw
	tableNetlink
	tableVSockStream
	tableVSockDgram
	tableXDP
	tableTIPC

	tablesInet   = tableRaw | tableUDP | tableTCP | tableDCCP | tableSCTP | tableMPTCP
	tablesUnix   = tableUnixDgram | tableUnixStream | tableUnixSeqpacket
	tablesPacket = tablePacketDgram | tablePacketRaw
	tablesVSock  = tableVSockStream | tableVSockDgram
	tablesAll    = tablesInet | tablesUnix | tablesPacket | tableNetlink | tablesVSock | tableXDP // tipc is not in "all"
)

// inetTables are the tables of InetSockets, in the order that they are printed in.
var inetTables = []struct {
	table tables
	proto diag.Protocol
}{
	{tableRaw, diag.Raw},
	{tableUDP, diag.UDP},
	{tableTCP, diag.TCP},
	{tableDCCP, diag.DCCP},
	{tableSCTP, diag.SCTP},
	{tableMPTCP, diag.MPTCP},
}

// queries are the words of -A.
var queries = map[string]tables{
	"all": tablesAll, "inet": tablesInet,
	"tcp": tableTCP, "udp": tableUDP, "mptcp": tableMPTCP, "dccp": tableDCCP, "sctp": tableSCTP, "raw": tableRaw,
	"unix": tablesUnix, "unix_stream": tableUnixStream, "u_str": tableUnixStream, "unix_dgram": tableUnixDgram,
	"u_dgr": tableUnixDgram, "unix_seqpacket": tableUnixSeqpacket, "u_seq": tableUnixSeqpacket,
	"packet": tablesPacket, "packet_raw": tablePacketRaw, "p_raw": tablePacketRaw, "packet_dgram": tablePacketDgram,
	"p_dgr": tablePacketDgram, "netlink": tableNetlink, "tipc": tableTIPC, "xdp": tableXDP,
	"vsock": tablesVSock, "vsock_stream": tableVSockStream, "v_str": tableVSockStream, "vsock_dgram": tableVSockDgram,
	"v_dgr": tableVSockDgram,
}

// defaultStates are what a table adds to the states when it is asked for by name.
func (t tables) defaultStates() (m diag.States) {
	if t&(tableTCP|tableMPTCP|tableDCCP|tableSCTP|tableUnixStream|tableUnixSeqpacket|tablesVSock) != 0 {
		m |= statesConn
	}
	if t&(tableUDP|tableRaw) != 0 {
		m |= diag.StatesOf(diag.Established)
	}
	if t&(tableUnixDgram|tablesPacket|tableNetlink|tableXDP) != 0 {
		m |= diag.StatesOf(diag.Close)
	}
	if t&tableTIPC != 0 {
		m |= diag.StatesOf(diag.Established, diag.Listen, diag.Close)
	}
	return m
}

// families are the words of -f. That of "help" is none of them.
var families = map[string]diag.Family{
	"inet": diag.IPv4, "inet6": diag.IPv6, "link": unix.AF_PACKET, "unix": unix.AF_UNIX, "netlink": unix.AF_NETLINK,
	"vsock": unix.AF_VSOCK, "tipc": unix.AF_TIPC, "xdp": unix.AF_XDP,
}
