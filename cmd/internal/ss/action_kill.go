package ss

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"syscall"

	"github.com/sockeye-tools/sockeye/diag"
)

// killer closes the sockets that are shown (-K).
type killer struct {
	show *show
	// missed are sockets that the kernel did not find: they are gone, or others with the same addresses stand before them.
	missed map[uint64]bool
	// mptcp are connections that are closed by their subflows, once all sockets were seen.
	mptcp []*diag.InetSocket

	refused map[string]int // sockets that the kernel refused to close, by its words
	others  map[string]int // sockets that were not closed for another reason
}

func newKiller(s *show) *killer {
	if !s.o.bare && s.o.tables&^tablesInet != 0 {
		s.hint("only sockets of IPv4 and IPv6 are closed, and shown")
	}
	return &killer{show: s, missed: map[uint64]bool{}, refused: map[string]int{}, others: map[string]int{}}
}

// close closes a socket and reports whether it is to be shown, which says that it was closed.
func (k *killer) close(ctx context.Context, sock *diag.InetSocket) bool {
	if sock.Protocol == diag.MPTCP {
		k.mptcp = append(k.mptcp, sock.Clone())
		return false
	}
	if sock.Source != diag.FromNetlink {
		k.others["the kernel has no sock_diag for them"]++
		return false
	}
	err := k.show.conn.Destroy(ctx, sock)
	switch {
	case !errors.Is(err, fs.ErrNotExist):
		return !k.refuse(err)
	case sock.Protocol == diag.TCP && sock.State == diag.Close:
		k.others["they are bound, and there is nothing to close"]++
	default:
		k.missed[sock.Cookie] = true
	}
	return false
}

// refuse counts a socket that was not closed, if err is not nil.
func (k *killer) refuse(err error) bool {
	if err == nil {
		return false
	}
	reason := err.Error()
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		reason = strerror(errno)
	}
	k.refused[reason]++
	return true
}

// killRest closes what could not be closed when it was seen, and reports what was not closed.
func (s *show) killRest(ctx context.Context) error {
	k := s.kill
	for len(k.missed) > 0 {
		// The socket that stood before another one may have been closed by now.
		left, err := k.again(ctx)
		if err != nil {
			return err
		}
		stuck := len(left) == len(k.missed)
		k.missed = left
		if stuck {
			break
		}
	}
	if n := len(k.missed); n > 0 {
		k.others["others with the same addresses stand before them"] += n
	}
	if err := k.closeMPTCP(ctx); err != nil {
		return err
	}
	for _, reason := range slices.Sorted(maps.Keys(k.refused)) {
		fmt.Fprintf(s.env.Stderr, "SOCK_DESTROY answers: %s (sockets not closed: %d)\n", reason, k.refused[reason])
	}
	for _, reason := range slices.Sorted(maps.Keys(k.others)) {
		s.hint(fmt.Sprintf("sockets not closed: %d: %s", k.others[reason], reason))
	}
	return nil
}

// again looks for the sockets that were missed, and returns those that are missed again.
func (k *killer) again(ctx context.Context) (left map[uint64]bool, err error) {
	left = map[uint64]bool{}
	for _, q := range k.show.queries() {
		if q.Protocol == diag.MPTCP {
			continue
		}
		for sock, err := range k.show.conn.Inet(ctx, q) {
			if err != nil {
				break // it was reported the first time
			}
			gone := sock.Protocol == diag.TCP && sock.State == diag.Close // reset by the other end
			if !k.missed[sock.Cookie] || sock.Source != diag.FromNetlink || gone {
				continue
			}
			err := k.show.conn.Destroy(ctx, sock)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				left[sock.Cookie] = true
			case !k.refuse(err):
				if err := k.show.line(sock, nil); err != nil {
					return nil, err
				}
			}
		}
	}
	return left, nil
}

// closeMPTCP closes MPTCP connections: the kernel closes no MPTCP socket, but the TCP connections that it consists of, which tell its
// token. The socket ends when it has been without any for net.mptcp.close_timeout.
func (k *killer) closeMPTCP(ctx context.Context) error {
	if len(k.mptcp) == 0 {
		return nil
	}
	subflows := map[uint32][]*diag.InetSocket{}
	var info diag.MPTCPInfo
	for _, m := range k.mptcp {
		if m.MPTCPInfo(&info) && info.Token != 0 {
			subflows[info.Token] = nil
		}
	}
	q := diag.InetQuery{Protocol: diag.TCP, Ext: diag.ExtInfo}
	var ulp diag.ULP
	for sock, err := range k.show.conn.Inet(ctx, q) {
		if err != nil {
			return err
		}
		if !sock.ULP(&ulp) || !ulp.HasMPTCP || !ulp.MPTCP.HasTokens() {
			continue
		}
		if list, wanted := subflows[ulp.MPTCP.TokenLocal]; wanted {
			subflows[ulp.MPTCP.TokenLocal] = append(list, sock.Clone())
		}
	}
	closed := 0
	for _, m := range k.mptcp {
		if !m.MPTCPInfo(&info) || info.Token == 0 {
			k.refuse(syscall.EOPNOTSUPP) // a listener
			continue
		}
		list := subflows[info.Token]
		if len(list) == 0 {
			k.others["MPTCP connections without subflows end by themselves"]++
			continue
		}
		ended := false
		var refusal error
		for _, sub := range list {
			switch err := k.show.conn.Destroy(ctx, sub); {
			case err == nil:
				ended = true
			case !errors.Is(err, fs.ErrNotExist): // else it was reset by the other end
				refusal = err
			}
		}
		if !ended {
			k.refuse(refusal)
			continue
		}
		closed++
		if err := k.show.line(m, nil); err != nil {
			return err
		}
	}
	if closed > 0 {
		k.show.hint("MPTCP sockets have lost their subflows: they end once net.mptcp.close_timeout is over")
	}
	return nil
}
