package lab

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// window is how many batches a dialer is ahead of its acceptor.
const window = 2

// links makes the connections with other workers, all at the same time.
func (w *worker) links() error {
	n := len(w.spec.Accept) + len(w.spec.Dial)
	done := make(chan error, n)
	// Listeners come first: a proxy's dialing end starts once the backend says that it listens.
	fds := make([]int, len(w.spec.Accept))
	for i, l := range w.spec.Accept {
		fd, err := w.listener(l)
		if err != nil {
			return err
		}
		fds[i] = fd
	}
	for i, l := range w.spec.Accept {
		go func() { done <- w.acceptLink(l, fds[i]) }()
	}
	for _, l := range w.spec.Dial {
		go func() { done <- w.dialLink(l) }()
	}
	var errs []error
	for range n {
		errs = append(errs, <-done)
	}
	return errors.Join(errs...)
}

func (w *worker) listener(l link) (int, error) {
	if l.Listener >= 0 {
		return l.Listener, nil
	}
	fd, err := listen(l.Dst, 2*window*batch, false)
	if err == nil {
		w.mu.Lock()
		w.tally.tcp(l.V6, "LISTEN", 1, true)
		w.mu.Unlock()
		w.made(1)
	}
	return fd, err
}

// pipe is one end of a link's two pipes; bytes on it mean batches.
type pipe struct{ in, out *os.File }

func openPipe(l link) (pipe, error) {
	for _, fd := range []int{l.In, l.Out} {
		if err := unix.SetNonblock(fd, true); err != nil { // lets the runtime wait instead of a thread
			return pipe{}, os.NewSyscallError("fcntl O_NONBLOCK", err)
		}
		unix.CloseOnExec(fd)
	}
	return pipe{os.NewFile(uintptr(l.In), "link in"), os.NewFile(uintptr(l.Out), "link out")}, nil
}

func (p pipe) close() {
	p.in.Close()
	p.out.Close()
}

func (p pipe) say() error {
	_, err := p.out.Write([]byte{1})
	return err
}

func (p pipe) hear() error {
	var b [1]byte
	_, err := io.ReadFull(p.in, b[:])
	return err
}

// acceptLink says once that it listens, and then answers every batch.
func (w *worker) acceptLink(l link, lfd int) error {
	p, err := openPipe(l)
	if err != nil {
		return err
	}
	defer p.close()
	err = p.say()
	for done := 0; err == nil && done < l.Count; done += batch {
		b := min(batch, l.Count-done)
		if err = p.hear(); err != nil {
			break
		}
		if err = w.take(l.V6, lfd, done, b); err != nil {
			break
		}
		w.made(b)
		err = p.say()
	}
	if err != nil {
		return fmt.Errorf("%s: accept from a partner: %w", w.spec.Comm, err)
	}
	return nil
}

func (w *worker) dialLink(l link) error {
	p, err := openPipe(l)
	if err != nil {
		return err
	}
	defer p.close()
	f := 0
	if l.V6 {
		f = 1
	}
	src := make([]*sockaddr, clients)
	for i := range src {
		src[i] = newSockaddr(netip.AddrPortFrom(clientAddr(f, w.spec.Index, i), 0))
	}
	dst := newSockaddr(l.Dst)
	err = p.hear()
	ahead := 0
	for done := 0; err == nil && done < l.Count; done += batch {
		b := min(batch, l.Count-done)
		if err = w.dial(l.V6, done, b, dst, src); err != nil {
			break
		}
		w.made(b)
		if err = p.say(); err != nil {
			break
		}
		if ahead++; ahead == window {
			err = p.hear()
			ahead--
		}
	}
	for ; err == nil && ahead > 0; ahead-- {
		err = p.hear()
	}
	if err != nil {
		return fmt.Errorf("%s: dial %s: %w", w.spec.Comm, l.Dst, err)
	}
	return nil
}
