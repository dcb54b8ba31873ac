package diag_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
)

// A recording has the sockets that a dump has, and one NLMSG_DONE for each family.
func TestRecordRealSockets(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	p4, p6 := newPair(t, unix.AF_INET, "127.0.0.1:0"), newPair(t, unix.AF_INET6, "[::1]:0")
	var w bytes.Buffer
	if err := c.Record(t.Context(), diag.InetQuery{Ext: diag.ExtInfo}, &w); err != nil {
		t.Fatal(err)
	}
	var socks []*diag.InetSocket
	done := 0
	for b := w.Bytes(); len(b) > 0; {
		n := int(binary.NativeEndian.Uint32(b))
		if n < 16 || n > len(b) {
			t.Fatalf("a message of %d bytes where %d are left", n, len(b))
		}
		switch typ := binary.NativeEndian.Uint16(b[4:]); typ {
		case unix.NLMSG_DONE:
			done++
		case 20:
			s, err := diag.ParseInet(b[16:n], diag.TCP)
			if err != nil {
				t.Fatal(err)
			}
			var info diag.TCPInfo
			if !s.TCPInfo(&info) {
				t.Errorf("%v has no tcp_info", s.Local)
			}
			socks = append(socks, s)
		default:
			t.Errorf("message of type %d", typ)
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	if done != 2 || len(socks) != 6 {
		t.Errorf("%d ends, want 2; %d sockets, want 6%s", done, len(socks), text(socks))
	}
	for _, p := range []pair{p4, p6} {
		find(t, socks, p.listener)
		find(t, socks, p.client)
		find(t, socks, p.server)
	}
}

func TestRecordFaults(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		if r.Protocol() == diag.UDP {
			return []diagtest.Datagram{diagtest.Datagram{}.Error(r, unix.ENOENT)}
		}
		return []diagtest.Datagram{diagtest.Datagram{}.Append(r, 20, unix.NLM_F_MULTI, payload(r.Family(), 7)).Done(r)}
	})
	c := dial(t, k.Config())
	var w bytes.Buffer
	if err := c.Record(t.Context(), diag.InetQuery{Protocol: diag.UDP}, &w); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("no handler: %v", err)
	}
	if err := c.Record(t.Context(), diag.InetQuery{}, full{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("writer: %v", err)
	}
	w.Reset()
	if err := c.Record(t.Context(), diag.InetQuery{Family: diag.IPv4, AnyOrder: true}, &w); err != nil || w.Len() != 16+72+20 {
		t.Errorf("%d bytes, %v", w.Len(), err)
	}
}

// An error after sockets that were written says that the recording may lack some, as one of a dump does.
func TestRecordPartial(t *testing.T) {
	fault := func(e unix.Errno) func(diagtest.Request, diagtest.Datagram) diagtest.Datagram {
		return func(r diagtest.Request, d diagtest.Datagram) diagtest.Datagram { return d.Error(r, e) }
	}
	atOnce := func(e unix.Errno) func(diagtest.Request, diagtest.Datagram) diagtest.Datagram {
		return func(r diagtest.Request, _ diagtest.Datagram) diagtest.Datagram {
			return diagtest.Datagram{}.Error(r, e)
		}
	}
	for _, tt := range []struct {
		name  string
		fails diag.Family
		how   func(diagtest.Request, diagtest.Datagram) diagtest.Datagram
		class string
	}{
		{"behind a socket", diag.IPv4, fault(unix.EACCES), "partial permission"},
		{"in front of all", diag.IPv4, atOnce(unix.EACCES), "permission"},
		{"in the second family", diag.IPv6, atOnce(unix.EACCES), "partial permission"},
		{"no handler", diag.IPv4, atOnce(unix.ENOENT), "unsupported"},
		{"no handler for the second family", diag.IPv6, atOnce(unix.ENOENT), "partial unsupported"},
		{"ENOENT behind a socket", diag.IPv4, fault(unix.ENOENT), "not-exist partial"},
	} {
		k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
			d := diagtest.Datagram{}.Append(r, 20, unix.NLM_F_MULTI, payload(r.Family(), 7))
			if r.Family() == tt.fails {
				return []diagtest.Datagram{tt.how(r, d)}
			}
			return []diagtest.Datagram{d.Done(r)}
		})
		c := dial(t, k.Config())
		_, dumped := all(t.Context(), c, diag.InetQuery{Protocol: diag.SCTP}) // for which there is no table
		recorded := c.Record(t.Context(), diag.InetQuery{Protocol: diag.SCTP}, io.Discard)
		answered := c.RecordAnswer(t.Context(), diag.InetQuery{Protocol: diag.SCTP}, io.Discard)
		for what, err := range map[string]error{"Inet": dumped, "Record": recorded, "RecordAnswer": answered} {
			if err == nil || classOf(err) != tt.class {
				t.Errorf("%s: %s: %v, want %q", tt.name, what, err, tt.class)
			}
		}
	}
}

// full is a writer that has no room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
