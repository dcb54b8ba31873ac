package diagtest_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
)

func TestReplayPicksStatesAndAttributes(t *testing.T) {
	// Two sockets made by hand: a listener and a connection, each with MEMINFO and SHUTDOWN.
	attrs := binary.NativeEndian.AppendUint16(nil, 20)
	attrs = binary.NativeEndian.AppendUint16(attrs, uint16(diag.AttrMemInfo))
	attrs = append(attrs, make([]byte, 16)...)
	attrs = binary.NativeEndian.AppendUint16(attrs, 5)
	attrs = binary.NativeEndian.AppendUint16(attrs, uint16(diag.AttrShutdown))
	attrs = append(attrs, 3, 0, 0, 0)
	var rec diagtest.Datagram
	req := make([]byte, 56)
	req[0], req[1] = byte(diag.IPv4), byte(diag.TCP)
	rec = rec.Append(diagtest.Request{}, 20, 0x301, req)
	for _, st := range []diag.State{diag.Listen, diag.Established} {
		m := make([]byte, 72)
		m[0], m[1] = byte(diag.IPv4), byte(st)
		rec = rec.Append(diagtest.Request{}, 20, 2, append(m, attrs...))
	}
	c, err := diag.Dial(diagtest.Recording(rec).Replay(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, ext := range []diag.Ext{0, diag.ExtMemInfo} {
		n := 0
		for s, err := range c.Inet(t.Context(), diag.InetQuery{Family: diag.IPv4, States: diag.StatesOf(diag.Listen), Ext: ext}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			_, mem := s.MemInfo()
			sh, ok := s.Shutdown()
			if s.State != diag.Listen || mem != (ext != 0) || !ok || sh != 3 {
				t.Errorf("ext %#x: state %v, meminfo %v, shutdown %v %v", ext, s.State, mem, sh, ok)
			}
		}
		if n != 1 {
			t.Errorf("ext %#x: %d sockets, want the listener", ext, n)
		}
	}
	n := 0
	for _, err := range c.Inet(t.Context(), diag.InetQuery{AnyOrder: true}) { // of both families, and there is no IPv6 in it
		if n++; !errors.Is(err, syscall.ENOENT) {
			t.Errorf("both families: %v", err)
		}
	}
	for _, err := range c.Inet(t.Context(), diag.InetQuery{Protocol: diag.SCTP, Family: diag.IPv4}) {
		if !errors.Is(err, errors.ErrUnsupported) || !errors.Is(err, syscall.ENOENT) {
			t.Errorf("a protocol that is not in the recording: %v", err)
		}
	}
}

// What a real kernel sent comes back the same.
func TestRecordAndReplay(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	rec, err := diagtest.Record(diag.TCP, diag.UDP, 99)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rec")
	if err := os.WriteFile(file, rec, 0o600); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(diagtest.Load(t, file), rec) {
		t.Error("the file holds another recording")
	}
	find := func(c *diag.Conn, err error, q diag.InetQuery) (found *diag.InetSocket) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for s, err := range c.Inet(t.Context(), q) {
			if err != nil {
				t.Fatal(err)
			}
			if s.Local.String() == l.Addr().String() && s.Remote.Port() == 0 {
				found = s.Clone()
			}
		}
		if found == nil {
			t.Fatalf("%+v: the listener is not there", q)
		}
		return found
	}
	for _, q := range []diag.InetQuery{
		{Ext: 0xff}, {Ext: diag.ExtCong, Family: diag.IPv4}, {States: diag.StatesOf(diag.Listen)}, {AnyOrder: true, Ext: diag.ExtInfo},
	} {
		c, err := diag.Dial(nil)
		want := find(c, err, q)
		c, err = diag.Dial(rec.Replay(t).Config())
		got := find(c, err, q)
		if got.Cookie != want.Cookie || got.Inode != want.Inode || got.State != want.State || got.WQueue != want.WQueue {
			t.Errorf("%+v: %+v, want %+v", q, got, want)
		}
		for a := range diag.AttrSockOpt + 1 {
			v, ok := got.Attr(a)
			w, wok := want.Attr(a)
			if ok != wok || a != diag.AttrInfo && !bytes.Equal(v, w) {
				t.Errorf("%+v: attribute %d is %x, %v, want %x, %v", q, a, v, ok, w, wok)
			}
		}
	}
	c, err := diag.Dial(rec.Replay(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, err := range c.Inet(t.Context(), diag.InetQuery{Protocol: 99}) {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("protocol 99: %v", err)
		}
	}
}
