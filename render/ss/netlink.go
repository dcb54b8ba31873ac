package ss

import (
	"math"
	"strconv"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/render/names"
)

// NetlinkProtocols returns iproute2's own names of the netlink protocols.
func NetlinkProtocols() map[uint8]string {
	return map[uint8]string{
		0: "rtnl", 1: "unused", 2: "usersock", 3: "fw", 4: "tcpdiag", 5: "nflog", 6: "xfrm", 7: "selinux", 8: "iscsi", 9: "audit",
		10: "fiblookup", 11: "connector", 12: "nft", 13: "ip6fw", 14: "dec-rt", 15: "uevent", 16: "genl", 18: "scsi-trans",
		19: "ecryptfs", 20: "rdma", 21: "crypto",
	}
}

// Netlink prints a netlink socket. The error is the writer's.
func (p *Writer) Netlink(s *diag.NetlinkSocket) error {
	recvq, sendq, _ := s.Queues()
	b := p.open("nl", diag.Close, recvq, sendq)
	at := len(b)
	b = append(p.appendNetlinkProtocol(begin(b), s.Protocol), ':')
	b = p.end(b, at, colLocal)
	at = len(b)
	b = p.end(p.appendPortID(begin(b), s.PortID), at, colLocalPort)
	if s.State == diag.Established {
		at = len(b)
		b = p.end(append(appendInt32(begin(b), s.DstGroup), ':'), at, colPeer)
		at = len(b)
		b = p.end(appendInt32(begin(b), s.DstPortID), at, colPeerPort)
	} else {
		b = p.noPeer(b)
	}
	// Details stand where the processes of other sockets do.
	if p.opt.Processes {
		at = len(b)
		b = begin(b)
		if p.opt.ProcessContext != nil {
			context := "unavailable"
			if s.PortID <= math.MaxInt32 { // the port is taken for a process, and 0 for the kernel
				context = p.opt.ProcessContext(int32(s.PortID))
			}
			b = names.AppendEscaped(append(b, " proc_ctx="...), context)
		}
		if p.opt.Extended {
			b = p.appendNetlinkDetails(b, s)
		}
		if p.opt.Memory && s.Source == diag.FromNetlink {
			b = append(b, '\t')
			if m, ok := s.SKMemInfo(); ok {
				b = appendSKMem(b, &m)
			}
		}
		b = p.end(b, at, colProcess)
	}
	at = len(b)
	return p.close(begin(b), at)
}

func (p *Writer) appendNetlinkProtocol(b []byte, protocol uint8) []byte {
	if !p.opt.Numeric {
		if name, ok := p.opt.NetlinkProtocols[protocol]; ok {
			return append(b, name...)
		}
	}
	return appendUint(b, uint64(protocol))
}

// appendPortID appends a port id: the process of that number, if there is one and names are wanted.
func (p *Writer) appendPortID(b []byte, id uint32) []byte {
	switch {
	case id == math.MaxUint32:
		return append(b, '*')
	case p.opt.Numeric:
	case id == 0:
		return append(b, "kernel"...)
	case id <= math.MaxInt32 && p.opt.Process != nil:
		if comm, ok := p.opt.Process(int32(id)); ok {
			b = append(appendComm(b, comm), '/')
		}
	}
	return appendInt32(b, id)
}

// appendInt32 is %d of a number that is not meant to have a sign.
func appendInt32(b []byte, v uint32) []byte {
	return strconv.AppendInt(b, int64(int32(v)), 10)
}

func (p *Writer) appendNetlinkDetails(b []byte, s *diag.NetlinkSocket) []byte {
	addr, dumping, _ := s.Proc()
	b = appendHex(append(b, " sk="...), addr)
	b = append(b, " cb=0 groups=0x"...)
	if dumping {
		b[len(b)-len("0 groups=0x")] = '1'
	}
	p.inodes, _ = s.Groups(p.inodes[:0])
	mask := uint32(0) // ss shows no more
	for _, g := range p.inodes {
		if g <= 32 {
			mask |= 1 << (g - 1)
		}
	}
	return appendHex8(b, mask)
}

// appendHex8 is %08x.
func appendHex8(b []byte, v uint32) []byte {
	return appendHex4(appendHex4(b, v>>16), v&0xffff)
}
