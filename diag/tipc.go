package diag

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"slices"

	"golang.org/x/sys/unix"
)

// TIPCQuery says which TIPC sockets are wanted.
type TIPCQuery struct {
	// States is what the kernel picks by: Established, SynSent (connecting), Close (open), CloseWait (disconnecting) and Listen.
	// 0 is AllStates.
	States States
}

// TIPCAddr is a TIPC port (tipc(7)).
type TIPCAddr struct {
	Node uint32 // 0: the own one, before it has an address
	Ref  uint32 // the port's number
}

// TIPCSocket is one socket of AF_TIPC, as the kernel reports it: the nested attributes TIPC_NLA_SOCK_* of linux/tipc_netlink.h.
//
// One that comes from a query is valid until the next one is asked for: it borrows the receive buffer. Clone keeps it.
type TIPCSocket struct {
	Type   SocketType // SockStream, SockSeqpacket, SockDgram or SockRDM
	State  State      // as TIPCQuery says
	Local  TIPCAddr
	Inode  uint32
	UID    uint32
	Cookie uint64 // identifies the socket for as long as the system runs

	attrs, con, stat attrIndex
}

// Attributes of a TIPC socket (TIPC_NLA_* of linux/tipc_netlink.h).
const (
	tipcNLASock = 2

	tipcSockAddr    = 1
	tipcSockRef     = 2
	tipcSockCon     = 3
	tipcSockHasPubl = 4
	tipcSockStat    = 5
	tipcSockType    = 6
	tipcSockIno     = 7
	tipcSockUID     = 8
	tipcSockState   = 9
	tipcSockCookie  = 10

	tipcConFlag = 1
	tipcConNode = 2
	tipcConSock = 3
	tipcConType = 4
	tipcConInst = 5

	tipcStatRcvQ     = 0
	tipcStatSendQ    = 1
	tipcStatLinkCong = 2
	tipcStatConnCong = 3
	tipcStatDrop     = 4

	sizeofTIPCSockDiagReq = 8
)

// Peer returns what the socket is connected to, and whether it is connected.
func (s *TIPCSocket) Peer() (TIPCAddr, bool) {
	if s.attrs.have&(1<<tipcSockCon) == 0 {
		return TIPCAddr{}, false
	}
	node, _ := s.con.u32(tipcConNode)
	ref, _ := s.con.u32(tipcConSock)
	return TIPCAddr{node, ref}, true
}

// Via returns the service that the peer was connected to by, and whether there was one.
func (s *TIPCSocket) Via() (service, instance uint32, ok bool) {
	if _, ok = s.con.get(tipcConFlag); !ok {
		return 0, 0, false
	}
	service, _ = s.con.u32(tipcConType)
	instance, _ = s.con.u32(tipcConInst)
	return service, instance, true
}

// Published reports whether the socket is bound to a service.
func (s *TIPCSocket) Published() bool { return s.attrs.have&(1<<tipcSockHasPubl) != 0 }

// Queues returns the messages that wait to be read, and those that wait to be sent.
func (s *TIPCSocket) Queues() (recv, send uint32, ok bool) {
	recv, ok = s.stat.u32(tipcStatRcvQ)
	send, sok := s.stat.u32(tipcStatSendQ)
	return recv, send, ok || sok
}

// Drops returns how many messages were dropped, as the peer did not read in time.
func (s *TIPCSocket) Drops() (uint32, bool) { return s.stat.u32(tipcStatDrop) }

// Congested reports whether the link, or the connection, is.
func (s *TIPCSocket) Congested() (link, conn bool) {
	return s.stat.have&(1<<tipcStatLinkCong) != 0, s.stat.have&(1<<tipcStatConnCong) != 0
}

// Clone returns a copy that stays valid.
func (s *TIPCSocket) Clone() *TIPCSocket {
	c := *s
	for _, x := range [...]*attrIndex{&c.attrs, &c.con, &c.stat} {
		x.msg = slices.Clone(x.msg)
	}
	return &c
}

// TIPC yields the TIPC sockets that q asks for, of the Conn's network namespace. A socket is valid until the next one is asked for.
// Errors are as Inet has them. Needs TIPC_DIAG; Linux 4.17.
func (c *Conn) TIPC(ctx context.Context, q TIPCQuery) iter.Seq2[*TIPCSocket, error] {
	list := stream(ctx, c, query[TIPCSocket]{
		ask: q.asks()[0],
		decode: func(s *TIPCSocket, b []byte) error {
			if len(b) == 0 { // what the kernel sends of a socket that is in none of the states
				*s = TIPCSocket{}
				return nil
			}
			return s.decode(b)
		},
	})
	return func(yield func(*TIPCSocket, error) bool) {
		for s, err := range list {
			if (err != nil || s.Type != 0) && !yield(s, err) {
				return
			}
		}
	}
}

// request encodes struct tipc_sock_diag_req.
func (q *TIPCQuery) request() []byte {
	b := make([]byte, sizeofTIPCSockDiagReq)
	b[0] = unix.AF_TIPC
	binary.NativeEndian.PutUint32(b[4:], uint32(q.States))
	return b
}

// ParseTIPC decodes the payload of one message of a dump: the attribute TIPC_NLA_SOCK. The socket borrows b. It is for programs that have
// recorded a dump.
func ParseTIPC(b []byte) (*TIPCSocket, error) { return parse(b, "TIPC_NLA_SOCK", (*TIPCSocket).decode) }

var errNoTIPCSock = errors.New("kernel sent a TIPC socket without TIPC_NLA_SOCK")

func (s *TIPCSocket) decode(b []byte) error {
	if err := s.attrs.set(b); err != nil {
		return err
	}
	sock, ok := s.attrs.get(tipcNLASock)
	if !ok {
		return errNoTIPCSock
	}
	con, stat := []byte(nil), []byte(nil)
	err := s.attrs.set(sock)
	if err == nil {
		con, _ = s.attrs.get(tipcSockCon)
		stat, _ = s.attrs.get(tipcSockStat)
		err = cmp.Or(s.con.set(con), s.stat.set(stat))
	}
	if err != nil {
		return err
	}
	u32 := func(n int) uint32 {
		v, _ := s.attrs.u32(n)
		return v
	}
	s.Type, s.State = SocketType(u32(tipcSockType)), State(u32(tipcSockState))
	s.Local = TIPCAddr{u32(tipcSockAddr), u32(tipcSockRef)}
	s.Inode, s.UID = u32(tipcSockIno), u32(tipcSockUID)
	cookie, _ := s.attrs.get(tipcSockCookie)
	s.Cookie, _ = num64(cookie)
	return nil
}
