package diag

import "encoding/binary"

// indexAttrs notes in pos where the value of each attribute in b lies, and returns which there are: bit 1<<number. Attributes that
// pos has no place for are skipped; the first one whose length is wrong ends the walk, and is reported.
func indexAttrs(b []byte, pos []span) (have uint32, _ error) {
	off := 0
	for off+sizeofNlAttr <= len(b) {
		h := b[off : off+sizeofNlAttr]
		n := int(binary.NativeEndian.Uint16(h))
		typ := binary.NativeEndian.Uint16(h[2:]) & nlaTypeMask
		if n < sizeofNlAttr || n > len(b)-off {
			return have, &MessageError{What: "attribute", Len: len(b) - off, Want: n}
		}
		if int(typ) < len(pos) {
			pos[typ] = span{uint16(off + sizeofNlAttr), uint16(n - sizeofNlAttr)}
			have |= 1 << typ
		}
		off += (n + 3) &^ 3
	}
	return have, nil
}

// attrIndex finds the attributes of a socket of the smaller families. It borrows the message.
type attrIndex struct {
	msg  []byte
	have uint32
	pos  [attrIndexMax]span
}

// attrIndexMax is how many attributes the largest of those families has: XDP_DIAG_STATS of linux/xdp_diag.h, and TIPC_NLA_SOCK_GROUP
// of linux/tipc_netlink.h, are the last ones.
const attrIndexMax = 14

func (x *attrIndex) set(b []byte) (err error) {
	x.msg = b
	x.have, err = indexAttrs(b, x.pos[:])
	return err
}

// get returns the value of an attribute, or nil, and whether there is one.
func (x *attrIndex) get(n int) ([]byte, bool) {
	if x.have&(1<<n) == 0 {
		return nil, false
	}
	p := x.pos[n]
	return x.msg[p.off : int(p.off)+int(p.len)], true
}

// u32 returns an attribute that is a number of 32 bits.
func (x *attrIndex) u32(n int) (uint32, bool) {
	b, _ := x.get(n)
	return num32(b)
}

// skMemInfo returns an attribute that is an array of SK_MEMINFO_* figures.
func (x *attrIndex) skMemInfo(n int) (SKMemInfo, bool) {
	b, _ := x.get(n)
	if len(b) < 7*4 {
		return SKMemInfo{}, false
	}
	return decodeSKMemInfo(b), true
}
