package diagtest

import (
	"encoding/binary"
	"fmt"
	"os"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
)

// Recording is what a kernel sent: netlink messages as they came, each dump behind the request that asked for it.
type Recording []byte

// Record dumps each protocol over IPv4 and IPv6, all states and all attributes, in the namespace of the calling thread. It does
// not use package diag's own reader. Protocols that the kernel does not have are left out.
func Record(protocols ...diag.Protocol) (Recording, error) {
	c, err := netlink.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var rec Recording
	for _, p := range protocols {
		for _, f := range []diag.Family{diag.IPv4, diag.IPv6} {
			data := make([]byte, 56)
			data[0], data[1], data[2] = byte(f), byte(p), 0xff
			binary.NativeEndian.PutUint32(data[4:], uint32(diag.AllStates))
			if p > 255 {
				data = binary.NativeEndian.AppendUint16(data, 8)
				data = binary.NativeEndian.AppendUint16(data, 3)
				data = binary.NativeEndian.AppendUint32(data, uint32(p))
			}
			req := netlink.Message{Header: netlink.Header{Type: 20, Flags: netlink.Request | netlink.Dump}, Data: data}
			answer, err := c.Execute(req)
			if err != nil {
				continue
			}
			for _, m := range append([]netlink.Message{req}, answer...) {
				m.Header.Length = uint32(16 + len(m.Data))
				m.Header.Sequence, m.Header.PID = 0, 0
				b, err := m.MarshalBinary()
				if err != nil {
					return nil, err
				}
				rec = append(rec, b...)
			}
		}
	}
	return rec, nil
}

// Load reads a Recording from a file. Recordings are little-endian: on other machines the test is skipped.
func Load(t testing.TB, name string) Recording {
	t.Helper()
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the recording is little-endian")
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Replay returns a Kernel that answers dumps from the recording as the kernel would have: sockets in the states that were asked
// for, with the attributes that were asked for. Protocols that are not in it are answered ENOENT. Bytecode is not evaluated.
func (rec Recording) Replay(t testing.TB) *Kernel {
	type key struct {
		p diag.Protocol
		f diag.Family
	}
	dumps := map[key][][]byte{}
	var at key
	for b := []byte(rec); len(b) > 0; {
		n := int(binary.NativeEndian.Uint32(b))
		if n < 16 || n > len(b) {
			t.Fatalf("recording is cut off: %d bytes left of a message of %d", len(b), n)
		}
		if m := b[16:n]; binary.NativeEndian.Uint16(b[6:])&unix.NLM_F_REQUEST != 0 {
			r := Request{Data: m}
			at = key{r.Protocol(), r.Family()}
			dumps[at] = [][]byte{}
		} else {
			dumps[at] = append(dumps[at], m)
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return NewKernel(t, func(r Request) []Datagram {
		families := []diag.Family{r.Family()}
		if r.Family() == diag.Unspec {
			families = []diag.Family{diag.IPv4, diag.IPv6}
		}
		var dump [][]byte
		for _, f := range families {
			ms, ok := dumps[key{r.Protocol(), f}]
			if !ok {
				return []Datagram{Datagram{}.Error(r, unix.ENOENT)}
			}
			dump = append(dump, ms...)
		}
		out := []Datagram{{}}
		for _, m := range dump {
			if !r.States().Has(askedState(r.Protocol(), m)) {
				continue
			}
			if last := &out[len(out)-1]; len(*last)+16+len(m) > 32<<10 {
				out = append(out, Datagram{})
			}
			last := &out[len(out)-1]
			*last = last.Append(r, 20, unix.NLM_F_MULTI, asked(m, r.Ext()))
		}
		last := &out[len(out)-1]
		*last = last.Done(r)
		return out
	})
}

// asked drops the attributes that come only when asked for, and were not.
func asked(m []byte, ext diag.Ext) []byte {
	out := append([]byte(nil), m[:72]...)
	for b := m[72:]; len(b) >= 4; {
		n := int(binary.NativeEndian.Uint16(b))
		if n < 4 || n > len(b) {
			panic(fmt.Sprintf("broken attribute in a recording: %d bytes of %d", n, len(b)))
		}
		padded := b[:min((n+3)&^3, len(b))]
		if a := diag.Attr(binary.NativeEndian.Uint16(b[2:])); !needsAsking(a, ext) {
			out = append(out, padded...)
		}
		b = b[len(padded):]
	}
	return out
}

func needsAsking(a diag.Attr, ext diag.Ext) bool {
	switch a {
	case diag.AttrDCTCPInfo, diag.AttrBBRInfo:
		a = diag.AttrVegasInfo
	case diag.AttrClassID:
		a = diag.AttrTClass
	case diag.AttrMD5Sig, diag.AttrULPInfo:
		a = diag.AttrInfo
	case diag.AttrShutdown:
		return false
	}
	return a <= 8 && ext&(1<<(a-1)) == 0
}

// askedState is the state that a request has to name to get m. A TCP socket in Close is one that is bound and nothing else: the kernel
// sends it for BoundInactive.
func askedState(p diag.Protocol, m []byte) diag.State {
	st := diag.State(m[1])
	if st == diag.Close && p == diag.TCP {
		return diag.BoundInactive
	}
	return st
}
