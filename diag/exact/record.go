package exact

import (
	"encoding/binary"
	"net/netip"

	"github.com/sockeye-tools/sockeye/diag"
)

// sizeofRecord is the size of struct record in bpf/sockets.bpf.c.
const sizeofRecord = 64

// record is what the iterator says of a socket.
type record [sizeofRecord]byte

// Offsets in struct record.
const (
	offCookie  = 0
	offCgroup  = 8
	offSrc     = 16
	offDst     = 32
	offIfindex = 48
	offMark    = 52
	offSport   = 56 // host order
	offDport   = 58 // network order
	offFamily  = 60
	offState   = 61
	offLocked  = 62
)

func (r *record) cookie() uint64      { return binary.NativeEndian.Uint64(r[offCookie:]) }
func (r *record) cgroup() uint64      { return binary.NativeEndian.Uint64(r[offCgroup:]) }
func (r *record) ifindex() uint32     { return binary.NativeEndian.Uint32(r[offIfindex:]) }
func (r *record) mark() uint32        { return binary.NativeEndian.Uint32(r[offMark:]) }
func (r *record) sport() uint16       { return binary.NativeEndian.Uint16(r[offSport:]) }
func (r *record) dport() uint16       { return binary.BigEndian.Uint16(r[offDport:]) }
func (r *record) family() diag.Family { return diag.Family(r[offFamily]) }
func (r *record) state() diag.State   { return diag.State(r[offState]) }

// locked reports whether the port was chosen with bind(2).
func (r *record) locked() bool { return r[offLocked] != 0 }

// src and dst are addresses of 4 or 16 bytes.
func (r *record) src() []byte { return r.addr(offSrc) }
func (r *record) dst() []byte { return r.addr(offDst) }

func (r *record) addr(off int) []byte {
	if r.family() == diag.IPv4 {
		return r[off : off+4]
	}
	return r[off : off+16]
}

// key is by what the socket is looked up.
func (r *record) key(p diag.Protocol, ext diag.Ext) diag.InetKey {
	src, _ := netip.AddrFromSlice(r.src())
	dst, _ := netip.AddrFromSlice(r.dst())
	return diag.InetKey{
		Protocol: p, Local: netip.AddrPortFrom(src, r.sport()), Remote: netip.AddrPortFrom(dst, r.dport()),
		Interface: r.ifindex(), Cookie: r.cookie(), Ext: ext,
	}
}

// meets reports whether a dump that q asks for would have the socket.
func (r *record) meets(q *diag.InetQuery) bool {
	return (q.Family == diag.Unspec || q.Family == r.family()) && inStates(r.state(), q.States) && accepts(q.Bytecode, r)
}

// inStates reports whether states has the state s of a socket.
func inStates(s diag.State, states diag.States) bool {
	if s == diag.NewSynRecv || s == diag.SynRecv {
		return states.Has(diag.SynRecv) || states.Has(diag.NewSynRecv)
	}
	return states.Has(s)
}
