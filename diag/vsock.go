package diag

import (
	"context"
	"encoding/binary"
	"iter"

	"golang.org/x/sys/unix"
)

// VSockQuery says which vsock sockets are wanted.
type VSockQuery struct {
	// States is what the kernel picks by; 0 is AllStates.
	States States
}

// VSockAddr is an address of AF_VSOCK: struct sockaddr_vm of linux/vm_sockets.h.
type VSockAddr struct {
	CID  uint32 // the virtual machine, or VSockAny; 0 is the hypervisor, 1 the own machine, 2 the host
	Port uint32 // or VSockAny
}

// VSockAny is the context id or port that stands for any (VMADDR_CID_ANY, VMADDR_PORT_ANY).
const VSockAny = 1<<32 - 1

// VSockSocket is one socket of AF_VSOCK (vsock(7)), as the kernel reports it: struct vsock_diag_msg of linux/vm_sockets_diag.h.
// It borrows nothing: a copy of it stays valid.
type VSockSocket struct {
	Type          SocketType // SockStream, SockDgram or SockSeqpacket
	State         State      // as TCP's
	Shutdown      uint8      // RcvShutdown and SendShutdown
	Local, Remote VSockAddr
	Inode         uint32
	Cookie        uint64 // identifies the socket for as long as the system runs
}

const (
	sizeofVSockDiagReq = 24
	sizeofVSockDiagMsg = 32
)

// VSock yields the vsock sockets that q asks for, of the Conn's network namespace. A socket is overwritten when the next one is asked
// for. Errors are as Inet has them. Needs VSOCKETS_DIAG; Linux 4.15.
func (c *Conn) VSock(ctx context.Context, q VSockQuery) iter.Seq2[*VSockSocket, error] {
	return stream(ctx, c, query[VSockSocket]{
		ask:    q.asks()[0],
		decode: (*VSockSocket).decode,
	})
}

// request encodes struct vsock_diag_req.
func (q *VSockQuery) request() []byte {
	b := make([]byte, sizeofVSockDiagReq)
	b[0] = unix.AF_VSOCK
	binary.NativeEndian.PutUint32(b[4:], uint32(q.States))
	return b
}

// ParseVSock decodes the payload of one message of a dump: struct vsock_diag_msg. It is for programs that have recorded a dump.
func ParseVSock(b []byte) (*VSockSocket, error) {
	return parse(b, "vsock_diag_msg", (*VSockSocket).decode)
}

func (s *VSockSocket) decode(b []byte) error {
	if len(b) < sizeofVSockDiagMsg {
		return &MessageError{What: "vsock_diag_msg", Len: len(b), Want: sizeofVSockDiagMsg}
	}
	ne := binary.NativeEndian
	s.Type, s.State, s.Shutdown = SocketType(b[1]), State(b[2]), b[3]
	s.Local = VSockAddr{ne.Uint32(b[4:]), ne.Uint32(b[8:])}
	s.Remote = VSockAddr{ne.Uint32(b[12:]), ne.Uint32(b[16:])}
	s.Inode = ne.Uint32(b[20:])
	s.Cookie = cookie(b[24:])
	return nil
}
