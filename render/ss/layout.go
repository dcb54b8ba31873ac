package ss

import (
	"encoding/binary"
	"io"
	"slices"
)

// column numbers a column of the output.
type column uint8

const (
	colNetid column = iota
	colState
	colRecvQ
	colSendQ
	colLocal
	colLocalPort
	colPeer
	colPeerPort
	colProcess
	colExt // timers, details, memory, tcp_info: without heading
	columns
)

// headings are the cells of the first row.
var headings = [columns]string{
	"Netid", "State", "Recv-Q", "Send-Q", "Local Address:", "Port", "Peer Address:", "Port", "Process", "",
}

// spaced are the columns that a space stands before.
var spaced = [columns]bool{
	colState: true, colRecvQ: true, colSendQ: true, colLocal: true, colPeer: true,
}

// toRight are the columns whose text is pushed to the right, so that addresses end where their ports begin.
var toRight = [columns]bool{colLocal: true, colPeer: true}

const (
	// whole is how much is kept before it is laid out, in bytes: as much as ss keeps.
	whole = 5 << 20
	// piece is how much is kept where the output is long.
	piece = 256 << 10
	// chunk is how much is handed to the writer at a time.
	chunk = 64 << 10
	// long in a cell's length says that a longer length follows.
	long = 1<<16 - 1
)

// layout keeps rows until it knows how wide their columns are.
//
// The visible cells of all rows lie in buf one behind the other, each with its length in two bytes in front (six where the
// first two hold long). begin and end write a cell; whoever writes it appends to buf in between.
type layout struct {
	w      io.Writer
	screen int // width of the screen in bytes, 0: none
	limit  int // how much is kept before it is laid out, in bytes
	shown  []column
	hidden [columns]bool

	buf  []byte
	out  []byte
	most [columns]int // longest cell so far, bytes
	tail int          // length of the last row's extensions: ss measures them when the next row begins
	err  error
}

// begin makes room for the length of a cell.
func begin(b []byte) []byte { return append(b, 0, 0) }

// end sets the length of the cell that starts behind b[at:at+2].
func (l *layout) end(b []byte, at int, c column) []byte {
	n := len(b) - at - 2
	measured := n
	if c == colExt {
		measured, l.tail = l.tail, n
	}
	if measured > l.most[c] {
		l.most[c] = measured
	}
	if n >= long {
		b = slices.Insert(b, at+2, 0, 0, 0, 0)
		binary.LittleEndian.PutUint32(b[at+2:], uint32(n))
		n = long
	}
	b[at], b[at+1] = byte(n), byte(n>>8)
	return b
}

// reserve keeps buf from doubling its way up: what the last doubling leaves behind would be as large as the rows.
func (l *layout) reserve() {
	if cap(l.buf)-len(l.buf) >= chunk {
		return
	}
	size := l.limit + 2*chunk
	if cap(l.buf) == 0 {
		size = 2 * chunk
	}
	// Made, not grown: growing clears what it adds, and so has the kernel fetch pages that a short answer never needs.
	buf := make([]byte, len(l.buf), max(size, len(l.buf)+chunk))
	copy(buf, l.buf)
	l.buf = buf
}

// flush lays out and writes the rows that were kept.
func (l *layout) flush() error {
	if l.err != nil || len(l.buf) == 0 {
		return l.err
	}
	if l.out == nil {
		l.out = make([]byte, 0, 2*chunk)
	}
	width := l.widths()
	last := colExt
	if l.screen == 0 { // what stands last on the line is not padded, but that the extensions behind it are
		for _, c := range l.shown {
			if c < colExt {
				last = c
			}
		}
	}
	src := slices.Grow(l.buf, step)
	out, i := l.out[:0], 0
	for i < len(src) {
		for at, c := range l.shown {
			n := int(src[i]) | int(src[i+1])<<8
			i += 2
			if n == long {
				n = int(binary.LittleEndian.Uint32(src[i:]))
				i += 4
			}
			pad := width[c] - n
			if at > 0 && spaced[c] {
				out = append(out, ' ')
				pad--
			}
			if toRight[c] {
				out = blanks(out, pad)
			}
			// Most cells are short, and copying a fixed number of bytes is quicker than a look at how many there are.
			if o := len(out); n <= step && cap(out)-o >= step {
				*(*[step]byte)(out[o : o+step]) = *(*[step]byte)(src[i : i+step])
				out = out[:o+n]
			} else {
				out = append(out, src[i:i+n]...)
			}
			i += n
			if !toRight[c] && (c != last || c == colExt) {
				out = blanks(out, pad)
			}
		}
		out = append(out, '\n')
		if len(out) >= chunk {
			if _, l.err = l.w.Write(out); l.err != nil {
				return l.err
			}
			out = out[:0]
		}
	}
	l.buf = l.buf[:0]
	l.out = out[:0]
	if len(out) > 0 {
		_, l.err = l.w.Write(out)
	}
	return l.err
}

// step is how many bytes are copied at a time.
const step = 16

const spaces = "                "

func blanks(b []byte, n int) []byte {
	for n > 0 {
		k := min(n, step)
		if o := len(b); cap(b)-o >= step {
			copy(b[o:o+step], spaces)
			b = b[:o+k]
		} else {
			b = append(b, spaces[:k]...)
		}
		n -= k
	}
	return b
}

// widths returns how wide each column is, with the space in front of it.
func (l *layout) widths() (width [columns]int) {
	var filled []column // columns with something in them
	for _, c := range l.shown {
		n := l.most[c]
		if n == 0 {
			continue
		}
		if len(filled) > 0 && spaced[c] {
			n++
		}
		if l.screen > 0 {
			n = min(n, l.screen)
		}
		width[c] = n
		filled = append(filled, c)
	}
	if l.screen > 0 {
		l.justify(&width, filled)
	}
	return width
}

// justify widens the columns so that they fill the lines of the screen: as many columns as fit go on a line, and share what is
// left of it; the first ones get less where it does not divide evenly.
func (l *layout) justify(width *[columns]int, filled []column) {
	for len(filled) > 0 {
		n, used := 1, width[filled[0]]
		for n < len(filled) && used+width[filled[n]] <= l.screen {
			used += width[filled[n]]
			n++
		}
		left := l.screen - used
		each, odd := left/n, left%n
		for i, c := range filled[:n] {
			width[c] += each
			if i >= n-odd {
				width[c]++
			}
		}
		filled = filled[n:]
	}
}
