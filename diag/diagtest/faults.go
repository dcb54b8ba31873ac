package diagtest

import (
	"encoding/binary"
	"syscall"

	"golang.org/x/sys/unix"
)

// Fault is a way for a kernel to misbehave while it answers a dump.
type Fault struct {
	Name string
	// Answer answers the nth request for the sockets, from 1 on.
	Answer func(r Request, n int) []Datagram

	Sockets int    // that arrive whole, and are to be shown
	Whole   bool   // the dump comes to its end after all; else there has to be an error
	Is      error  // what the error is, besides partial where there were sockets; nil: nothing that has a name
	Text    string // in the error
	Asks    int    // how often the dump has to be asked for
	Waits   bool   // for the deadline: Config.Timeout says how long
}

// Partial reports whether the error has to be ErrPartial: there were sockets, or one was lost.
func (f *Fault) Partial() bool { return !f.Whole && f.Sockets > 0 }

// Faults are what can go wrong with a dump of sockets, whose messages have the payloads that message makes, from 0 on. The first are
// answers in order, to compare with.
func Faults(message func(i int) []byte) []Fault {
	type (
		answer = func(Request, int) []Datagram
		dgrams = []Datagram
	)
	// socks appends sockets from the number on.
	socks := func(d Datagram, r Request, flags uint16, from, n int) Datagram {
		for i := range n {
			d = d.Append(r, sockDiagByFamily, unix.NLM_F_MULTI|flags, message(from+i))
		}
		return d
	}
	one := func(d Datagram) dgrams { return dgrams{d} }
	fail := func(errno syscall.Errno) answer {
		return func(r Request, _ int) []Datagram { return one(Datagram{}.Error(r, errno)) }
	}
	// after answers n requests with the error, and then as it should be.
	after := func(n int, errno syscall.Errno) answer {
		return func(r Request, ask int) []Datagram {
			if ask <= n {
				return one(Datagram{}.Error(r, errno))
			}
			return one(socks(nil, r, 0, 0, 2).Done(r))
		}
	}
	errno := func(e syscall.Errno) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(-int32(e))) }
	done := func(d Datagram, r Request, payload []byte) Datagram {
		return d.Append(r, unix.NLMSG_DONE, unix.NLM_F_MULTI, payload)
	}
	// lying changes the length that the header of the message at off tells.
	lying := func(d Datagram, off int, size uint32) Datagram {
		binary.NativeEndian.PutUint32(d[off:], size)
		return d
	}
	size := 16 + (len(message(0))+3)&^3 // of a message
	// attr is a good message with an attribute behind it that says it has n bytes, and has room behind its header.
	attr := func(n uint16, room int) []byte {
		b := append([]byte(nil), message(9)...)
		b = binary.NativeEndian.AppendUint16(b, n)
		b = binary.NativeEndian.AppendUint16(b, 2)
		return append(b, make([]byte, room)...)
	}
	// passing is a broken message between good ones.
	passing := func(b []byte) answer {
		return func(r Request, _ int) []Datagram {
			d := socks(nil, r, 0, 0, 2).Append(r, sockDiagByFamily, unix.NLM_F_MULTI, b)
			return one(socks(d, r, 0, 2, 2).Done(r))
		}
	}
	words := func(r Request, typ uint16, text string) Datagram {
		b := errno(unix.EINVAL)
		if typ == unix.NLMSG_ERROR {
			b = append(b, make([]byte, 16)...) // the header of the request, capped
		}
		b = binary.NativeEndian.AppendUint16(b, uint16(4+len(text)+1))
		b = binary.NativeEndian.AppendUint16(b, 1) // NLMSGERR_ATTR_MSG
		b = append(append(b, text...), 0)
		return Datagram{}.Append(r, typ, unix.NLM_F_ACK_TLVS|unix.NLM_F_CAPPED|unix.NLM_F_MULTI, b)
	}
	other := func(r Request, seq, pid uint32) Request {
		r.Seq += seq
		r.PID += pid
		return r
	}
	const interrupted = unix.NLM_F_DUMP_INTR
	return []Fault{
		{"all is well", func(r Request, _ int) []Datagram {
			return dgrams{socks(nil, r, 0, 0, 3), socks(nil, r, 0, 3, 2), Datagram{}.Done(r)}
		}, 5, true, nil, "", 1, false},
		{"no sockets", func(r Request, _ int) []Datagram { return one(Datagram{}.Done(r)) }, 0, true, nil, "", 1, false},

		// NLMSG_ERROR.
		{"EPERM first", fail(unix.EPERM), 0, false, unix.EPERM, "operation not permitted", 1, false},
		{"EACCES first", fail(unix.EACCES), 0, false, unix.EACCES, "permission denied", 1, false},
		{"EINVAL first", fail(unix.EINVAL), 0, false, unix.EINVAL, "invalid argument", 1, false},
		{"EIO first", fail(unix.EIO), 0, false, unix.EIO, "input/output error", 1, false},
		{"an error in the middle", func(r Request, _ int) []Datagram {
			return dgrams{socks(nil, r, 0, 0, 3), socks(nil, r, 0, 3, 1).Error(r, unix.EPERM), socks(nil, r, 0, 4, 9)}
		}, 4, false, unix.EPERM, "operation not permitted (the result is partial)", 1, false},
		{"an error last", func(r Request, _ int) []Datagram {
			return dgrams{socks(nil, r, 0, 0, 3), Datagram{}.Error(r, unix.ENOMEM)}
		}, 3, false, unix.ENOMEM, "cannot allocate memory", 1, false},
		{"no handler in the middle", func(r Request, _ int) []Datagram {
			return dgrams{socks(nil, r, 0, 0, 3), Datagram{}.Error(r, unix.ENOENT)} // no reason to read /proc
		}, 3, false, unix.ENOENT, "no such file", 1, false},
		{"the kernel's words", func(r Request, _ int) []Datagram { return one(words(r, unix.NLMSG_ERROR, "no such bytecode")) },
			0, false, unix.EINVAL, "invalid argument: no such bytecode", 1, false},
		{"an error without an errno", func(r Request, _ int) []Datagram {
			return one(socks(nil, r, 0, 0, 2).Append(r, unix.NLMSG_ERROR, 0, []byte{1, 2}))
		}, 2, false, nil, "netlink error", 1, false},

		// NLMSG_DONE.
		{"done with an errno", func(r Request, _ int) []Datagram {
			return dgrams{socks(nil, r, 0, 0, 3), done(nil, r, errno(unix.EMSGSIZE))}
		}, 3, false, unix.EMSGSIZE, "message too long", 1, false},
		{"done with an errno, and nothing before", func(r Request, _ int) []Datagram { return one(done(nil, r, errno(unix.EMSGSIZE))) },
			0, false, unix.EMSGSIZE, "message too long", 1, false},
		{"done with an errno and words", func(r Request, _ int) []Datagram {
			return dgrams{socks(nil, r, 0, 0, 2), words(r, unix.NLMSG_DONE, "out of luck")}
		}, 2, false, unix.EINVAL, "invalid argument: out of luck", 1, false},
		{"done without an errno", func(r Request, _ int) []Datagram { return one(done(socks(nil, r, 0, 0, 2), r, nil)) }, 2, true, nil, "", 1, false},
		{"sockets behind done", func(r Request, _ int) []Datagram { return one(socks(socks(nil, r, 0, 0, 2).Done(r), r, 0, 2, 3)) }, 2, true, nil, "", 1, false},

		// Errors that pass.
		{"ENOBUFS once", after(1, unix.ENOBUFS), 2, true, nil, "", 2, false},
		{"EINTR twice", after(2, unix.EINTR), 2, true, nil, "", 3, false},
		{"EAGAIN once", after(1, unix.EAGAIN), 2, true, nil, "", 2, false},
		{"EBUSY three times", after(3, unix.EBUSY), 2, true, nil, "", 4, false},
		{"ENOMEM once", after(1, unix.ENOMEM), 2, true, nil, "", 2, false},
		{"ENOBUFS for ever", fail(unix.ENOBUFS), 0, false, unix.ENOBUFS, "no buffer space", 4, false},
		{"EINTR for ever", fail(unix.EINTR), 0, false, unix.EINTR, "interrupted system call", 4, false},
		{"EAGAIN for ever", fail(unix.EAGAIN), 0, false, unix.EAGAIN, "temporarily unavailable", 4, false},
		{"EBUSY for ever", fail(unix.EBUSY), 0, false, unix.EBUSY, "busy", 4, false},
		{"ENOBUFS in the middle", func(r Request, _ int) []Datagram {
			return one(socks(nil, r, 0, 0, 2).Error(r, unix.ENOBUFS)) // is not begun again: rows would come twice
		}, 2, false, unix.ENOBUFS, "no buffer space", 1, false},
		{"an overrun once", func(r Request, n int) []Datagram {
			if n == 1 {
				return one(Datagram{}.Append(r, unix.NLMSG_OVERRUN, 0, nil))
			}
			return one(socks(nil, r, 0, 0, 2).Done(r))
		}, 2, true, nil, "", 2, false},
		{"an overrun in the middle", func(r Request, _ int) []Datagram {
			return one(socks(nil, r, 0, 0, 2).Append(r, unix.NLMSG_OVERRUN, 0, nil))
		}, 2, false, unix.ENOBUFS, "no buffer space", 1, false},

		// NLM_F_DUMP_INTR.
		{"interrupted at once", func(r Request, _ int) []Datagram {
			return dgrams{socks(nil, r, interrupted, 0, 1), socks(nil, r, 0, 1, 1).Done(r)}
		}, 2, false, nil, "interrupted", 1, false},
		{"interrupted in the middle", func(r Request, _ int) []Datagram {
			return dgrams{socks(nil, r, 0, 0, 2), socks(nil, r, interrupted, 2, 1), socks(nil, r, 0, 3, 3).Done(r)}
		}, 6, false, nil, "interrupted", 1, false},
		{"interrupted, done says", func(r Request, _ int) []Datagram {
			return one(socks(nil, r, 0, 0, 2).Append(r, unix.NLMSG_DONE, unix.NLM_F_MULTI|interrupted, make([]byte, 4)))
		}, 2, false, nil, "interrupted", 1, false},

		// Answers to something else.
		{"another sequence number", func(r Request, _ int) []Datagram {
			o := other(r, ^uint32(0), 0)
			return dgrams{socks(nil, o, 0, 90, 3).Done(o), socks(socks(nil, o, 0, 90, 1), r, 0, 0, 2).Error(o, unix.EPERM), Datagram{}.Done(r)}
		}, 2, true, nil, "", 1, false},
		{"another port id", func(r Request, _ int) []Datagram {
			o := other(r, 0, 1)
			return one(socks(socks(nil, o, interrupted, 90, 3).Done(o), r, 0, 0, 2).Done(r))
		}, 2, true, nil, "", 1, false},
		{"only another sequence number", func(r Request, _ int) []Datagram {
			o := other(r, 1, 0)
			return one(socks(nil, o, 0, 90, 3).Done(o))
		}, 0, false, nil, "no answer for", 1, true},
		{"only another port id", func(r Request, _ int) []Datagram {
			o := other(r, 0, 1)
			return one(socks(nil, o, 0, 90, 3).Done(o))
		}, 0, false, nil, "no answer for", 1, true},
		{"another type", func(r Request, _ int) []Datagram {
			d := socks(nil, r, 0, 0, 1).Append(r, 99, unix.NLM_F_MULTI, message(90)).Append(r, 21, unix.NLM_F_MULTI, message(91))
			return one(socks(d, r, 0, 1, 1).Done(r))
		}, 2, true, nil, "", 1, false},
		{"NOOP", func(r Request, _ int) []Datagram {
			return one(socks(Datagram{}.Append(r, unix.NLMSG_NOOP, 0, make([]byte, 7)), r, 0, 0, 2).Append(r, unix.NLMSG_NOOP, 0, nil).Done(r))
		}, 2, true, nil, "", 1, false},

		// Lengths.
		{"a datagram that is too long", func(r Request, _ int) []Datagram {
			return dgrams{socks(nil, r, 0, 0, 2), socks(nil, r, 0, 2, 33<<10/size), Datagram{}.Done(r)} // MSG_TRUNC: 32 KiB are the most
		}, 2, false, nil, "datagram", 1, false},
		{"a header that is cut off", func(r Request, _ int) []Datagram {
			return one(append(socks(nil, r, 0, 0, 2), 9, 9, 9, 9, 9, 9, 9, 9))
		}, 2, false, nil, "netlink header", 1, false},
		{"a message longer than the datagram", func(r Request, _ int) []Datagram {
			return one(lying(socks(nil, r, 0, 0, 3), 2*size, uint32(size+1)))
		}, 2, false, nil, "netlink message", 1, false},
		{"a message of 4 GiB", func(r Request, _ int) []Datagram { return one(lying(socks(nil, r, 0, 0, 3), 2*size, 1<<32-1)) },
			2, false, nil, "netlink message", 1, false},
		{"a message shorter than its header", func(r Request, _ int) []Datagram { return one(lying(socks(nil, r, 0, 0, 3), 2*size, 15)) },
			2, false, nil, "netlink message", 1, false},
		{"a message of length 0", func(r Request, _ int) []Datagram { return one(lying(socks(nil, r, 0, 0, 3), 2*size, 0)) },
			2, false, nil, "netlink message", 1, false},
		{"a message without a payload", passing(nil), 4, false, nil, "1 messages could not be decoded", 1, false},
		{"a message that is cut off", passing(message(9)[:3]), 4, false, nil, "1 messages could not be decoded", 1, false},
		{"an attribute of length 0", passing(attr(0, 4)), 4, false, nil, "1 messages could not be decoded", 1, false},
		{"an attribute shorter than its header", passing(attr(3, 4)), 4, false, nil, "1 messages could not be decoded", 1, false},
		{"an attribute longer than the message", passing(attr(13, 8)), 4, false, nil, "1 messages could not be decoded", 1, false},
		{"an attribute of 64 KiB", passing(attr(0xffff, 8)), 4, false, nil, "1 messages could not be decoded", 1, false},
		{"an empty datagram", func(r Request, _ int) []Datagram { return dgrams{socks(nil, r, 0, 0, 2), {}} },
			2, false, nil, "closed the connection", 1, false},

		// No end.
		{"the connection ends", func(r Request, _ int) []Datagram { return dgrams{socks(nil, r, 0, 0, 2), nil} }, 2, false, nil, "closed the connection", 1, false},
		{"the connection ends at once", func(r Request, _ int) []Datagram { return dgrams{nil} }, 0, false, nil, "closed the connection", 1, false},
		{"never done", func(r Request, _ int) []Datagram { return one(socks(nil, r, 0, 0, 2)) }, 2, false, nil, "no answer for", 1, true},
		{"no answer", func(r Request, _ int) []Datagram { return nil }, 0, false, nil, "no answer for", 1, true},
	}
}
