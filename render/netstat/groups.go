package netstat

import (
	"net/netip"
	"strconv"
)

// Group is a membership of a device in a multicast group (/proc/net/igmp and igmp6).
type Group struct {
	Device string
	Users  uint32 // how many memberships there are; shown as a signed number, as ever
	Addr   netip.Addr
}

// AppendGroupsHeader appends the three lines of headings of multicast groups.
func AppendGroupsHeader(dst []byte) []byte {
	return append(dst, `IPv6/IPv4 Group Memberships
Interface       RefCnt Group
--------------- ------ ---------------------
`...)
}

// AppendGroup appends the line of a membership.
func (t *Table) AppendGroup(dst []byte, g *Group) []byte {
	dst = appendLeft(dst, g.Device, 15)
	dst = append(dst, ' ')
	dst = appendLeftInt(dst, int64(int32(g.Users)), 6)
	dst = append(dst, ' ')
	dst = t.appendHost(dst, g.Addr)
	return append(dst, '\n')
}

// appendLeft appends a cell that is left-aligned in width columns.
func appendLeft(dst []byte, cell string, width int) []byte {
	start := len(dst)
	return pad(append(dst, cell...), start, width)
}

func appendLeftInt(dst []byte, n int64, width int) []byte {
	start := len(dst)
	return pad(strconv.AppendInt(dst, n, 10), start, width)
}

// appendRightInt appends a number that is right-aligned in width columns.
func appendRightInt(dst []byte, n int64, width int) []byte {
	var digits [20]byte
	return appendRight(dst, strconv.AppendInt(digits[:0], n, 10), width)
}

func appendRightUint(dst []byte, n uint64, width int) []byte {
	var digits [20]byte
	return appendRight(dst, strconv.AppendUint(digits[:0], n, 10), width)
}

func appendRight(dst, cell []byte, width int) []byte {
	dst = pad(dst, len(dst), width-len(cell))
	return append(dst, cell...)
}
