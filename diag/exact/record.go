package exact

import (
	"encoding/binary"
	"net/netip"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/filter"
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

func (r *record) local() netip.AddrPort  { return netip.AddrPortFrom(r.addr(offSrc), r.sport()) }
func (r *record) remote() netip.AddrPort { return netip.AddrPortFrom(r.addr(offDst), r.dport()) }

func (r *record) addr(off int) netip.Addr {
	if r.family() == diag.IPv4 {
		return netip.AddrFrom4([4]byte(r[off:]))
	}
	return netip.AddrFrom16([16]byte(r[off:]))
}

// key is by what the socket is looked up.
func (r *record) key(p diag.Protocol, ext diag.Ext) diag.InetKey {
	return diag.InetKey{Protocol: p, Local: r.local(), Remote: r.remote(), Interface: r.ifindex(), Cookie: r.cookie(), Ext: ext}
}

// meets reports whether a dump that q asks for would have the socket.
func (r *record) meets(q *diag.InetQuery) bool {
	if q.Family != diag.Unspec && q.Family != r.family() || !inStates(r.state(), q.States) {
		return false
	}
	return len(q.Bytecode) == 0 || filter.Accepts(q.Bytecode, &filter.Subject{
		Local: r.local(), Remote: r.remote(), Interface: r.ifindex(), Mark: r.mark(), Cgroup: r.cgroup(), Locked: r.locked(),
	})
}

// inStates reports whether states has the state s of a socket.
func inStates(s diag.State, states diag.States) bool {
	if s == diag.NewSynRecv || s == diag.SynRecv {
		return states.Has(diag.SynRecv) || states.Has(diag.NewSynRecv)
	}
	return states.Has(s)
}
