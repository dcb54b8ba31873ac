package netstat

// bsdSentence is how macOS writes a figure.
type bsdSentence struct {
	protocol  string
	depth     int    // tabs in front
	text      string // behind the figure; what is in braces is for more than one
	keys      string // the counters that are added up, as counters.Section.Key has them
	histogram bool   // messages by type: keys is what the type's number follows, and text the title
}

// bsdSentences are in the order of macOS. A sentence that is indented there below one that Linux has no figure for is indented less.
var bsdSentences = []bsdSentence{
	// OutSegs leaves out what only repeats (RFC 1213).
	{protocol: "tcp", depth: 1, text: "packet{s} sent", keys: "Tcp.OutSegs Tcp.RetransSegs"},
	{protocol: "tcp", depth: 2, text: "data packet{s}", keys: "TcpExt.TCPOrigDataSent"},
	{protocol: "tcp", depth: 2, text: "data packet{s} retransmitted", keys: "Tcp.RetransSegs"},
	{protocol: "tcp", depth: 2, text: "window probe packet{s}", keys: "TcpExt.TCPWinProbe"},
	{protocol: "tcp", depth: 2, text: "challenge ACK{s} sent due to unexpected SYN", keys: "TcpExt.TCPSYNChallenge"},
	{protocol: "tcp", depth: 1, text: "packet{s} received", keys: "Tcp.InSegs"},
	{protocol: "tcp", depth: 2, text: "old duplicate packet{s}", keys: "TcpExt.PAWSActive TcpExt.PAWSEstab TcpExt.PAWSOldAck"},
	{protocol: "tcp", depth: 2, text: "received packet{s} dropped due to low memory", keys: "TcpExt.TCPRcvQDrop TcpExt.TCPOFODrop"},
	{protocol: "tcp", depth: 2, text: "out-of-order packet{s}", keys: "TcpExt.TCPOFOQueue"},
	{protocol: "tcp", depth: 2, text: "packet{s} of data after window", keys: "TcpExt.BeyondWindow"},
	{protocol: "tcp", depth: 2, text: "discarded for bad checksum{s}", keys: "Tcp.InCsumErrors"},
	{protocol: "tcp", depth: 1, text: "connection request{s}", keys: "Tcp.ActiveOpens"},
	{protocol: "tcp", depth: 1, text: "connection accept{s}", keys: "Tcp.PassiveOpens"},
	{protocol: "tcp", depth: 1, text: "listen queue overflow{s}", keys: "TcpExt.ListenOverflows"},
	{protocol: "tcp", depth: 1, text: "embryonic connection{s} dropped", keys: "Tcp.AttemptFails"},
	{protocol: "tcp", depth: 1, text: "retransmit timeout{s}", keys: "TcpExt.TCPTimeouts"},
	{protocol: "tcp", depth: 1, text: "keepalive probe{s} sent", keys: "TcpExt.TCPKeepAlive"},
	{protocol: "tcp", depth: 1, text: "correct ACK header prediction{s}", keys: "TcpExt.TCPHPAcks"},
	{protocol: "tcp", depth: 1, text: "correct data packet header prediction{s}", keys: "TcpExt.TCPHPHits"},
	{protocol: "tcp", depth: 1, text: "SACK recovery episode{s}", keys: "TcpExt.TCPSackRecovery"},
	{protocol: "tcp", depth: 1, text: "probe timeout{s}", keys: "TcpExt.TCPLossProbes"},
	{protocol: "tcp", depth: 1, text: "time{s} packet reordering was detected on a connection", keys: "TcpExt.TCPSACKReorder TcpExt.TCPRenoReorder TcpExt.TCPTSReorder"},
	{protocol: "tcp", depth: 1, text: "time{s} DSACK option was sent", keys: "TcpExt.TCPDSACKOldSent TcpExt.TCPDSACKOfoSent"},
	{protocol: "tcp", depth: 2, text: "time{s} DSACK option was received", keys: "TcpExt.TCPDSACKRecv TcpExt.TCPDSACKOfoRecv"},
	{protocol: "tcp", depth: 2, text: "time{s} recovered from bad retransmission using DSACK", keys: "TcpExt.TCPDSACKUndo"},
	{protocol: "tcp", depth: 2, text: "time{s} ignored old DSACK options", keys: "TcpExt.TCPDSACKIgnoredOld"},
	{protocol: "tcp", depth: 1, text: "SYN{s} with data and a valid TFO-cookie have been received", keys: "TcpExt.TCPFastOpenPassive"},
	{protocol: "tcp", depth: 1, text: "SYN{s} with TFO-cookie-request received", keys: "TcpExt.TCPFastOpenCookieReqd"},
	{protocol: "tcp", depth: 1, text: "time{s} our SYN with data has been acknowledged", keys: "TcpExt.TCPFastOpenActive"},
	{protocol: "tcp", depth: 1, text: "time{s} a TFO-connection blackhole'd", keys: "TcpExt.TCPFastOpenBlackhole"},

	{protocol: "udp", depth: 1, text: "datagram{s} received", keys: "Udp.InDatagrams Udp.NoPorts Udp.InErrors Udp.IgnoredMulti " +
		"Udp6.InDatagrams Udp6.NoPorts Udp6.InErrors Udp6.IgnoredMulti"},
	{protocol: "udp", depth: 2, text: "with bad checksum", keys: "Udp.InCsumErrors Udp6.InCsumErrors"},
	{protocol: "udp", depth: 2, text: "dropped due to no socket", keys: "Udp.NoPorts Udp6.NoPorts"},
	{protocol: "udp", depth: 2, text: "broadcast/multicast datagram{s} undelivered", keys: "Udp.IgnoredMulti Udp6.IgnoredMulti"},
	{protocol: "udp", depth: 2, text: "dropped due to full socket buffers", keys: "Udp.RcvbufErrors Udp6.RcvbufErrors"},
	{protocol: "udp", depth: 2, text: "delivered", keys: "Udp.InDatagrams Udp6.InDatagrams"},
	{protocol: "udp", depth: 1, text: "datagram{s} output", keys: "Udp.OutDatagrams Udp6.OutDatagrams"},

	{protocol: "ip", depth: 1, text: "total packet{s} received", keys: "Ip.InReceives"},
	{protocol: "ip", depth: 2, text: "bad header checksum{s}", keys: "IpExt.InCsumErrors"},
	{protocol: "ip", depth: 2, text: "with data size < data length", keys: "IpExt.InTruncatedPkts"},
	{protocol: "ip", depth: 2, text: "fragment{s} received", keys: "Ip.ReasmReqds"},
	{protocol: "ip", depth: 3, text: "dropped after timeout", keys: "Ip.ReasmTimeout"},
	{protocol: "ip", depth: 3, text: "reassembled ok", keys: "Ip.ReasmOKs"},
	{protocol: "ip", depth: 2, text: "packet{s} for this host", keys: "Ip.InDelivers"},
	{protocol: "ip", depth: 2, text: "packet{s} for unknown/unsupported protocol", keys: "Ip.InUnknownProtos"},
	{protocol: "ip", depth: 2, text: "packet{s} forwarded", keys: "Ip.ForwDatagrams"},
	{protocol: "ip", depth: 2, text: "packet{s} not forwardable", keys: "IpExt.InNoRoutes"},
	{protocol: "ip", depth: 1, text: "packet{s} sent from this host", keys: "Ip.OutRequests"},
	{protocol: "ip", depth: 2, text: "output packet{s} dropped due to no bufs, etc.", keys: "Ip.OutDiscards"},
	{protocol: "ip", depth: 2, text: "output packet{s} discarded due to no route", keys: "Ip.OutNoRoutes"},
	{protocol: "ip", depth: 2, text: "output datagram{s} fragmented", keys: "Ip.FragOKs"},
	{protocol: "ip", depth: 2, text: "fragment{s} created", keys: "Ip.FragCreates"},
	{protocol: "ip", depth: 2, text: "datagram{s} that can't be fragmented", keys: "Ip.FragFails"},

	{protocol: "icmp", histogram: true, text: "Output histogram", keys: "IcmpMsg.OutType"},
	{protocol: "icmp", depth: 1, text: "bad checksum{s}", keys: "Icmp.InCsumErrors"},
	{protocol: "icmp", histogram: true, text: "Input histogram", keys: "IcmpMsg.InType"},

	{protocol: "ip6", depth: 1, text: "total packet{s} received", keys: "Ip6.InReceives"},
	{protocol: "ip6", depth: 2, text: "with data size < data length", keys: "Ip6.InTruncatedPkts"},
	{protocol: "ip6", depth: 2, text: "fragment{s} received", keys: "Ip6.ReasmReqds"},
	{protocol: "ip6", depth: 3, text: "dropped after timeout", keys: "Ip6.ReasmTimeout"},
	{protocol: "ip6", depth: 3, text: "reassembled ok", keys: "Ip6.ReasmOKs"},
	{protocol: "ip6", depth: 2, text: "packet{s} for this host", keys: "Ip6.InDelivers"},
	{protocol: "ip6", depth: 2, text: "packet{s} forwarded", keys: "Ip6.OutForwDatagrams"},
	{protocol: "ip6", depth: 2, text: "packet{s} not forwardable", keys: "Ip6.InNoRoutes"},
	{protocol: "ip6", depth: 1, text: "packet{s} sent from this host", keys: "Ip6.OutRequests"},
	{protocol: "ip6", depth: 2, text: "output packet{s} dropped due to no bufs, etc.", keys: "Ip6.OutDiscards"},
	{protocol: "ip6", depth: 2, text: "output packet{s} discarded due to no route", keys: "Ip6.OutNoRoutes"},
	{protocol: "ip6", depth: 2, text: "output datagram{s} fragmented", keys: "Ip6.FragOKs"},
	{protocol: "ip6", depth: 2, text: "fragment{s} created", keys: "Ip6.FragCreates"},
	{protocol: "ip6", depth: 2, text: "datagram{s} that can't be fragmented", keys: "Ip6.FragFails"},

	{protocol: "icmp6", histogram: true, text: "Output histogram", keys: "Icmp6.OutType"},
	{protocol: "icmp6", depth: 1, text: "bad checksum{s}", keys: "Icmp6.InCsumErrors"},
	{protocol: "icmp6", histogram: true, text: "Input histogram", keys: "Icmp6.InType"},
}

// icmpTypes are macOS's names of messages.
var icmpTypes = map[uint64]string{
	0: "echo reply", 3: "destination unreachable", 4: "source quench", 5: "routing redirect", 8: "echo", 9: "router advertisement",
	10: "router solicitation", 11: "time exceeded", 12: "parameter problem", 13: "time stamp", 14: "time stamp reply",
	15: "information request", 16: "information request reply", 17: "address mask request", 18: "address mask reply",
}

// icmp6Types are macOS's names of messages.
var icmp6Types = map[uint64]string{
	1: "unreach", 2: "packet too big", 3: "time exceed", 4: "parameter problem", 128: "echo", 129: "echo reply",
	130: "multicast listener query", 131: "MLDv1 listener report", 132: "MLDv1 listener done", 133: "router solicitation",
	134: "router advertisement", 135: "neighbor solicitation", 136: "neighbor advertisement", 137: "redirect", 138: "router renumbering",
	139: "node information request", 140: "node information reply", 141: "inverse neighbor solicitation",
	142: "inverse neighbor advertisement", 143: "MLDv2 listener report",
}
