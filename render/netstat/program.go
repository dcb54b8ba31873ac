package netstat

import (
	"strconv"
	"strings"
)

// maxProgram is how much is shown of PID/NAME, in bytes.
const maxProgram = 19

// appendProgram appends PID/NAME of the process that has the socket, or "-". The name is argv[0], without directories if it
// begins with a slash; what is not printable ASCII becomes a dot.
func (t *Table) appendProgram(dst []byte, inode uint32) []byte {
	if t.Program == nil || inode == 0 {
		return append(dst, '-')
	}
	pid, argv0, ok := t.Program(inode)
	if !ok {
		return append(dst, '-')
	}
	if strings.HasPrefix(argv0, "/") {
		argv0 = argv0[strings.LastIndexByte(argv0, '/')+1:]
	}
	start := len(dst)
	dst = strconv.AppendInt(dst, int64(pid), 10)
	dst = append(dst, '/')
	argv0 = argv0[:min(len(argv0), max(0, maxProgram-(len(dst)-start)))]
	for i := range len(argv0) {
		c := argv0[i]
		if c < 0x20 || c > 0x7e {
			c = '.'
		}
		dst = append(dst, c)
	}
	return dst
}
