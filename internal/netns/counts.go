package netns

import (
	"context"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/sockstat"
	"github.com/sockeye-tools/sockeye/internal/thread"
)

// Counts is what the kernel counts in a namespace (/proc/net/sockstat and sockstat6, proc_net(5)).
type Counts struct {
	// TCP counts sockets in all states but SYN_RECV and those that are only bound.
	TCP int
	// UDP counts sockets that have a port.
	UDP int
	// Shared says that its TCP connections are in the table of the first namespace.
	Shared bool
}

// Count reads the counts of all namespaces. Those that cannot be entered keep none.
func (f *Found) Count() {
	f.visit(f.All, func(n *Namespace) { n.Counts = f.counts() })
}

// visit calls do for each namespace, on a thread that is in it.
func (f *Found) visit(all []*Namespace, do func(*Namespace)) {
	done := make(chan struct{})
	thread.Go(func() {
		defer close(done)
		own, err := os.Open(f.proc + "/thread-self/ns/net")
		if err != nil {
			return
		}
		defer own.Close()
		home := true
		enter := func(ns *os.File) bool { return unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET) == nil }
		for _, n := range all {
			ns, err := f.Open(n)
			if err != nil {
				continue
			}
			switch {
			case n.Own && home: // no privilege needed
				do(n)
			case enter(ns):
				home = false
				do(n)
			}
			ns.Close()
		}
		if home || enter(own) {
			runtime.UnlockOSThread()
		} // else the thread ends with the function
	})
	<-done
}

// counts reads the counts of the thread's namespace.
func (f *Found) counts() *Counts {
	c := &Counts{}
	for i, name := range []string{"sockstat", "sockstat6"} {
		b, err := os.ReadFile(f.proc + "/thread-self/net/" + name)
		if err == nil {
			tcp, udp, _ := sockstat.Count(string(b))
			c.TCP, c.UDP = c.TCP+tcp, c.UDP+udp
		} else if i == 0 {
			return nil
		} // else there is no IPv6
	}
	// Before Linux 6.1 there is no such file, and one table.
	b, err := os.ReadFile(f.proc + "/sys/net/ipv4/tcp_ehash_entries")
	c.Shared = err != nil && os.IsNotExist(err) || strings.HasPrefix(string(b), "-")
	return c
}

// listeners counts the TCP sockets that listen in the thread's namespace; they are in a table that is quick to walk.
func (f *Found) listeners(ctx context.Context) (n int, err error) {
	c, err := diag.Dial(&diag.Config{Proc: f.proc})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	for _, err := range c.Inet(ctx, diag.InetQuery{States: diag.StatesOf(diag.Listen)}) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}
