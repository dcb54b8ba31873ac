package lab

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// linked makes a dialer and an acceptor of n connections, joined by pipes, in this process.
func linked(n int, v6 bool) (from, to link, err error) {
	var a, b [2]int
	for _, p := range []*[2]int{&a, &b} {
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			return from, to, err
		}
	}
	f := 0
	if v6 {
		f = 1
	}
	from = link{V6: v6, Count: n, Dst: workerPort(f, 99), Listener: -1, In: a[0], Out: b[1]}
	to = from
	to.In, to.Out = b[0], a[1]
	return from, to, nil
}

func TestLinks(t *testing.T) {
	for _, n := range []int{1, batch, window*batch + 1, 4*batch + 30} {
		for _, v6 := range []bool{false, true} {
			inNamespace(t, func(w *worker) error {
				from, to, err := linked(n, v6)
				if err != nil {
					return err
				}
				// One worker at both ends, as a proxy is in the middle; the links start
				// goroutines, whose threads are outside, so the ends run in turn.
				lfd, err := w.listener(to)
				if err != nil {
					return err
				}
				done := make(chan error)
				go func() { done <- w.acceptLink(to, lfd) }() // accepting needs no namespace
				if err := w.dialLink(from); err != nil {
					return err
				}
				if err := <-done; err != nil {
					return err
				}
				rows := settled(t, w.tally.Groups)
				if len(rows) != 1+2*n {
					t.Errorf("%d sockets, want %d", len(rows), 1+2*n)
				}
				return nil
			})
		}
	}
}

// TestLinkPartnerDies pins that a worker whose partner is gone reports it and does not wait.
func TestLinkPartnerDies(t *testing.T) {
	inNamespace(t, func(w *worker) error {
		from, to, err := linked(10, false)
		if err != nil {
			return err
		}
		lfd, err := w.listener(to)
		if err != nil {
			return err
		}
		os.NewFile(uintptr(from.Out), "").Close()
		os.NewFile(uintptr(from.In), "").Close()
		if err := w.acceptLink(to, lfd); err == nil {
			t.Error("accepted 10 connections of nobody")
		}
		return nil
	})
}
