package json

import (
	"slices"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
)

// Encoder writes sockets as objects.
type Encoder struct {
	Context *field.Context

	fields []*field.Field // of the socket
	many   []*field.Field // of each process that holds it
	text   []byte
}

// NewEncoder returns an Encoder of some fields. Those that are for people are left out: programs read what they are made of.
func NewEncoder(c *field.Context, fields []*field.Field) *Encoder {
	e := &Encoder{Context: c}
	for _, f := range fields {
		switch {
		case f.Name == "owner":
			for _, name := range []string{"pid", "process"} {
				if p, err := field.Lookup(name); err == nil {
					e.add(p)
				}
			}
		case f.Name == "local", f.Name == "peer":
			for _, part := range []string{"_addr", "_port"} {
				if p, err := field.Lookup(f.Name + part); err == nil {
					e.add(p)
				}
			}
		case f.Name == "netid":
			for _, name := range []string{"proto", "family"} {
				if p, err := field.Lookup(name); err == nil {
					e.add(p)
				}
			}
		default:
			e.add(f)
		}
	}
	return e
}

func (e *Encoder) add(f *field.Field) {
	list := &e.fields
	if f.Many {
		list = &e.many
	}
	if !slices.Contains(*list, f) {
		*list = append(*list, f)
	}
}

// Append appends the object of a socket.
func (e *Encoder) Append(dst []byte, s *diag.InetSocket) []byte {
	dst = append(dst, '{')
	for _, f := range e.fields {
		dst = e.appendField(dst, f, s)
	}
	if len(e.many) > 0 {
		if hs := e.Context.Holders(s); len(hs) > 0 {
			dst = append(AppendKey(dst, "owners"), '[')
			for i, h := range hs {
				if i > 0 {
					dst = append(dst, ',')
				}
				dst = append(dst, '{')
				for _, f := range e.many {
					if f.Kind == field.Number {
						v, _ := f.HolderNumber(h)
						dst = AppendNumber(AppendKey(dst, f.Key), v)
					} else if v, ok := f.HolderText(e.Context, h); ok {
						dst = AppendString(AppendKey(dst, f.Key), v)
					}
				}
				dst = append(dst, '}')
			}
			dst = append(dst, ']')
		}
	}
	return append(dst, '}')
}

func (e *Encoder) appendField(dst []byte, f *field.Field, s *diag.InetSocket) []byte {
	switch f.Kind {
	case field.Number:
		if v, ok := f.Plain(e.Context, s); ok {
			dst = AppendNumber(AppendKey(dst, f.Key), v)
		}
	case field.Flag:
		if v, ok := f.Plain(e.Context, s); ok {
			word := "false"
			if v != 0 {
				word = "true"
			}
			dst = append(AppendKey(dst, f.Key), word...)
		}
	case field.Address:
		if a := f.Addr(s); a.IsValid() {
			dst = append(AppendKey(dst, f.Key), '"')
			dst = append(field.AppendAddr(dst, a), '"')
		}
	case field.Text:
		var ok bool
		if e.text, ok = f.AppendText(e.Context, e.text[:0], s); ok {
			dst = AppendString(AppendKey(dst, f.Key), e.text)
		}
	}
	return dst
}
