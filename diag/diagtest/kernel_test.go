package diagtest_test

import (
	"encoding/binary"
	"errors"
	"syscall"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
)

func TestKernelSeesTheRequest(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		return []diagtest.Datagram{diagtest.Datagram{}.Done(r)}
	})
	c, err := diag.Dial(k.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	q := diag.InetQuery{
		Protocol: diag.MPTCP, Family: diag.IPv6, States: diag.StatesOf(diag.Listen), Ext: diag.ExtInfo,
		Bytecode: []byte{1, 2, 3, 4},
	}
	for range c.Inet(t.Context(), q) {
		t.Error("a socket out of nothing")
	}
	rs := k.Requests()
	if len(rs) != 1 {
		t.Fatalf("%d requests, want 1", len(rs))
	}
	r := rs[0]
	if r.Type != 20 || r.Flags != 0x301 || r.Protocol() != q.Protocol || r.Family() != q.Family || r.States() != q.States ||
		r.Ext() != q.Ext || string(r.Bytecode()) != string(q.Bytecode) || r.Data[1] != 6 {
		t.Errorf("request %+v does not say %+v", r, q)
	}
}

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
	for _, err := range c.Inet(t.Context(), diag.InetQuery{Protocol: diag.SCTP, Family: diag.IPv4}) {
		if !errors.Is(err, errors.ErrUnsupported) || !errors.Is(err, syscall.ENOENT) {
			t.Errorf("a protocol that is not in the recording: %v", err)
		}
	}
}
