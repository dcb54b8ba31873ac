// Package diagtest stands in for the kernel in tests: a Kernel answers sock_diag requests by a function, and a Recording answers
// them with what a real kernel once sent.
//
//	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram { ... })
//	c, err := diag.Dial(k.Config())
package diagtest

import (
	"encoding/binary"
	"errors"
	"iter"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
)

// Request is what the program asked.
type Request struct {
	Type  uint16 // 20: SOCK_DIAG_BY_FAMILY; 18: TCPDIAG_GETSOCK, TCP of both families
	Flags uint16
	Seq   uint32
	PID   uint32 // port id of the asking socket
	Data  []byte // behind the header: struct inet_diag_req_v2, or for TCPDIAG_GETSOCK inet_diag_req, and attributes
}

const tcpdiagGetsock = 18

// Family returns sdiag_family; diag.Unspec for TCPDIAG_GETSOCK, which asks for both.
func (r *Request) Family() diag.Family {
	if r.Type == tcpdiagGetsock {
		return diag.Unspec
	}
	return diag.Family(r.Data[0])
}

// Protocol returns sdiag_protocol, or INET_DIAG_REQ_PROTOCOL where it was sent.
func (r *Request) Protocol() diag.Protocol {
	if r.Type == tcpdiagGetsock {
		return diag.TCP
	}
	if v, ok := r.Attr(3); ok {
		return diag.Protocol(binary.NativeEndian.Uint32(v))
	}
	return diag.Protocol(r.Data[1])
}

// Ext returns idiag_ext.
func (r *Request) Ext() diag.Ext {
	if r.Type == tcpdiagGetsock {
		return diag.Ext(r.Data[3])
	}
	return diag.Ext(r.Data[2])
}

// States returns idiag_states.
func (r *Request) States() diag.States {
	off := 4
	if r.Type == tcpdiagGetsock {
		off = 52
	}
	return diag.States(binary.NativeEndian.Uint32(r.Data[off:]))
}

// Bytecode returns INET_DIAG_REQ_BYTECODE.
func (r *Request) Bytecode() []byte {
	v, _ := r.Attr(1)
	return v
}

