package ss

import (
	"encoding/binary"

	"github.com/sockeye-tools/sockeye/diag"
)

// Packet prints a packet socket. The error is the writer's.
func (p *Writer) Packet(s *diag.PacketSocket) error {
	netid := "p_dgr"
	if s.Type == diag.SockRaw {
		netid = "p_raw"
	}
	recvq, _ := s.Queue()
	index, _ := s.Interface()
	b := p.open(netid, diag.Close, recvq, 0)
	at := len(b)
	b = append(p.appendEthertype(begin(b), s.Protocol), ':')
	b = p.end(b, at, colLocal)
	at = len(b)
	if b = begin(b); index == 0 {
		b = append(b, '*')
	} else {
		b = p.opt.Interfaces.Append(b, index)
	}
	b = p.end(b, at, colLocalPort)
	b = p.users(p.noPeer(b), s.Inode)
	at = len(b)
	b = begin(b)
	if p.opt.Extended {
		b = p.appendPacketDetails(b, s)
	}
	if p.opt.Filters {
		b = p.appendFilter(b, s)
	}
	if p.opt.Memory {
		if m, ok := s.SKMemInfo(); ok {
			b = appendSKMem(b, &m)
		}
	}
	return p.close(b, at)
}

// allPackets is ETH_P_ALL of linux/if_ether.h.
const allPackets = 3

// appendEthertype appends the protocol of a packet socket.
func (p *Writer) appendEthertype(b []byte, protocol uint16) []byte {
	if protocol == allPackets {
		return append(b, '*')
	}
	if name, ok := ethertypes[protocol]; ok && !p.opt.Numeric {
		return append(b, name...)
	}
	return append(appendUint(append(b, '['), uint64(protocol)), ']')
}

func (p *Writer) appendPacketDetails(b []byte, s *diag.PacketSocket) []byte {
	uid, _ := s.UID()
	b = appendIdentity(b, uid, s.Inode, s.Cookie)
	if i, ok := s.Info(); ok {
		b = appendInt32(p.block(b, "ver:"), i.Version)
		b = appendInt32(append(b, " cpy_thresh:"...), i.CopyThreshold)
		b = append(b, " flags( "...)
		for bit, name := range packetFlags {
			if i.Flags&(1<<bit) != 0 {
				b = append(b, name...)
			}
		}
		if i.Flags == 0 {
			b = append(b, '0')
		}
		b = append(b, " )"...)
	}
	if r, ok := s.RXRing(); ok {
		b = appendRing(p.block(b, "ring_rx("), &r)
	}
	if r, ok := s.TXRing(); ok {
		b = appendRing(p.block(b, "ring_tx("), &r)
	}
	if id, typ, ok := s.Fanout(); ok {
		b = appendUint(p.block(b, "fanout(id:"), uint64(id))
		b = append(b, ",type:"...)
		if int(typ) < len(fanouts) {
			b = append(b, fanouts[typ]...)
		} else {
			b = appendHex(append(b, "0x"...), uint64(typ))
		}
		b = append(b, ')')
	}
	return b
}

// packetFlags are the names of the bits of diag.PacketInfo.Flags.
var packetFlags = [...]string{"running", " auxdata", " origdev", " vnethdr", " loss"}

// fanouts are the names of PACKET_FANOUT_* of linux/if_packet.h.
var fanouts = [...]string{"hash", "lb", "cpu", "roll", "random", "qm"}

func appendRing(b []byte, r *diag.PacketRing) []byte {
	b = appendUint(append(b, "blk_size:"...), uint64(r.BlockSize))
	b = appendUint(append(b, ",blk_nr:"...), uint64(r.Blocks))
	b = appendUint(append(b, ",frm_size:"...), uint64(r.FrameSize))
	b = appendUint(append(b, ",frm_nr:"...), uint64(r.Frames))
	b = appendUint(append(b, ",tmo:"...), uint64(r.RetireTimeout))
	b = appendHex(append(b, ",features:0x"...), uint64(r.Features))
	return append(b, ')')
}

// sizeofSockFilter is the size of struct sock_filter of linux/filter.h: code u16, jt u8, jf u8, k u32.
const sizeofSockFilter = 8

func (p *Writer) appendFilter(b []byte, s *diag.PacketSocket) []byte {
	f, ok := s.Filter()
	if !ok {
		return b
	}
	b = appendUint(p.block(b, "bpf filter ("), uint64(len(f)/sizeofSockFilter))
	b = append(b, "): "...)
	for ; len(f) >= sizeofSockFilter; f = f[sizeofSockFilter:] {
		code := binary.NativeEndian.Uint16(f)
		b = append(b, " 0x"...)
		if code < 0x10 {
			b = append(b, '0')
		}
		b = appendUint(append(appendHex(b, uint64(code)), ' '), uint64(f[2]))
		b = appendUint(append(b, ' '), uint64(f[3]))
		b = appendUint(append(b, ' '), uint64(binary.NativeEndian.Uint32(f[4:])))
		b = append(b, ',')
	}
	return b
}

// ethertypes are iproute2's names of the ethertypes (linux/if_ether.h).
var ethertypes = map[uint16]string{
	0x0001: "802_3", 0x0002: "ax25", 0x0004: "802_2", 0x0005: "snap", 0x0006: "ddcmp", 0x0007: "wan_ppp", 0x0008: "ppp_mp",
	0x0009: "localtalk", 0x000c: "can", 0x0010: "ppptalk", 0x0011: "tr_802_2", 0x0015: "mobitex", 0x0016: "control", 0x0017: "irda",
	0x0018: "econet", 0x0060: "loop", 0x0200: "pup", 0x0201: "pupat", 0x0800: "ip", 0x0805: "x25", 0x0806: "arp", 0x08ff: "bpq",
	0x0a00: "ieeepup", 0x0a01: "ieeepupat", 0x6000: "dec", 0x6001: "dna_dl", 0x6002: "dna_rc", 0x6003: "dna_rt", 0x6004: "lat",
	0x6005: "diag", 0x6006: "cust", 0x6007: "sca", 0x6558: "teb", 0x8035: "rarp", 0x809b: "atalk", 0x80f3: "aarp", 0x8100: "802.1Q",
	0x8137: "ipx", 0x86dd: "ipv6", 0x8847: "mpls_uc", 0x8848: "mpls_mc", 0x884c: "atmmpoa", 0x8863: "ppp_disc", 0x8864: "ppp_ses",
	0x8884: "atmfate", 0x8892: "profinet", 0x88a2: "aoe", 0x88a4: "ethercat", 0x88a8: "802.1ad", 0x88ca: "tipc", 0x88cc: "LLDP",
	0x8902: "cfm",
}
