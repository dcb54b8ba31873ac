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
	sep := " users:("
	var shown int32 // the process whose threads are
	for i, o := range slices.Backward(p.list) {
		if o.PID == shown {
			continue
		}
		if p.opt.Threads && (i == len(p.list)-1 || p.list[i+1].PID != o.PID) && p.findThreads(p.list[:i+1], inode) {
			for _, t := range slices.Backward(p.threads) {
				b = p.appendHolder(append(b, sep...), t.Comm, o.PID, t.TID, t.FD)
				sep = ","
			}
			shown = o.PID
			continue
		}
		comm := "?"
		if proc := p.owners.Process(o.PID); proc.Known {
			comm = proc.Comm
		}
		b = p.appendHolder(append(b, sep...), comm, o.PID, o.PID, o.FD)
		sep = ","
	}
	if len(p.list) > 0 {
		b = append(b, ')')
	}
	return b
}

// Thread is a thread of a process that has a descriptor.
type Thread struct {
	TID, FD int32
	Comm    string
	Place   int // among the threads of the process, by their start: numbers begin anew
}

// ThreadOwners are Owners that know threads, for Options.Threads.
type ThreadOwners interface {
	// Threads appends the threads that have the owner's descriptor for the socket, in order; none, if that cannot be told.
	Threads(dst []Thread, o owner.Owner, inode uint32) []Thread
}

// findThreads puts the threads of the process that the last of the owners belong to in p.threads, and reports whether there are any.
func (p *Writer) findThreads(owners []owner.Owner, inode uint32) bool {
	t, ok := p.owners.(ThreadOwners)
	if !ok {
		return false
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
	return len(p.threads) > 0
}

// appendHolder appends what is told of a holder.
func (p *Writer) appendHolder(b []byte, comm string, pid, tid, fd int32) []byte {
	b = appendComm(append(b, `("`...), comm)
	b = appendUint(append(b, `",pid=`...), uint64(pid))
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
	return append(b, ')')
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
