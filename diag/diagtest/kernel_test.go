package diagtest_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

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
	both := diag.InetQuery{States: diag.StatesOf(diag.Listen), Ext: diag.ExtInfo, Bytecode: q.Bytecode, AnyOrder: true}
	for range c.Inet(t.Context(), both) {
		t.Error("a socket out of nothing")
	}
	rs := k.Requests()
	if len(rs) != 2 {
		t.Fatalf("%d requests, want 2", len(rs))
	}
	r := rs[0]
	if r.Type != 20 || r.Flags != 0x301 || r.Protocol() != q.Protocol || r.Family() != q.Family || r.States() != q.States ||
		r.Ext() != q.Ext || string(r.Bytecode()) != string(q.Bytecode) || r.Data[1] != 0 { // 262 does not fit
		t.Errorf("request %+v does not say %+v", r, q)
	}
	r = rs[1]
	if r.Type != 18 || len(r.Data) != 68 || r.Protocol() != diag.TCP || r.Family() != diag.Unspec || r.States() != both.States ||
		r.Ext() != both.Ext || string(r.Bytecode()) != string(both.Bytecode) {
		t.Errorf("request %+v does not say %+v", r, both)
	}
}

func TestKernelClosesAndWaits(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		if r.States() == diag.StatesOf(diag.Listen) {
			return []diagtest.Datagram{nil}
		}
		return nil
	})
	for state, want := range map[diag.State]string{diag.Listen: "closed", diag.Established: "no answer"} {
		cfg := k.Config()
		if cfg.Timeout = time.Minute; state == diag.Established {
			cfg.Timeout = 50 * time.Millisecond
		}
		c, err := diag.Dial(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		n := 0
		for _, err := range c.Inet(t.Context(), diag.InetQuery{Family: diag.IPv4, States: diag.StatesOf(state)}) {
			if n++; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		}
		if n != 1 {
			t.Errorf("%d errors, want %q", n, want)
		}
	}
}

// A Kernel in a hurry ends the wait for what does not come, and only that: what was sent is read however late the program is.
func TestKernelInAHurry(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		d := []diagtest.Datagram{{}, {}, {}}
		for i := range d {
			d[i] = d[i].Append(r, 20, 2, append([]byte{byte(diag.IPv4), byte(diag.Listen)}, make([]byte, 70)...))
		}
		if r.States() == diag.StatesOf(diag.Listen) {
			d[2] = d[2].Done(r)
		}
		return d
	})
	k.Hurry = true
	cfg := k.Config()
	cfg.Timeout = time.Hour
	c, err := diag.Dial(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range 20 {
		state := []diag.State{diag.Listen, diag.Listen, diag.Established}[i%3] // on one connection after the other, or after what broke one
		n := 0
		var last error
		for _, err := range c.Inet(t.Context(), diag.InetQuery{Family: diag.IPv4, States: diag.StatesOf(state)}) {
			if last = err; err == nil {
				n++
				time.Sleep(2 * time.Millisecond)
			}
		}
		if n != 3 || (last == nil) != (state == diag.Listen) || last != nil && !errors.Is(last, os.ErrDeadlineExceeded) {
			t.Errorf("%v: %d sockets, %v", state, n, last)
		}
	}
}
