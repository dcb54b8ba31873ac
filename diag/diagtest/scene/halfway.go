package scene

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// A way is one family's pair of ends over the TUN device.
type way struct {
	suffix           string
	family           int
	near, far, hasty string
}

var ways = []way{
	{"v4", unix.AF_INET, near4, far4, hasty4},
	{"v6", unix.AF_INET6, near6, far6, hasty6},
}

// Ports of the connections to the far end: the far end's is a service's here and there, the near end's tells the state.
const (
	portSynSent = 31001 + iota
	portRetransmit
	portKeepalive
	portProbe
	portFinWait1
	portFinWait1Orphan
	portFinWait2
	portFinWait2Orphan
	portFinWait2TimeWait
	portCloseWait
	portLastAck
	portLastAckOrphan
	portClosing
	portTimeWait
	portQueues
	portShutRead
)

// openWindow is the window of a far end that wants data.
const openWindow = 0xffff

// halfway makes the TCP connections whose far end has to behave in a certain way.
func (b *builder) halfway() {
	for i := range ways {
		w := &ways[i]
		b.opening(w)
		b.open(w)
		b.closing(w)
	}
	// A listener of both families answers an IPv4 SYN too.
	b.synRecv("syn-recv mapped", unix.AF_INET6, far4, near4, 80)
}

// dial opens a connection to the far end.
func (b *builder) dial(w *way, near, far int, opts ...option) (int, *flow) {
	return b.dialWindow(w, w.far, near, far, openWindow, opts...)
}

func (b *builder) dialWindow(w *way, host string, near, far int, window uint16, opts ...option) (int, *flow) {
	fl := b.far.flow(addrOf(host, far), addrOf(w.near, near), window)
	fd := b.socket(w.family, unix.SOCK_STREAM, 0, opts...)
	b.connect(fd, w.family, fl.near.String(), fl.far.String())
	return fd, fl
}

// opening makes SYN-SENT and SYN-RECV.
func (b *builder) opening(w *way) {
	fd := b.socket(w.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0, setInt(unix.IPPROTO_TCP, unix.TCP_SYNCNT, 30))
	far := addrOf(w.far, 9)
	b.bind(fd, w.family, addrOf(w.near, portSynSent).String())
	if err := unix.Connect(fd, sockaddr(w.family, far, 0)); err != unix.EINPROGRESS {
		check("connect to silence", fmt.Errorf("in progress wanted: %w", err))
	}
	b.note("syn-sent "+w.suffix, TCP, fd, SynSent, timer(TimerOn), queues(0, 1),
		func(e *Expect) { e.Remote = far }) // getpeername says nothing before the answer

	lfd := b.socket(w.family, unix.SOCK_STREAM, 0)
	b.bind(lfd, w.family, addrOf(w.near, 7).String())
	check("listen", unix.Listen(lfd, 64))
	b.note("listen tun "+w.suffix, TCP, lfd, Listen, backlog(64))
	b.synRecv("syn-recv "+w.suffix, w.family, w.far, w.near, 7)
}

// synRecv sends a SYN and nothing after to a listener of that family. A SYN-RECV has no socket of its own: its owner is its listener's.
func (b *builder) synRecv(name string, family int, far, near string, port int) {
	fl := b.far.flow(addrOf(far, 32001), addrOf(near, port), openWindow)
	fl.silence()
	check(name, fl.open())
	await("SYN-ACK of "+name, func() (bool, error) {
		fl.end.mu.Lock()
		defer fl.end.mu.Unlock()
		return fl.synSeen, nil
	})
	e := Expect{Name: name, Table: TCP, Family: family, Type: unix.SOCK_STREAM, State: SynRecv, Local: fl.near, Remote: fl.far, Timer: TimerOn}
	if family == unix.AF_INET6 {
		e.Local, e.Remote = mapped(e.Local), mapped(e.Remote)
	}
	b.add(e)
}

func mapped(ap netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(ap.Addr().As16()), ap.Port())
}

// open makes established connections: with a timer each, and with data in the queues.
func (b *builder) open(w *way) {
	fd, fl := b.dial(w, portRetransmit, 80)
	fl.silence()
	b.write(fd, 1000)
	b.note("retransmit "+w.suffix, TCP, fd, Established, timer(TimerOn), queues(0, 1000))

	fd, _ = b.dial(w, portKeepalive, 443, setInt(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1))
	b.note("keepalive "+w.suffix, TCP, fd, Established, timer(TimerKeepalive))

	fd, _ = b.dialWindow(w, w.far, portProbe, 8004, 0)
	b.write(fd, 500)
	b.note("probe "+w.suffix, TCP, fd, Established, timer(TimerProbe), queues(0, 500))

	fd, fl = b.dial(w, portQueues, 5432)
	check("send", fl.send(flagPSH|flagACK, make([]byte, 300)))
	b.awaitRead(fd, 300)
	fl.silence()
	b.write(fd, 700)
	b.note("queues "+w.suffix, TCP, fd, Established, timer(TimerOn), queues(300, 700))

	fd, _ = b.dial(w, portShutRead, 25)
	check("shutdown", unix.Shutdown(fd, unix.SHUT_RD))
	b.note("shut-read "+w.suffix, TCP, fd, Established, shut(ShutRead))
}