// Attr returns an attribute of the request.
func (r *Request) Attr(typ uint16) ([]byte, bool) {
	size := 56
	if r.Type == tcpdiagGetsock {
		size = 60
	}
	for b := r.Data[min(size, len(r.Data)):]; len(b) >= 4; {
		n := int(binary.NativeEndian.Uint16(b))
		if n < 4 || n > len(b) {
			break
		}
		if binary.NativeEndian.Uint16(b[2:]) == typ {
			return b[4:n], true
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return nil, false
}

// Datagram is one datagram of an answer.
type Datagram []byte

// Append appends a message that answers r.
func (d Datagram) Append(r Request, typ, flags uint16, payload []byte) Datagram {
	ne := binary.NativeEndian
	d = ne.AppendUint32(d, uint32(16+len(payload)))
	d = ne.AppendUint16(d, typ)
	d = ne.AppendUint16(d, flags)
	d = ne.AppendUint32(d, r.Seq)
	d = ne.AppendUint32(d, r.PID)
	d = append(d, payload...)
	for len(d)%4 != 0 {
		d = append(d, 0)
	}
	return d
}

// Done appends NLMSG_DONE.
func (d Datagram) Done(r Request) Datagram {
	return d.Append(r, unix.NLMSG_DONE, unix.NLM_F_MULTI, make([]byte, 4))
}

// Error appends NLMSG_ERROR.
func (d Datagram) Error(r Request, errno syscall.Errno) Datagram {
	payload := binary.NativeEndian.AppendUint32(nil, uint32(-int32(errno)))
	return d.Append(r, unix.NLMSG_ERROR, unix.NLM_F_CAPPED, append(payload, make([]byte, 16)...))
}

// Kernel answers requests by a function. It runs until the test ends.
type Kernel struct {
	// Receive, if not nil, is asked before each receive of the program whether it is to be from another descriptor, such as one that
	// fails. Set it before Config.
	Receive func() (fd int, ok bool)
	// Hurry lets the program's read deadline pass as soon as it has read all that is sent, and not before, however busy the machine is.
	// One that sets no deadline waits for ever. Set it before Config.
	Hurry bool

	answer func(Request) []Datagram

	mu       sync.Mutex
	requests []Request
	wg       sync.WaitGroup
}

// NewKernel returns a Kernel that answers with what answer returns. A nil Datagram closes the connection; no datagram at all leaves
// the program waiting.
func NewKernel(t testing.TB, answer func(Request) []Datagram) *Kernel {
	k := &Kernel{answer: answer}
	t.Cleanup(k.wg.Wait)
	return k
}

// Config makes diag.Dial talk to the Kernel. It has no procfs, so that nothing of the machine's own sockets comes in.
func (k *Kernel) Config() *diag.Config { return &diag.Config{Socket: k.dial, Proc: "/nonexistent"} }

// Requests returns what was asked so far.
func (k *Kernel) Requests() []Request {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.requests
}

const portID = 4242

func (k *Kernel) dial() (*netlink.Conn, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	mine, yours := os.NewFile(uintptr(fds[0]), "kernel"), os.NewFile(uintptr(fds[1]), "sock_diag")
	c := &conn{File: yours, receive: k.Receive}
	k.wg.Go(func() { k.serve(mine, c) })
	return netlink.NewConn(c, portID), nil
}

func (k *Kernel) serve(f *os.File, c *conn) {
	defer f.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := f.Read(buf)
		if err != nil || n < 16 {
			return
		}
		ne := binary.NativeEndian
		r := Request{ne.Uint16(buf[4:]), ne.Uint16(buf[6:]), ne.Uint32(buf[8:]), ne.Uint32(buf[12:]), append([]byte(nil), buf[16:n]...)}
		k.mu.Lock()
		k.requests = append(k.requests, r)
		k.mu.Unlock()
		for _, d := range k.answer(r) {
			if d == nil {
				return
			}
			if _, err := f.Write(d); err != nil {
				return
			}
		}
		if k.Hurry {
			waitRead(f)
			c.expire()
		}
	}
}

// waitRead returns when the other end has read all that was written, or is closed.
func waitRead(f *os.File) {
	raw, err := f.SyscallConn()
	for err == nil {
		unread := 0
		err = raw.Control(func(fd uintptr) { unread, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
		if unread == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// conn is a netlink.Socket over one end of a socket pair. The receiving side is diag's own, through SyscallConn.
type conn struct {
	*os.File
	receive func() (fd int, ok bool)

	mu       sync.Mutex
	deadline bool // is set
	pending  int  // requests that are not answered
	expired  bool // all answers are read
}

// expire says that an answer is read. It lets the deadline pass, unless there is another answer to come.
func (c *conn) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending--; c.pending > 0 {
		return
	}
	if c.expired = true; c.deadline {
		c.File.SetReadDeadline(time.Unix(1, 0))
	}
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deadline = !t.IsZero(); c.deadline && c.expired {
		t = time.Unix(1, 0)
	}
	return c.File.SetReadDeadline(t)
}

func (c *conn) SyscallConn() (syscall.RawConn, error) {
	raw, err := c.File.SyscallConn()
	if c.receive == nil || err != nil {
		return raw, err
	}
	return &elsewhere{raw, c.receive}, nil
}

// elsewhere is a RawConn that reads from other descriptors, when it is told to.
type elsewhere struct {
	syscall.RawConn
	receive func() (fd int, ok bool)
}

func (e *elsewhere) Read(f func(fd uintptr) bool) error {
	if fd, ok := e.receive(); ok && f(uintptr(fd)) {
		return nil
	}
	return e.RawConn.Read(f)
}

var errReceive = errors.New("diagtest: receive through SyscallConn")

func (c *conn) Send(m netlink.Message) error {
	b, err := m.MarshalBinary()
	if err == nil {
		c.mu.Lock()
		c.pending++
		c.expired = false
		c.mu.Unlock()
		_, err = c.Write(b)
	}
	return err
}

func (c *conn) SendMessages(ms []netlink.Message) error {
	for _, m := range ms {
		if err := c.Send(m); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) Receive() ([]netlink.Message, error) { return nil, errReceive }

func (c *conn) ReceiveIter() iter.Seq2[netlink.Message, error] {
	return func(yield func(netlink.Message, error) bool) { yield(netlink.Message{}, errReceive) }
}

func (c *conn) SetDeadline(t time.Time) error { return c.File.SetDeadline(t) }
