package ss

import (
	"errors"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/filter"
)

// follow prints sockets as they are destroyed, each at once, until it is interrupted.
func (s *show) follow() (status int, err error) {
	q := diag.EventQuery{Family: s.o.oneFamily()}
	if s.o.tables&tableTCP != 0 {
		q.Protocols = append(q.Protocols, diag.TCP)
	}
	if s.o.tables&tableUDP != 0 {
		q.Protocols = append(q.Protocols, diag.UDP)
	}
	inet := s.filter.Family() == diag.Unspec || s.filter.Family() == diag.IPv4 || s.filter.Family() == diag.IPv6
	if inet && s.filter.Family() != diag.Unspec {
		q.Family = s.filter.Family()
	}
	if len(q.Protocols) == 0 || !inet || !s.o.v4 && !s.o.v6 {
		return exitUsage, nil // as ss: without a word
	}
	if filter.Has[filter.Mark](s.filter.Tree()) {
		s.hint("events tell no marks, which count as 0")
	}
	for sock, err := range s.conn.InetDestroyed(s.env.Ctx, q) {
		switch {
		case errors.Is(err, diag.ErrPartial):
			complain(s.env, err)
			continue
		case err != nil:
			return 0, err
		}
		if s.filter.Match(sock) {
			if err := s.out.Inet(sock); err != nil {
				return 0, err
			}
		}
		if err := s.out.FlushEvent(); err != nil {
			return 0, err
		}
	}
	return exitOK, nil
}
