package netstat

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/sockeye-tools/sockeye/diag"
)

// unixName is the name of a UNIX domain socket as /proc/net/unix has it: "@" in place of NUL bytes.
type unixName struct {
	inode uint32
	text  []byte
	// shared: there may be rows with this name and without an inode, of connections that the socket has not accepted.
	shared bool
}

// oneLineEach returns the table /proc/net/unix with a blank for each line feed in a name. The kernel writes names as they are, and what
// stands behind a line feed would pass for the row of another socket. Which sockets have such names is asked of sock_diag; where that
// has no answer, the table stays as it is.
func (r *run) oneLineEach(table []byte) []byte {
	if r.conn == nil || r.env.Owners.Proc != "" { // the table is not that of this kernel
		return table
	}
	var names []unixName
	for s, err := range r.conn.Unix(r.env.Ctx, diag.UnixQuery{Show: diag.UnixShowName}) {
		if err != nil {
			break
		}
		if name, _ := s.Name(); s.Source == diag.FromNetlink && bytes.IndexByte(name, '\n') >= 0 {
			text := bytes.ReplaceAll(name, []byte{0}, []byte{'@'})
			names = append(names, unixName{s.Inode, text, s.State == diag.Listen})
		}
	}
	return joinLines(table, names)
}

// joinLines puts blanks in the place of line feeds in those names. A row is found by the inode and the whole name. Longer names come
// first: they may have the row of a shorter one in them.
func joinLines(table []byte, names []unixName) []byte {
	slices.SortFunc(names, func(a, b unixName) int { return len(b.text) - len(a.text) })
	for _, n := range names {
		inodes := []uint32{n.inode}
		if n.shared {
			inodes = append(inodes, 0)
		}
		for _, inode := range inodes {
			row := fmt.Appendf(nil, " %5d %s", inode, n.text)
			one := bytes.ReplaceAll(row, []byte{'\n'}, []byte{' '})
			table = bytes.ReplaceAll(table, append(row, '\n'), append(one, '\n'))
		}
	}
	return table
}
