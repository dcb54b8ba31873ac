// Package records has the faces of ss and netstat print their sockets as the list verb does for programs: as JSON, in its schema.
package records

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/render/json"
	"github.com/sockeye-tools/sockeye/render/names"
)

// option is no option of getopt's: there it would make abbreviations of others ambiguous, such as --o.
const option = "--output"

// Take takes --output FORMAT, or --output=FORMAT, out of the arguments. Without it the format is "". The last one counts.
func Take(args []string) (rest []string, format string, err error) {
	rest = slices.Clone(args)
	for i := 1; i < len(rest) && rest[i] != "--"; {
		word, ok := strings.CutPrefix(rest[i], option+"=")
		n := 1
		if !ok && rest[i] == option {
			if i+1 == len(rest) {
				return nil, "", fmt.Errorf("option '%s' requires an argument", option)
			}
			ok, word, n = true, rest[i+1], 2
		}
		if !ok {
			i++
			continue
		}
		if word != "json" && word != "ndjson" {
			return nil, "", fmt.Errorf("%s %s: want json or ndjson", option, word)
		}
		format = word
		rest = slices.Delete(rest, i, i+n)
	}
	return rest, format, nil
}

// Wants says what is printed beyond what the kernel tells anyway. The queries have to ask for it.
type Wants struct {
	Owners  bool // who holds the socket
	Info    bool // tcp_info and the congestion control
	Memory  bool
	TOS     bool
	Options bool   // of the socket
	Proc    string // where procfs is; "": /proc
}

// Printer prints sockets. It serves one goroutine at a time.
type Printer struct {
	// Unowned counts the sockets that a process could hold, and none was found.
	Unowned int

	context    field.Context
	encoder    *json.Encoder
	out        *bufio.Writer
	writer     json.Writer
	row        []byte
	interfaces names.Interfaces
	users      names.Users
	cgroups    names.Cgroups
}

// New returns a Printer to w, in a format that Take returned.
func New(w io.Writer, format string, wants Wants) *Printer {
	p := &Printer{out: bufio.NewWriterSize(w, 64<<10)}
	p.writer = json.Writer{W: p.out, Lines: format == "ndjson"}
	p.context = field.Context{Device: p.interfaces.Lookup, User: p.users.Lookup, Cgroup: p.cgroups.Lookup, Proc: wants.Proc}
	var fs []*field.Field
	for _, f := range json.Fields(json.Standard...) {
		if wants.Owners || f.Where != field.WithOwner {
			fs = append(fs, f)
		}
	}
	for _, f := range field.All {
		switch {
		case wants.Info && f.Group == field.TCP,
			wants.Memory && f.Group == field.Memory,
			wants.TOS && (f.Name == "tos" || f.Name == "tclass" || f.Name == "class_id"),
			wants.Options && f.Group == field.Options && f.Ext == 0:
			fs = append(fs, f)
		}
	}
	p.encoder = json.NewEncoder(&p.context, fs)
	return p
}

// SetOwners says where the owners of the sockets that follow are; nil: they were not looked up.
func (p *Printer) SetOwners(t *owner.Table) {
	p.context.Owners = nil
	if t != nil {
		p.context.Owners = t
	}
}

// Socket prints a socket.
func (p *Printer) Socket(s *diag.InetSocket) error {
	if p.context.Owners != nil && s.Inode != 0 && len(p.context.Holders(s)) == 0 {
		p.Unowned++
	}
	p.row = p.encoder.Append(p.row[:0], s)
	return p.writer.Object(p.row)
}

// Close prints the end. The Printer can be used again then.
func (p *Printer) Close() error {
	if err := p.writer.Close(); err != nil {
		return err
	}
	return p.out.Flush()
}
