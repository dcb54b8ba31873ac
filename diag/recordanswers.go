package diag

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"iter"
)

// Query is a query whose answer can be recorded: InetQuery, UnixQuery, PacketQuery, NetlinkQuery, VSockQuery, XDPQuery, TIPCQuery.
type Query interface{ asks() []ask }

func (q InetQuery) asks() (list []ask) {
	q.Protocol, q.States, q.AnyOrder = cmp.Or(q.Protocol, TCP), cmp.Or(q.States, AllStates), false
	for _, f := range families(q.Family) {
		list = append(list, q.ask(f))
	}
	return list
}

func (q UnixQuery) asks() []ask {
	q.States = cmp.Or(q.States, AllStates)
	return []ask{{"dump unix", sockDiagByFamily, q.request()}}
}

func (q VSockQuery) asks() []ask {
	q.States = cmp.Or(q.States, AllStates)
	return []ask{{"dump vsock", sockDiagByFamily, q.request()}}
}

func (q TIPCQuery) asks() []ask {
	q.States = cmp.Or(q.States, AllStates)
	return []ask{{"dump tipc", sockDiagByFamily, q.request()}}
}

func (q PacketQuery) asks() []ask { return []ask{{"dump packet", sockDiagByFamily, q.request()}} }

func (q NetlinkQuery) asks() []ask { return []ask{{"dump netlink", sockDiagByFamily, q.request()}} }

func (q XDPQuery) asks() []ask { return []ask{{"dump xdp", sockDiagByFamily, q.request()}} }

const nlmFRequest, nlmFDump = 1, 0x300

// RecordAnswer is Record with the request in front of each answer, so that ReadAnswers can tell what it answers to.
func (c *Conn) RecordAnswer(ctx context.Context, q Query, w io.Writer) error {
	ne := binary.NativeEndian
	r := recorder{conn: c, ctx: ctx, w: w}
	for _, a := range q.asks() {
		if a.data == nil {
			return a.fail(errTooLong)
		}
		b := ne.AppendUint32(nil, uint32(sizeofNlMsghdr+len(a.data)))
		b = ne.AppendUint16(ne.AppendUint16(b, uint16(a.typ)), nlmFRequest|nlmFDump)
		b = append(append(b, make([]byte, 8)...), a.data...) // no sequence number, no port
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		if err := r.record(a); err != nil {
			return err
		}
	}
	return nil
}

// Answer is a message about a socket in a recording.
type Answer struct {
	Request []byte // the payload of the request that it answers to
	Message []byte // its own, for ParseInet and its like; nil: the request itself
}

// Family returns the family that was asked for.
func (a *Answer) Family() Family {
	if len(a.Request) == 0 {
		return Unspec
	}
	return Family(a.Request[0])
}

// Protocol returns the protocol of inet sockets that was asked for.
func (a *Answer) Protocol() Protocol {
	if len(a.Request) < sizeofInetDiagReqV2 {
		return 0
	}
	for typ, v := range attrs(a.Request[sizeofInetDiagReqV2:]) {
		if p, ok := num32(v); ok && typ == inetDiagReqProtocol {
			return Protocol(p)
		}
	}
	return Protocol(a.Request[1])
}

// maxRecorded is the longest netlink message that a recording is believed to have: no kernel sends longer ones.
const maxRecorded = 1 << 16

// ReadAnswers yields the messages that RecordAnswer has written: each request, and behind it those about sockets. What stands in front of the first request, as Record
// writes it, is passed over. An error ends the sequence.
func ReadAnswers(r io.Reader) iter.Seq2[Answer, error] {
	return func(yield func(Answer, error) bool) {
		in := bufio.NewReaderSize(r, maxRecorded)
		ne := binary.NativeEndian
		var request []byte
		head := make([]byte, sizeofNlMsghdr)
		for {
			if _, err := io.ReadFull(in, head); err != nil {
				if !errors.Is(err, io.EOF) {
					yield(Answer{}, &Error{Op: "read recording", Err: err})
				}
				return
			}
			size, typ, flags := int(ne.Uint32(head)), ne.Uint16(head[4:]), ne.Uint16(head[6:])
			if size < sizeofNlMsghdr || size > maxRecorded {
				yield(Answer{}, &Error{Op: "read recording", Err: &MessageError{What: "netlink message", Len: maxRecorded, Want: size}})
				return
			}
			m := make([]byte, (size-sizeofNlMsghdr+3)&^3)
			if _, err := io.ReadFull(in, m); err != nil {
				yield(Answer{}, &Error{Op: "read recording", Err: err})
				return
			}
			m = m[:size-sizeofNlMsghdr]
			switch {
			case flags&nlmFRequest != 0:
				request = m
				if !yield(Answer{request, nil}, nil) {
					return
				}
			case request != nil && carriesSocket(typ):
				if !yield(Answer{request, m}, nil) {
					return
				}
			}
		}
	}
}
