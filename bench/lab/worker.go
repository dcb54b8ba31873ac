package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// worker makes the sockets of one spec and holds them.
type worker struct {
	spec  *spec
	tally *tally
	mu    sync.Mutex // a proxy accepts and dials at the same time; held around a batch's bookkeeping
	share []int      // descriptors that a child will hold too
	full  []int      // descriptors whose queues are to be filled
	keep  *keeper
	made  func(n int) // reports progress
}

// build makes everything. Descriptors stay open until the process ends.
func (w *worker) build() error {
	s := w.spec
	if s.raw() {
		var want [2]bool
		for f := range 2 {
			want[f] = s.TimeWait[f] > 0 || s.SynRecv[f] > 0
		}
		fg, err := newForger(want)
		if err != nil {
			return err
		}
		w.keep = &keeper{forger: fg}
		for f, on := range want {
			if on {
				w.tally.Groups[Group{Protocol: "raw", Family: familyName(f == 1), State: "CLOSE", Owned: true}]++
				w.tally.hold("raw", 1)
				w.tally.Raw++
			}
		}
	}
	for f := range 2 {
		for _, step := range []func(int) error{w.pairs, w.backlog, w.remote, w.synSent, w.timeWait, w.synRecv, w.udp, w.listeners} {
			if err := step(f); err != nil {
				return fmt.Errorf("%s %s: %w", s.Comm, familyName(f == 1), err)
			}
		}
	}
	if err := w.mapped(); err != nil {
		return fmt.Errorf("%s mapped: %w", s.Comm, err)
	}
	if err := w.unix(); err != nil {
		return fmt.Errorf("%s unix: %w", s.Comm, err)
	}
	if err := w.links(); err != nil {
		return err
	}
	return w.stuff()
}

// stuff sends until the peers' windows are closed and the own buffers are full. Acknowledgments
// make room for a while: they are delayed by up to 200 ms (TCP_DELACK_MAX).
func (w *worker) stuff() error {
	var junk [16 << 10]byte
	for idle := 0; len(w.full) > 0 && idle < 4; idle++ {
		for _, fd := range w.full {
			_, err := unix.SendmsgN(fd, junk[:], nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
			for ; err == nil; idle = 0 {
				_, err = unix.SendmsgN(fd, junk[:], nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
			}
			if !errors.Is(err, unix.EAGAIN) {
				return os.NewSyscallError("send", err)
			}
		}
		time.Sleep(80 * time.Millisecond)
	}
	return nil
}

// What a connection has to show, by its number in a worker: one thing at most.
func wantsKeepalive(i int) bool { return i%10 == 0 }
func wantsUnread(i int) bool    { return i%100 == 3 }
func wantsHalfClose(i int) bool { return i%200 == 5 }
func wantsFull(i int) bool      { return i%1000 == 7 }

func keepalive(fd int) error {
	return os.NewSyscallError("setsockopt SO_KEEPALIVE", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1))
}

func (w *worker) toShare(fd int) {
	if len(w.share) < w.spec.Share {
		w.share = append(w.share, fd)
	}
}

// dress gives the i-th connecting socket its part of what there is to look at.
func (w *worker) dress(fd, i int, v6 bool) error {
	w.toShare(fd)
	switch {
	case wantsKeepalive(i):
		w.tally.timer("keepalive", 1)
		return keepalive(fd)
	case wantsUnread(i):
		w.tally.RecvQueued++
		var data [512]byte
		_, err := unix.Write(fd, data[:])
		return os.NewSyscallError("write", err)
	case wantsHalfClose(i):
		w.tally.RecvQueued++
		w.tally.move(v6, "ESTABLISHED", "FIN_WAIT2", 1)
		w.tally.move(v6, "ESTABLISHED", "CLOSE_WAIT", 1)
		return os.NewSyscallError("shutdown", unix.Shutdown(fd, unix.SHUT_WR))
	case wantsFull(i):
		w.tally.RecvQueued++
		w.tally.SendQueued++
		w.tally.timer("persist", 1)
		w.full = append(w.full, fd)
		return os.NewSyscallError("setsockopt SO_SNDBUF", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 64<<10))
	}
	return nil
}

