package json

import (
	"io"

	"github.com/sockeye-tools/sockeye/diag/field"
)

// Standard are the fields that an Encoder is given where none are named: all that the kernel tells without being asked for more, and
// the processes that hold the socket.
var Standard = []string{
	"netns", "proto", "family", "state", "recv_q", "send_q", "accept_q", "backlog", "local_addr", "local_port", "peer_addr", "peer_port", "dev",
	"timer", "expires", "retransmits", "uid", "user", "inode", "cookie", "mark", "cgroup", "pid", "process", "no_owner",
}

// Fields returns the fields with these names. It panics if there is none of a name: they are constants.
func Fields(names ...string) []*field.Field {
	fs := make([]*field.Field, len(names))
	for i, name := range names {
		f, err := field.Lookup(name)
		if err != nil {
			panic(err)
		}
		fs[i] = f
	}
	return fs
}

// Writer writes objects to W: an array or, if Lines, one object a line. Close must be called at the end.
type Writer struct {
	W     io.Writer
	Lines bool

	n int // objects so far
}

var (
	arrayOpen, arrayNext, arrayClose, arrayNone = []byte("[\n"), []byte(",\n"), []byte("\n]\n"), []byte("[]\n")
	newline                                     = []byte("\n")
)

// Object writes an object.
func (w *Writer) Object(b []byte) error {
	if !w.Lines {
		sep := arrayNext
		if w.n == 0 {
			sep = arrayOpen
		}
		if _, err := w.W.Write(sep); err != nil {
			return err
		}
	}
	w.n++
	_, err := w.W.Write(b)
	if err == nil && w.Lines {
		_, err = w.W.Write(newline)
	}
	return err
}

// Close writes the end of the array. It does not close W.
func (w *Writer) Close() error {
	end := arrayClose
	switch {
	case w.Lines:
		return nil
	case w.n == 0:
		end = arrayNone
	}
	w.n = 0
	_, err := w.W.Write(end)
	return err
}
