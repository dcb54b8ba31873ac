package netstat

import (
	"bytes"

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

// maxUnixName is the longest name (sun_path of unix(7)).
const maxUnixName = 108

// joinLines puts blanks in the place of line feeds in those names, in the table itself. A row is found by the inode and the whole name;
// what was joined is not looked through again, since a name may have the row of another socket in it.
func joinLines(table []byte, names []unixName) []byte {
	if len(names) == 0 {
		return table
	}
	byInode := make(map[uint64][]byte, len(names))
	shared := map[string]bool{}
	for _, n := range names {
		byInode[uint64(n.inode)] = n.text
		if n.shared {
			shared[string(n.text)] = true
		}
	}
	_, rest, _ := bytes.Cut(table, []byte{'\n'}) // the headings
	for len(rest) > 0 {
		line, next, _ := bytes.Cut(rest, []byte{'\n'})
		inode, name := unixRow(line, rest)
		n := 0
		switch text, ok := byInode[inode]; {
		case inode == 0:
			n = longest(shared, name)
		case ok && len(name) > len(text) && name[len(text)] == '\n' && bytes.HasPrefix(name, text):
			n = len(text)
		}
		for i, c := range name[:n] {
			if c == '\n' {
				name[i] = ' '
			}
		}
		if n > 0 {
			next = name[n+1:]
		}
		rest = next
	}
	return table
}

// unixRow returns the inode in a line, and all that stands behind the blank that comes after it.
func unixRow(line, table []byte) (inode uint64, name []byte) {
	const inodeColumn = 6
	var field []byte
	rest := line
	for range inodeColumn + 1 {
		field, rest = nextField(rest)
	}
	inode, ok := parseNumber(field, 10)
	if !ok || len(rest) == 0 {
		return 0, nil
	}
	return inode, table[len(line)-len(rest)+1:]
}

// longest returns the length of the longest of the names that the table begins with, as a whole line or more.
func longest(names map[string]bool, table []byte) (n int) {
	for end, c := range table[:min(len(table), maxUnixName+1)] {
		if c == '\n' && names[string(table[:end])] {
			n = end
		}
	}
	return n
}