// dial connects n sockets, numbered from first.
func (w *worker) dial(v6 bool, first, n int, dst *sockaddr, src []*sockaddr) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := first; i < first+n; i++ {
		fd, err := stream(v6, 0)
		if err != nil {
			return err
		}
		if len(src) > 0 {
			// The port is chosen at connect, for this destination alone (Linux 4.2+).
			if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
				return os.NewSyscallError("setsockopt IP_BIND_ADDRESS_NO_PORT", err)
			}
			if err := bind(fd, src[i%len(src)]); err != nil {
				return err
			}
		}
		if err := connect(fd, dst); err != nil {
			return err
		}
		if err := w.dress(fd, i, v6); err != nil {
			return err
		}
	}
	w.tally.tcp(v6, "ESTABLISHED", n, true)
	return nil
}

// take accepts n connections, numbered from first.
func (w *worker) take(v6 bool, lfd, first, n int) error {
	alive := 0
	for i := first; i < first+n; i++ {
		fd, err := accept(lfd, nil)
		if err != nil {
			return err
		}
		w.mu.Lock()
		w.toShare(fd)
		w.mu.Unlock()
		if wantsKeepalive(i) {
			if err := keepalive(fd); err != nil {
				return err
			}
			alive++
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tally.tcp(v6, "ESTABLISHED", n, true)
	w.tally.timer("keepalive", alive)
	return nil
}

// pairs makes connections and accepts them.
func (w *worker) pairs(f int) error {
	n, v6 := w.spec.Pairs[f], f == 1
	if n == 0 {
		return nil
	}
	at := netip.AddrPortFrom(workerAddr(f, w.spec.Index, kPairs), 8080)
	fd, err := listen(at, batch, false)
	if err != nil {
		return err
	}
	w.tally.tcp(v6, "LISTEN", 1, true)
	w.made(1)
	sa := newSockaddr(at)
	for done := 0; done < n; done += batch {
		b := min(batch, n-done)
		if err := w.dial(v6, done, b, sa, nil); err != nil {
			return err
		}
		if err := w.take(v6, fd, done, b); err != nil {
			return err
		}
		w.made(2 * b)
	}
	return nil
}

func (w *worker) backlog(f int) error {
	n := w.spec.Backlog[f]
	if n == 0 {
		return nil
	}
	v6 := f == 1
	at := netip.AddrPortFrom(workerAddr(f, w.spec.Index, kBacklog), 8082)
	if _, err := listen(at, n-1, false); err != nil { // the queue takes one more than asked for
		return err
	}
	sa := newSockaddr(at)
	for range n {
		fd, err := stream(v6, 0)
		if err != nil {
			return err
		}
		if err := connect(fd, sa); err != nil {
			return err
		}
	}
	w.tally.tcp(v6, "LISTEN", 1, true)
	w.tally.tcp(v6, "ESTABLISHED", n, true)
	w.tally.tcp(v6, "ESTABLISHED", n, false)
	w.tally.BacklogFull++
	w.made(over(n, 2))
	return nil
}

func (w *worker) remote(f int) error {
	v6, n := f == 1, w.spec.Remote[f]
	local, peer := newSockaddr(netip.AddrPortFrom(ownAddr[f], 443)), &sockaddr{}
	for i := range n {
		peer.set(remoteAddr(f, w.spec.Index, i))
		fd, err := vanished(local, peer, v6)
		if err != nil {
			return err
		}
		state := "ESTABLISHED"
		if i%10 == 9 {
			state = "FIN_WAIT1"
			if err := unix.Shutdown(fd, unix.SHUT_WR); err != nil {
				return os.NewSyscallError("shutdown", err)
			}
		}
		w.tally.tcp(v6, state, 1, true)
	}
	w.tally.timer("on", n)
	w.tally.SendQueued += n
	w.made(n)
	return nil
}

func (w *worker) synSent(f int) error {
	v6, n := f == 1, w.spec.SynSent[f]
	dst := newSockaddr(netip.AddrPortFrom(remoteAddr(f, w.spec.Index, 0).Addr(), 443))
	for range n {
		fd, err := stream(v6, unix.SOCK_NONBLOCK)
		if err != nil {
			return err
		}
		if err := connect(fd, dst); err == nil || !errors.Is(err, unix.EINPROGRESS) {
			return fmt.Errorf("connect to a peer that should not answer: %w", err)
		}
	}
	w.tally.tcp(v6, "SYN_SENT", n, true)
	w.tally.SendQueued += n
	w.tally.timer("on", n)
	w.made(n)
	return nil
}

// timeWait makes connections whose connecting end is closed first, and keeps what remains.
func (w *worker) timeWait(f int) error {
	const perListener = 20_000 // of some 64,000 ports
	n, v6 := w.spec.TimeWait[f], f == 1
	for k := 1; n > 0; k++ {
		at := netip.AddrPortFrom(workerAddr(f, w.spec.Index, k), 8083)
		lfd, err := listen(at, batch, true)
		if err != nil {
			return err
		}
		m := min(n, perListener)
		if err := w.closeAll(v6, lfd, newSockaddr(at), m); err != nil {
			return err
		}
		unix.Close(lfd)
		n -= m
	}
	w.tally.tcp(v6, "TIME_WAIT", w.spec.TimeWait[f], false)
	w.tally.timer("timewait", w.spec.TimeWait[f])
	return nil
}

func (w *worker) closeAll(v6 bool, lfd int, at *sockaddr, n int) error {
	var client, server [batch]int
	var peer sockaddr
	for done := 0; done < n; done += batch {
		b := min(batch, n-done)
		c := chunk{peer: at, ports: make([]uint16, b)}
		for i := range b {
			fd, err := unix.Socket(family(v6), unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
			if err != nil {
				return os.NewSyscallError("socket", err)
			}
			if err := connect(fd, at); err != nil {
				return err
			}
			client[i] = fd
		}
		for i := range b {
			fd, err := accept(lfd, &peer)
			if err != nil {
				return err
			}
			server[i], c.ports[i] = fd, peer.port()
		}
		c.local = newSockaddr(netip.AddrPortFrom(peer.addr(), 0))
		for i := range b {
			unix.Close(client[i])
		}
		for i := range b {
			// Waiting for the FIN keeps the two ends from closing at the same time:
			// that would leave both in TIME_WAIT.
			var one [1]byte
			if r, err := unix.Read(server[i], one[:]); r != 0 || err != nil {
				return fmt.Errorf("read until end of stream: %d bytes: %w", r, err)
			}
			unix.Close(server[i])
		}
		c.at = time.Now()
		w.keep.chunks = append(w.keep.chunks, c)
		w.made(b)
		if len(w.keep.chunks)%64 == 0 {
			if err := w.keep.refresh(c.at); err != nil {
				return err
			}
		}
	}
	return nil
}

// synRecv makes handshakes that the client never completes.
func (w *worker) synRecv(f int) error {
	v6, n := f == 1, w.spec.SynRecv[f]
	if n == 0 {
		return nil
	}
	if _, err := listen(w.synListener(f), 1<<16, false); err != nil {
		return err
	}
	if err := w.forge(f, flagSYN, 0); err != nil {
		return err
	}
	w.tally.tcp(v6, "LISTEN", 1, true)
	w.tally.tcp(v6, "SYN_RECV", n, false)
	w.tally.timer("on", n)
	w.made(1 + n)
	return nil
}

// synListener is not a loopback address: that could not answer remote peers.
func (w *worker) synListener(f int) netip.AddrPort {
	return netip.AddrPortFrom(clientAddr(f, w.spec.Index, 0), 8084)
}

// forge sends a segment for each of the worker's open handshakes.
func (w *worker) forge(f int, flags byte, seq uint32) error {
	dst, src := newSockaddr(w.synListener(f)), &sockaddr{}
	for i := range w.spec.SynRecv[f] {
		src.set(remoteAddr(f, w.spec.Index, i))
		if err := w.keep.forger.send(src, dst, flags, seq, 0); err != nil {
			return err
		}
	}
	return nil
}

// abandon resets open handshakes. They would keep the namespace for up to two
// minutes, until they are to be answered again and the listener is found to be gone.
func (w *worker) abandon() {
	for f := range 2 {
		if w.spec.SynRecv[f] > 0 && w.keep != nil {
			w.forge(f, flagRST, 1)
		}
	}
}

func (w *worker) listeners(f int) error {
	const perAddr = 60_000
	n := w.spec.Listen[f]
	for i := range n {
		at := netip.AddrPortFrom(workerAddr(f, w.spec.Index, 1+i/perAddr), uint16(2000+i%perAddr))
		fd, err := listen(at, 128, false)
		if err != nil {
			return err
		}
		w.toShare(fd)
		if i%batch == batch-1 {
			w.made(batch)
		}
	}
	w.made(n % batch)
	w.tally.tcp(f == 1, "LISTEN", n, true)
	return nil
}

// udp makes bound sockets, every fourth one connected.
func (w *worker) udp(f int) error {
	n := w.spec.UDP[f]
	at, peer := &sockaddr{}, newSockaddr(netip.AddrPortFrom(ownAddr[f], 53))
	for i := range n {
		fd, err := unix.Socket(family(f == 1), unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		at.set(netip.AddrPortFrom(workerAddr(f, w.spec.Index, 1), uint16(2000+i)))
		state := "CLOSE"
		if i%4 == 3 {
			state = "ESTABLISHED"
			at.set(netip.AddrPortFrom(ownAddr[f], 0))
		}
		if err := bind(fd, at); err != nil {
			return err
		}
		if state != "CLOSE" {
			if err := connect(fd, peer); err != nil {
				return err
			}
		}
		w.tally.Groups[Group{Protocol: "udp", Family: familyName(f == 1), State: state, Owned: true}]++
	}
	w.tally.hold("udp", n)
	w.made(n)
	return nil
}

// mapped makes IPv4 clients of an IPv6 listener.
func (w *worker) mapped() error {
	n := w.spec.Mapped
	if n == 0 {
		return nil
	}
	four := workerAddr(0, w.spec.Index, kMapped)
	w.tally.Mapped += 1 + n
	lfd, err := listen(netip.AddrPortFrom(netip.AddrFrom16(four.As16()), 8081), batch, false)
	if err != nil {
		return err
	}
	w.tally.tcp(true, "LISTEN", 1, true)
	sa := newSockaddr(netip.AddrPortFrom(four, 8081))
	for range n {
		fd, err := stream(false, 0)
		if err != nil {
			return err
		}
		if err := connect(fd, sa); err != nil {
			return err
		}
		if _, err := accept(lfd, nil); err != nil {
			return err
		}
	}
	w.tally.tcp(false, "ESTABLISHED", n, true)
	w.tally.tcp(true, "ESTABLISHED", n, true)
	w.made(over(n, 2))
	return nil
}

// unix makes unix sockets of all types: connected pairs, and by every tenth
// turn a bound datagram socket or a listener with an abstract name.
func (w *worker) unix() error {
	types := []struct {
		name string
		typ  int
	}{{"stream", unix.SOCK_STREAM}, {"dgram", unix.SOCK_DGRAM}, {"seqpacket", unix.SOCK_SEQPACKET}}
	count := func(typ, state string, n int) {
		w.tally.Groups[Group{Protocol: "unix", Family: "unix", Type: typ, State: state, Owned: true}] += n
	}
	left := w.spec.Unix
	for i := 0; left > 0; i++ {
		if left >= 2 && i%10 < 8 {
			t := types[i%10/3] // 3 stream, 3 dgram, 2 seqpacket
			if _, err := unix.Socketpair(unix.AF_UNIX, t.typ|unix.SOCK_CLOEXEC, 0); err != nil {
				return os.NewSyscallError("socketpair", err)
			}
			count(t.name, "ESTABLISHED", 2)
			left -= 2
			continue
		}
		t, state := types[1], "CLOSE"
		if i%10 == 9 {
			t, state = types[0], "LISTEN"
		}
		fd, err := unix.Socket(unix.AF_UNIX, t.typ|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		if err := unix.Bind(fd, &unix.SockaddrUnix{Name: fmt.Sprintf("@sockeye-lab/%d/%d", w.spec.Index, i)}); err != nil {
			return os.NewSyscallError("bind", err)
		}
		if state == "LISTEN" {
			if err := unix.Listen(fd, 16); err != nil {
				return os.NewSyscallError("listen", err)
			}
		}
		count(t.name, state, 1)
		left--
	}
	w.tally.hold("unix", w.spec.Unix)
	w.made(w.spec.Unix)
	return nil
}
