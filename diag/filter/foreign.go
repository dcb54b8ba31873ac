package filter

import (
	"math"
	"strings"

	"github.com/sockeye-tools/sockeye/diag"
)

// parseForeign reads an operand of AF_PACKET, AF_NETLINK or AF_VSOCK: [ADDR][:PORT], or [:]PORT if isPort.
func parseForeign(w string, family diag.Family, side Side, isPort bool, env *Env) (Node, bool) {
	n := Foreign{Family: family, Side: side, Addr: -1, Port: -1}
	addr, port, colon := strings.Cut(w, ":")
	if isPort {
		addr, port = "", strings.TrimPrefix(w, ":")
	}
	ok := port != "" || family != famVSock || !colon && !isPort
	if ok && port != "" && port != "*" {
		n.Port, ok = foreignPort(port, family, env)
	}
	if ok && addr != "" && addr != "*" {
		n.Addr, ok = foreignAddr(addr, family)
	}
	return n, ok
}

func foreignPort(w string, family diag.Family, env *Env) (int64, bool) {
	if family == famVSock {
		v, ok := cUnsigned(w)
		return int64(v), ok
	}
	if v, ok := cLong(w); ok {
		return v, true
	}
	if family == famNetlink {
		return 0, w == "kernel"
	}
	i, ok := env.device(w)
	return int64(i), ok
}

func foreignAddr(w string, family diag.Family) (int64, bool) {
	v, ok := cUnsigned(w)
	switch family {
	case famVSock:
		if v == math.MaxUint32 { // VMADDR_CID_ANY
			return -1, ok
		}
		return int64(v), ok
	case famNetlink:
		for i, name := range netlinkProtocols {
			if name == w {
				return int64(i), true
			}
		}
		return int64(v), ok && v <= 255
	}
	for name, t := range ethertypes {
		if strings.EqualFold(name, w) {
			return int64(t), true
		}
	}
	return int64(v), ok && v <= 0xffff
}

// netlinkProtocols are iproute2's names of the netlink protocols (nl_protos), by number (linux/netlink.h).
var netlinkProtocols = [...]string{
	"rtnl", "unused", "usersock", "fw", "tcpdiag", "nflog", "xfrm", "selinux", "iscsi", "audit", "fiblookup", "connector", "nft",
	"ip6fw", "dec-rt", "uevent", "genl", 18: "scsi-trans", "ecryptfs", "rdma", "crypto",
}

// ethertypes are iproute2's names of the ethertypes (linux/if_ether.h).
var ethertypes = map[string]uint16{
	"loop": 0x0060, "pup": 0x0200, "pupat": 0x0201, "ip": 0x0800, "ipv4": 0x0800, "x25": 0x0805, "arp": 0x0806, "bpq": 0x08ff,
	"ieeepup": 0x0a00, "ieeepupat": 0x0a01, "dec": 0x6000, "dna_dl": 0x6001, "dna_rc": 0x6002, "dna_rt": 0x6003, "lat": 0x6004,
	"diag": 0x6005, "cust": 0x6006, "sca": 0x6007, "rarp": 0x8035, "atalk": 0x809b, "aarp": 0x80f3, "ipx": 0x8137,
	"ipv6": 0x86dd, "ppp_disc": 0x8863, "ppp_ses": 0x8864, "atmmpoa": 0x884c, "atmfate": 0x8884, "802_3": 0x0001, "ax25": 0x0002,
	"all": 0x0003, "802_2": 0x0004, "snap": 0x0005, "ddcmp": 0x0006, "wan_ppp": 0x0007, "ppp_mp": 0x0008, "localtalk": 0x0009,
	"can": 0x000c, "ppptalk": 0x0010, "tr_802_2": 0x0011, "mobitex": 0x0015, "control": 0x0016, "irda": 0x0017, "econet": 0x0018,
	"tipc": 0x88ca, "profinet": 0x8892, "aoe": 0x88a2, "ethercat": 0x88a4, "802.1q": 0x8100, "802.1ad": 0x88a8,
	"mpls_uc": 0x8847, "mpls_mc": 0x8848, "teb": 0x6558, "cfm": 0x8902, "lldp": 0x88cc,
}
