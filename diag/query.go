package diag

import "net/netip"

// InetQuery says which IPv4 and IPv6 sockets are wanted.
type InetQuery struct {
	// Protocol is one of TCP, UDP, UDPLite, Raw, SCTP, DCCP and MPTCP. 0 is TCP.
	Protocol Protocol
	// Family is IPv4, IPv6, or Unspec for both: all of IPv4 first, as ss prints them.
	Family Family
	// States is what the kernel picks by; 0 is AllStates. Its handler of raw sockets (RAW_DIAG) does not look at them, and sends all.
	States States
	// Ext is what is asked for beyond the attributes that come by themselves. Ask for what is used: tcp_info triples the bytes.
	Ext Ext
	// Bytecode is a filter that the kernel evaluates (INET_DIAG_REQ_BYTECODE), as package filter compiles it.
	// It is not applied to rows that are read from /proc: look at InetSocket.Source. The kernel does not apply it to SCTP.
	// A longer one than 65,531 bytes is an error (EINVAL, as is one that the kernel refuses).
	Bytecode []byte
	// BPFMaps are descriptors of BPF maps of type BPF_MAP_TYPE_SK_STORAGE whose values for a socket are asked for
	// (INET_DIAG_REQ_SK_BPF_STORAGES); of all such maps, if it is empty and not nil. They must stay open until the query has ended.
	// Needs CAP_BPF; Linux 5.7.
	BPFMaps []int
	// AnyOrder allows the rows of both families to come mixed. Family Unspec over TCP then takes the kernel one walk over its
	// tables instead of two, which on a host with a million sockets is a quarter of the time.
	AnyOrder bool
	// NoAttrs says that attributes are of no use to the caller, also those that come by themselves. Plan may then read the sockets
	// from an iterator.
	NoAttrs bool
	// Iter has TCP sockets read from a BPF iterator, in two thirds of the time that a dump takes: the fields of struct inet_diag_msg,
	// no attribute (not even those that come by themselves, such as IPV6_V6ONLY of a listener), and no socket in BoundInactive. It
	// implies AnyOrder. Where it cannot be done (another Protocol; Ext, Bytecode or BPFMaps; Config.Socket; Linux before 6.18; no
	// CAP_SYS_ADMIN, nor CAP_BPF with CAP_PERFMON; no BTF), the sockets are dumped.
	Iter bool
}

// InetKey names one socket for LookupInet.
type InetKey struct {
	Protocol      Protocol       // TCP, UDP or UDPLite; 0 is TCP
	Local, Remote netip.AddrPort // of one family; of a listener or an unconnected socket, Remote may be any
	Interface     uint32         // index of the device that the packets come in by, or 0; that of a zone, which is not looked at
	Cookie        uint64         // 0: any
	Ext           Ext
}
