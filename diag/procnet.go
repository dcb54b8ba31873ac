package diag

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/sockeye-tools/sockeye/internal/ctxerr"
)

// errNoTable: the protocol has no table in /proc/net that lists its sockets.
var errNoTable = &Error{Op: "read /proc/net", Err: errors.New("no such table")}

// userHZ is the unit of timers in /proc: USER_HZ, 100 on all architectures that Go runs on (asm/param.h).
const userHZ = 100

// procTable returns the name of the table below /proc/net.
func procTable(p Protocol, f Family) (string, bool) {
	name := ""
	switch p {
	case TCP:
		name = "tcp"
	case UDP:
		name = "udp"
	case UDPLite:
		name = "udplite"
	case Raw:
		name = "raw"
	default:
		return "", false
	}
	if f == IPv6 {
		name += "6"
	}
	return name, true
}

// openTable opens a table of /proc/net in the Conn's namespace.
func (c *Conn) openTable(name string) (*os.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, os.ErrClosed
	}
	return openIn(c.ns, c.cfg.Proc, "/thread-self/net/"+name)
}

// lines calls row with the lines of a table as split finds them, but the headings. It reports whether to go on; the error is errNoTable
// where there is none.
func (d *dump) lines(table string, split bufio.SplitFunc, row func(line []byte) bool) (more bool, _ *Error) {
	if table == "" {
		return false, errNoTable
	}
	file, err := d.conn.openTable(table)
	if errors.Is(err, fs.ErrNotExist) {
		return false, errNoTable
	}
	fail := func(err error) *Error { return &Error{Op: "read /proc/net/" + table, Err: err} }
	if err != nil {
		return false, fail(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Split(split)
	lines.Scan() // headings
	for lines.Scan() {
		if d.ctx.Err() != nil {
			return false, fail(ctxerr.Of(d.ctx))
		}
		if !row(lines.Bytes()) {
			return false, nil
		}
	}
	if err := lines.Err(); err != nil {
		return false, fail(err)
	}
	return true, nil
}

// proc yields the rows of the /proc/net table, picked by state. It reports whether to go on.
func (d *dump) proc(q InetQuery, f Family) (more bool, err *Error) {
	name, ok := procTable(q.Protocol, f)
	if !ok {
		return false, errNoTable
	}
	b := d.next()
	b.reset(q.Protocol)
	more, err = d.lines(name, bufio.ScanLines, func(line []byte) bool {
		var s InetSocket
		if !s.parseProc(line, q.Protocol, f) {
			b.lost++
			return true
		}
		if !q.States.Has(s.State) {
			return true
		}
		if b.socks = append(b.socks, s); len(b.socks) < 128 {
			return true
		}
		if !d.send(b) {
			return false
		}
		b = d.next()
		b.reset(q.Protocol)
		return true
	})
	switch {
	case err == errNoTable && f == IPv6: // the protocol may be there, and IPv6 not
		if v4, err := d.conn.openTable(strings.TrimSuffix(name, "6")); err == nil {
			v4.Close()
			return true, nil
		}
		return false, err
	case err != nil || !more:
		return false, err
	}
	return len(b.socks)+b.lost == 0 || d.send(b), nil
}

// parseProc reads a line of /proc/net/{tcp,udp,udplite,raw}{,6} (Documentation/networking/proc_net_tcp.rst):
//
//	sl: local remote st tx:rx tr:when retrnsmt uid timeout inode ...
func (s *InetSocket) parseProc(line []byte, p Protocol, f Family) bool {
	w := fields{rest: line}
	w.next() // slot
	local, remote := w.next(), w.next()
	*s = InetSocket{Family: f, Protocol: p, Source: FromProc}
	ok := procAddr(local, f, &s.Local) && procAddr(remote, f, &s.Remote)
	s.State = State(w.hex(0xff))
	tx, rx := w.hexPair()
	s.WQueue, s.RQueue = uint32(tx), uint32(rx)
	timer, when := w.hexPair()
	s.Timer, s.Expires = Timer(timer), time.Duration(when)*(time.Second/userHZ)
	retransmits := w.hex(1<<32 - 1)
	s.UID = uint32(w.decimal())
	probes := w.decimal()
	s.Inode = uint32(w.decimal())
	switch s.Timer { // as inet_diag fills idiag_retrans
	case TimerOn:
		s.Retrans = uint8(min(retransmits, 255))
	case TimerKeepalive, TimerProbe:
		s.Retrans = uint8(min(probes, 255))
	case TimerOff:
		s.Expires = 0
	}
	return ok && !w.bad
}

// fields cuts a line at blanks, and remembers whether one of them was no number.
type fields struct {
	rest []byte
	bad  bool
}

func (w *fields) next() []byte {
	w.rest = bytes.TrimLeft(w.rest, " ")
	i := bytes.IndexByte(w.rest, ' ')
	if i < 0 {
		i = len(w.rest)
	}
	v := w.rest[:i]
	w.rest = w.rest[i:]
	return v
}

func (w *fields) hex(limit uint64) uint64 {
	v, ok := parseUint(w.next(), 16)
	w.bad = w.bad || !ok || v > limit
	return v
}

func (w *fields) decimal() uint64 {
	v, ok := parseUint(w.next(), 10)
	w.bad = w.bad || !ok || v > 1<<32-1
	return v
}

func (w *fields) hexPair() (uint64, uint64) {
	l, r, _ := bytes.Cut(w.next(), []byte{':'})
	lv, lok := parseUint(l, 16)
	rv, rok := parseUint(r, 16)
	w.bad = w.bad || !lok || !rok || lv > 1<<32-1 || rv > 1<<32-1
	return lv, rv
}

func parseUint(b []byte, base uint64) (v uint64, ok bool) {
	if len(b) == 0 || len(b) > 16 {
		return 0, false
	}
	for _, c := range b {
		var d uint64
		switch {
		case c >= '0' && c <= '9':
			d = uint64(c - '0')
		case c >= 'A' && c <= 'F':
			d = uint64(c-'A') + 10
		case c >= 'a' && c <= 'f':
			d = uint64(c-'a') + 10
		default:
			return 0, false
		}
		if d >= base {
			return 0, false
		}
		v = v*base + d
	}
	return v, true
}

// procAddr reads ADDRESS:PORT: 32-bit words in the machine's order, in hexadecimal.
func procAddr(b []byte, f Family, dst *netip.AddrPort) bool {
	size := 4
	if f == IPv6 {
		size = 16
	}
	if len(b) != 2*size+5 || b[2*size] != ':' {
		return false
	}
	var a [16]byte
	for i := 0; i < size; i += 4 {
		v, ok := parseUint(b[2*i:2*i+8], 16)
		if !ok {
			return false
		}
		binary.NativeEndian.PutUint32(a[i:], uint32(v))
	}
	port, ok := parseUint(b[2*size+1:], 16)
	addr := netip.AddrFrom16(a)
	if f == IPv4 {
		addr = netip.AddrFrom4([4]byte(a[:]))
	}
	*dst = netip.AddrPortFrom(addr, uint16(port))
	return ok
}
