package list

import (
	"io"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/render/csv"
	"github.com/sockeye-tools/sockeye/render/json"
	"github.com/sockeye-tools/sockeye/render/names"
)

// rows prints rows; *table.Layout is one.
type rows interface {
	Row([]byte) error
	Flush() error
}

// output prints rows of sockets. What AppendRow makes of a socket may be kept, and given to Row later; *table.Printer is one.
type output interface {
	rows
	AppendRow(dst []byte, s *diag.InetSocket) []byte
}

// objects prints JSON: an array, or one object a line.
type objects struct {
	json.Writer
	encoder *json.Encoder // nil where rows are not sockets
}

func (o *objects) AppendRow(dst []byte, s *diag.InetSocket) []byte { return o.encoder.Append(dst, s) }
func (o *objects) Row(row []byte) error                            { return o.Object(row) }
func (o *objects) Flush() error                                    { return o.Close() }

var newline = []byte{'\n'}

// values prints comma- or tab-separated values.
type values struct {
	w        io.Writer
	context  *field.Context
	fields   []*field.Field // nil where rows are not sockets
	heads    []string
	comma    byte
	noHeader bool
	text     []byte
	safe     []byte
}

func (v *values) AppendRow(dst []byte, s *diag.InetSocket) []byte {
	for i, f := range v.fields {
		if i > 0 {
			dst = append(dst, v.comma)
		}
		var ok bool
		if v.text, ok = appendValue(v.text[:0], v.context, f, s, false, ';'); ok {
			dst = v.cell(dst, v.text, f.Kind == field.Text)
		}
	}
	return dst
}

// cell appends a value, a text without characters that control terminals.
func (v *values) cell(dst, text []byte, untrusted bool) []byte {
	if untrusted {
		v.safe = names.AppendEscaped(v.safe[:0], view(text))
		text = v.safe
	}
	return csv.AppendCell(dst, text, v.comma)
}

func (v *values) head() error {
	if v.noHeader {
		return nil
	}
	v.noHeader = true
	var b []byte
	for i, h := range v.heads {
		if i > 0 {
			b = append(b, v.comma)
		}
		b = csv.AppendCell(b, []byte(h), v.comma)
	}
	_, err := v.w.Write(append(b, '\n'))
	return err
}

func (v *values) Row(row []byte) error {
	if err := v.head(); err != nil {
		return err
	}
	if _, err := v.w.Write(row); err != nil {
		return err
	}
	_, err := v.w.Write(newline)
	return err
}

func (v *values) Flush() error { return v.head() }
