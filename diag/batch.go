package diag

import (
	"encoding/binary"
	"iter"
	"sync"
	"syscall"
)

// batchSize is the largest datagram of a dump: netlink_dump in net/netlink/af_netlink.c allocates at most 32 KiB.
const batchSize = 32 << 10

// Batch is one datagram of a dump, some hundred sockets. Batches are for programs that receive in one goroutine and decode in
// another; all others range over Conn.Inet.
type Batch struct {
	buf    []byte
	n      int // bytes of whole messages, up to the last that carries a socket
	broken int // messages that could not be decoded, once Inet has run
	lost   int // of them, lines of a /proc table
	proto  Protocol
	socks  []InetSocket // instead of messages: rows from /proc
	sock   InetSocket
}

// BatchPool recycles batches. Its zero value is ready to use.
type BatchPool struct{ pool sync.Pool }

// Put gives b back. Sockets of it must not be used any more.
func (p *BatchPool) Put(b *Batch) { p.pool.Put(b) }

// get returns a recycled batch, or a new one. p may be nil.
func (p *BatchPool) get() *Batch {
	if p != nil {
		if b, ok := p.pool.Get().(*Batch); ok {
			return b
		}
	}
	return newBatch()
}

func newBatch() *Batch { return &Batch{buf: make([]byte, batchSize)} }

// Inet yields the sockets of the batch. Each is valid until the next is asked for.
func (b *Batch) Inet() iter.Seq[*InetSocket] {
	return func(yield func(*InetSocket) bool) { b.each(yield) }
}

// each calls yield with the sockets of the batch until it returns false, and reports whether it came to the end.
func (b *Batch) each(yield func(*InetSocket) bool) bool {
	b.broken = b.lost
	for i := range b.socks {
		if !yield(&b.socks[i]) {
			return false
		}
	}
	for m := range b.messages {
		if err := b.sock.decode(m, b.proto); err != nil {
			b.broken++
		} else if !yield(&b.sock) {
			return false
		}
	}
	return true
}

// messages yields the payloads of the messages that carry sockets.
func (b *Batch) messages(yield func(m []byte) bool) {
	ne := binary.NativeEndian
	for rest := b.buf[:b.n]; len(rest) >= sizeofNlMsghdr; {
		n := int(ne.Uint32(rest)) // scan has seen that it fits
		if carriesSocket(ne.Uint16(rest[4:])) && !yield(rest[sizeofNlMsghdr:n]) {
			return
		}
		rest = rest[min((n+3)&^3, len(rest)):]
	}
}

// blank takes out the messages of sockets whose cookie, at off in the payload, gone reports.
func (b *Batch) blank(off int, gone func(cookie uint64) bool) {
	ne := binary.NativeEndian
	for rest := b.buf[:b.n]; len(rest) >= sizeofNlMsghdr; {
		n := int(ne.Uint32(rest)) // scan has seen that it fits
		if carriesSocket(ne.Uint16(rest[4:])) && n >= sizeofNlMsghdr+off+8 && gone(cookie(rest[sizeofNlMsghdr+off:])) {
			ne.PutUint16(rest[4:], nlmsgNoop)
		}
		rest = rest[min((n+3)&^3, len(rest)):]
	}
}

// carriesSocket reports whether a message of the type is about a socket. Others that kernels may come to send are passed over.
func carriesSocket(typ uint16) bool { return typ == sockDiagByFamily || typ == tcpdiagGetsock }

// Broken returns how many messages of the batch could not be decoded, once Inet has run over all of it.
func (b *Batch) Broken() int { return b.broken }

func (b *Batch) reset(p Protocol) {
	b.n, b.broken, b.lost, b.socks, b.proto = 0, 0, 0, b.socks[:0], p
}

// end is how a datagram ends.
type end struct {
	done        bool   // NLMSG_DONE or an error: nothing follows
	interrupted bool   // NLM_F_DUMP_INTR
	err         error  // what NLMSG_ERROR or NLMSG_DONE says, or a broken header
	msg         string // the kernel's words for it
}

// scan walks the headers of the n bytes that were received, so that Inet can trust them, and finds the end of the dump.
// Messages that answer another request are blanked out.
func (b *Batch) scan(n int, seq, pid uint32) (e end) {
	b.reset(b.proto)
	ne := binary.NativeEndian
	for off := 0; off < n; {
		rest := b.buf[off:n]
		if len(rest) < sizeofNlMsghdr {
			e.done, e.err = true, &MessageError{What: "netlink header", Len: len(rest), Want: sizeofNlMsghdr}
			return e
		}
		size, typ, flags := int(ne.Uint32(rest)), ne.Uint16(rest[4:]), ne.Uint16(rest[6:])
		if size < sizeofNlMsghdr || size > len(rest) {
			e.done, e.err = true, &MessageError{What: "netlink message", Len: len(rest), Want: size}
			return e
		}
		next := min(off+(size+3)&^3, n)
		if ne.Uint32(rest[8:]) != seq || pid != 0 && ne.Uint32(rest[12:]) != pid {
			ne.PutUint16(rest[4:], nlmsgNoop)
			off = next
			continue
		}
		if flags&nlmFDumpIntr != 0 {
			e.interrupted = true
		}
		switch typ {
		case nlmsgDone, nlmsgError:
			e.done = true
			e.msg, e.err = status(rest[:size], typ, flags)
			return e
		case nlmsgOverrun:
			e.done, e.err = true, syscall.ENOBUFS
			return e
		}
		off = next
		if carriesSocket(typ) { // without one there is nothing to yield, and the dump may be begun again
			b.n = next
		}
	}
	return e
}

// status reads what NLMSG_ERROR or NLMSG_DONE says; an errno of 0 is success.
func status(m []byte, typ, flags uint16) (words string, _ error) {
	p := m[sizeofNlMsghdr:]
	if len(p) < 4 {
		if typ == nlmsgDone {
			return "", nil
		}
		return "", &MessageError{What: "netlink error", Len: len(p), Want: 4}
	}
	errno := -int32(binary.NativeEndian.Uint32(p))
	if errno == 0 {
		return "", nil
	}
	if flags&nlmFAckTLVs != 0 {
		tlvs := p[4:]
		if typ == nlmsgError { // the header of the request, and its payload unless capped
			skip := sizeofNlMsghdr
			if flags&nlmFCapped == 0 && len(tlvs) >= 4 {
				skip = (int(binary.NativeEndian.Uint32(tlvs)) + 3) &^ 3
			}
			tlvs = tlvs[max(0, min(skip, len(tlvs))):]
		}
		for t, v := range attrs(tlvs) {
			if t == nlmsgErrAttrMsg {
				words = string(cstring(v))
			}
		}
	}
	return words, syscall.Errno(errno)
}
