package netstat

import (
	"bytes"
	"errors"
	"io/fs"
	"os"

	"github.com/sockeye-tools/sockeye/diag/owner"
	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// unixTable is a text such as /proc/net/unix, or why there is none.
type unixTable struct {
	text []byte
	err  error
}

func (r *run) readUnix() *unixTable {
	text, err := os.ReadFile(procRoot(r.env) + "/unix")
	return &unixTable{r.oneLineEach(text), err}
}

// inodes returns those of the sockets that are shown. It is not nil.
func (u *unixTable) inodes(which render.Which) []uint32 {
	list := []uint32{}
	for s := range unixSockets(u.text, func() {}) {
		if s.Inode != 0 && which.ShowsUnix(s) {
			list = append(list, uint32(s.Inode))
		}
	}
	return list
}

// unix prints the UNIX domain sockets, and reports whether other tables may follow. alone: there are no inet tables, whose owners were
// looked up together with those of these.
//
// They come from /proc/net/unix and not from sock_diag, which tells neither how many references a socket has nor of connections that
// wait to be accepted. But sock_diag tells which names have line feeds.
func (r *run) unix(u *unixTable, everything, alone bool) (status int, more bool) {
	t := r.table()
	if t.Programs && alone && r.env.Owners.Backend != owner.None {
		var err error
		if r.owners, err = owner.Resolve(r.env.Ctx, &r.env.Owners, u.inodes(t.Which)); err != nil {
			complain(r.env, program+": "+err.Error())
			return exitFailed, false
		}
		if r.owners.Denied() > 0 || os.Geteuid() != 0 {
			warnDenied(r.env, r.owners)
		}
	}
	if r.owners != nil {
		t.Program = func(inode uint32) (int32, string, bool) { return r.program(r.owners, inode) }
	}
	r.buf = t.AppendUnixHeader(r.buf)
	switch err := u.err; {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		byName := !everything && !r.o.implied
		if byName || everything && r.o.verbose {
			noSupport(r.env, "AF UNIX")
		}
		if byName {
			status = exitFailed
		}
	case err != nil:
		perror(r.env, "/proc/net/unix", err)
		status = exitErrno
	}
	bogus := func() { complain(r.env, "warning, got bogus unix line.") }
	for s := range unixSockets(u.text, bogus) {
		r.buf = t.AppendUnix(r.buf, s)
		if len(r.buf) >= bufferSize-lineRoom {
			if err := r.write(); err != nil {
				return writeFailed(r.env, err), false
			}
		}
	}
	if err := r.write(); err != nil {
		return writeFailed(r.env, err), false
	}
	return status, status == exitOK
}

// unixSockets yields the sockets in a text such as /proc/net/unix. A socket is valid until the next is yielded. bogus is called for
// lines that are none.
func unixSockets(table []byte, bogus func()) func(yield func(*render.UnixSocket) bool) {
	return func(yield func(*render.UnixSocket) bool) {
		var s render.UnixSocket
		_, table, _ := bytes.Cut(table, []byte{'\n'}) // the headings
		for len(table) > 0 {
			var line []byte
			line, table, _ = bytes.Cut(table, []byte{'\n'})
			if !parseUnix(line, &s) {
				bogus()
			} else if !yield(&s) {
				return
			}
		}
	}
}

// parseUnix reads a line:
//
//	Num: RefCount Protocol Flags Type St Inode Path
//
// All but the inode are hexadecimal. The path ends at the first blank, as it does for net-tools.
func parseUnix(line []byte, s *render.UnixSocket) bool {
	num, line := nextField(line)
	if len(num) == 0 || num[len(num)-1] != ':' {
		return false
	}
	var n [5]uint64
	for i := range n {
		var field []byte
		field, line = nextField(line)
		v, ok := parseNumber(field, 16)
		if !ok {
			return false
		}
		n[i] = v
	}
	inode, line := nextField(line)
	s.RefCount, s.Protocol, s.Flags, s.Type, s.State = int64(n[0]), n[1], n[2], n[3], n[4]
	s.Path, _ = nextField(line)
	var ok bool
	s.Inode, ok = parseNumber(inode, 10)
	return ok
}

// nextField returns the first run of bytes that are not blanks to the C library, and what is behind it.
func nextField(b []byte) (field, rest []byte) {
	start := 0
	for start < len(b) && isSpace(b[start]) {
		start++
	}
	end := start
	for end < len(b) && !isSpace(b[end]) {
		end++
	}
	return b[start:end], b[end:]
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// parseNumber reads an unsigned number without allocating.
func parseNumber(b []byte, base uint64) (n uint64, ok bool) {
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	for _, c := range b {
		var digit uint64
		switch {
		case '0' <= c && c <= '9':
			digit = uint64(c - '0')
		case base == 16 && 'a' <= c && c <= 'f':
			digit = uint64(c-'a') + 10
		case base == 16 && 'A' <= c && c <= 'F':
			digit = uint64(c-'A') + 10
		default:
			return 0, false
		}
		n = n*base + digit
	}
	return n, true
}