// awaitRead waits for unread bytes.
func (b *builder) awaitRead(fd, n int) {
	await(fmt.Sprintf("%d bytes to read", n), func() (bool, error) {
		got, err := unix.IoctlGetInt(fd, unix.SIOCINQ)
		return got == n, err
	})
}

// closing makes the states of a connection that one or both sides have closed. Those called orphans have no descriptor any more.
func (b *builder) closing(w *way) {
	orphan := func(name string, state State, near, far int, t Timer, recv, send uint32) {
		e := Expect{Name: name + " " + w.suffix, Table: TCP, Family: w.family, Type: unix.SOCK_STREAM, State: state,
			Local: addrOf(w.near, near), Remote: addrOf(w.far, far), Timer: t, RecvQ: recv, SendQ: send}
		if t != TimerTimeWait {
			e.Shutdown = ShutRead | ShutWrite
		}
		b.add(e)
	}

	fd, fl := b.dial(w, portFinWait1, 8080)
	fl.silence()
	check("shutdown", unix.Shutdown(fd, unix.SHUT_WR))
	b.note("fin-wait-1 "+w.suffix, TCP, fd, FinWait1, timer(TimerOn), queues(0, 1), shut(ShutWrite))

	fd, fl = b.dial(w, portFinWait1Orphan, 8080)
	fl.silence()
	b.drop(fd)
	orphan("fin-wait-1 orphan", FinWait1, portFinWait1Orphan, 8080, TimerOn, 0, 1)

	fd, _ = b.dial(w, portFinWait2, 8080)
	check("shutdown", unix.Shutdown(fd, unix.SHUT_WR))
	b.note("fin-wait-2 "+w.suffix, TCP, fd, FinWait2, shut(ShutWrite))

	// More than 60 seconds of FIN-WAIT-2 are waited for by the socket itself, the rest by a TIME-WAIT socket that says FIN-WAIT-2.
	fd, _ = b.dial(w, portFinWait2Orphan, 8080, setInt(unix.IPPROTO_TCP, unix.TCP_LINGER2, 120))
	b.drop(fd)
	orphan("fin-wait-2 orphan", FinWait2, portFinWait2Orphan, 8080, TimerKeepalive, 0, 0)

	// Closed in FIN-WAIT-2, not before: an ACK that finds the socket locked by close makes it wait for itself.
	fd, _ = b.dialWindow(w, w.hasty, portFinWait2TimeWait, 8080, openWindow)
	check("shutdown", unix.Shutdown(fd, unix.SHUT_WR))
	check("fin-wait-2", awaitState(fd, FinWait2))
	b.drop(fd)
	b.add(Expect{Name: "fin-wait-2 timewait " + w.suffix, Table: TCP, Family: w.family, Type: unix.SOCK_STREAM, State: FinWait2,
		Local: addrOf(w.near, portFinWait2TimeWait), Remote: addrOf(w.hasty, 8080), Timer: TimerTimeWait})

	fd, fl = b.dial(w, portCloseWait, 993)
	check("send", fl.send(flagFIN|flagPSH|flagACK, make([]byte, 42)))
	b.note("close-wait "+w.suffix, TCP, fd, CloseWait, queues(42+1, 0), shut(ShutRead))

	fd, fl = b.dial(w, portLastAck, 993)
	check("send", fl.send(flagFIN|flagACK, nil))
	check("close-wait", awaitState(fd, CloseWait))
	fl.silence()
	check("shutdown", unix.Shutdown(fd, unix.SHUT_WR))
	b.note("last-ack "+w.suffix, TCP, fd, LastAck, timer(TimerOn), queues(1, 1), shut(ShutRead|ShutWrite))

	fd, fl = b.dial(w, portLastAckOrphan, 993)
	check("send", fl.send(flagFIN|flagACK, nil))
	check("close-wait", awaitState(fd, CloseWait))
	fl.silence()
	b.drop(fd)
	orphan("last-ack orphan", LastAck, portLastAckOrphan, 993, TimerOn, 1, 1)

	fd, fl = b.dial(w, portClosing, 8443)
	fl.silence()
	check("shutdown", unix.Shutdown(fd, unix.SHUT_WR))
	check("closing", fl.fin(patience))
	check("send", fl.send(flagFIN|flagACK, nil))
	b.note("closing "+w.suffix, TCP, fd, Closing, timer(TimerOn), queues(1, 1), shut(ShutRead|ShutWrite))

	fd, fl = b.dial(w, portTimeWait, 8443)
	check("shutdown", unix.Shutdown(fd, unix.SHUT_WR))
	check("fin-wait-2", awaitState(fd, FinWait2))
	check("send", fl.send(flagFIN|flagACK, nil))
	check("time-wait", awaitState(fd, Close)) // the connection goes on without the socket
	b.drop(fd)
	fl.refreshing()
	orphan("time-wait", TimeWait, portTimeWait, 8443, TimerTimeWait, 0, 0)
}
