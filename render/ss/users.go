package ss

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/render/names"
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
		if p.opt.Threads && (i == len(p.list)-1 || p.list[i+1].PID != o.PID) {
			b = p.appendThreads(b, p.list[:i+1], inode)
		}
		b = append(b, `("`...)
		if proc := p.owners.Process(o.PID); proc.Known {
			b = appendComm(b, proc.Comm)
		} else {
			b = append(b, '?')
		}
		b = append(p.appendHolder(append(b, '"'), o.PID, o.PID, o.FD), ')')
	}
	if len(p.list) > 0 {
		b = append(b, ')')
	}
	return b
}

// Thread is a thread of a process, other than its first, that has a descriptor.
type Thread struct {
	TID, FD int32
	Comm    string
	Place   int // among the threads of the process, by their start: numbers begin anew
}

// ThreadOwners are Owners that know threads, for Options.Threads.
type ThreadOwners interface {
	// Threads appends the threads that have the owner's descriptor for the socket, in order, without the first of the process.
	Threads(dst []Thread, o owner.Owner, inode uint32) []Thread
}

// appendThreads appends the other threads of the process that the last of the owners belong to, the last thread first, each with a
// comma behind it.
func (p *Writer) appendThreads(b []byte, owners []owner.Owner, inode uint32) []byte {
	t, ok := p.owners.(ThreadOwners)
	if !ok {
		return b
	}
	pid := owners[len(owners)-1].PID
	p.threads = p.threads[:0]
	for _, o := range owners {
		if o.PID == pid {
			p.threads = t.Threads(p.threads, o, inode)
		}
	}
	slices.SortFunc(p.threads, func(a, b Thread) int {
		return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.TID, b.TID), cmp.Compare(a.FD, b.FD))
	})
	for _, t := range slices.Backward(p.threads) {
		b = appendComm(append(b, `("`...), t.Comm)
		b = append(p.appendHolder(append(b, '"'), pid, t.TID, t.FD), "),"...)
	}
	return b
}

// appendHolder appends what is told of a holder besides its name.
func (p *Writer) appendHolder(b []byte, pid, tid, fd int32) []byte {
	b = appendUint(append(b, ",pid="...), uint64(pid))
	if p.opt.Threads {
		b = appendUint(append(b, ",tid="...), uint64(tid))
	}
	if p.opt.ProcessContext != nil {
		b = names.AppendEscaped(append(b, ",proc_ctx="...), p.opt.ProcessContext(tid))
	}
	b = appendUint(append(b, ",fd="...), uint64(fd))
	if p.opt.SocketContext != nil {
		b = names.AppendEscaped(append(b, ",sock_ctx="...), p.opt.SocketContext(tid, fd))
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
