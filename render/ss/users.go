package ss

import (
	"slices"
	"strings"
)

// Unowned returns how many of the sockets have an inode, and so an owner, that is not known.
func (p *Writer) Unowned() int { return p.unowned }

// appendUsers appends the processes that hold a socket, the last one first, as ss finds them.
func (p *Writer) appendUsers(b []byte, inode uint32) []byte {
	if inode == 0 || p.owners == nil {
		return b
	}
	p.list = p.owners.Owners(p.list[:0], inode)
	if len(p.list) == 0 {
		p.unowned++
	}
	for i, o := range slices.Backward(p.list) {
		if i == len(p.list)-1 {
			b = append(b, " users:("...)
		} else {
			b = append(b, ',')
		}
		b = append(b, `("`...)
		if proc := p.owners.Process(o.PID); proc.Known {
			b = appendComm(b, proc.Comm)
		} else {
			b = append(b, '?')
		}
		b = append(appendUint(append(b, `",pid=`...), uint64(o.PID)), ",fd="...)
		b = append(appendUint(b, uint64(o.FD)), ')')
	}
	if len(p.list) > 0 {
		b = append(b, ')')
	}
	return b
}

// appendComm appends the name of a process as ss reads it: up to the first closing parenthesis, with a dot for a control
// character and a question mark for a byte that is not ASCII.
func appendComm(b []byte, comm string) []byte {
	comm, _, _ = strings.Cut(comm, ")")
	for i := range len(comm) {
		switch c := comm[i]; {
		case c >= 0x80:
			b = append(b, '?')
		case c < ' ' || c == 0x7f:
			b = append(b, '.')
		default:
			b = append(b, c)
		}
	}
	return b
}
