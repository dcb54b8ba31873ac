package main

import (
	"encoding/binary"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	mdlayher "github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

var recordTo = flag.String("record-families", os.Getenv("SOCKEYE_RECORD"), "record the scene of families into this folder")

const familyRecordings = "../../testdata/families"

const (
	typeDump            = 20 // SOCK_DIAG_BY_FAMILY
	inetDiagReqProtocol = 3
)

// TestRecordFamilies writes what this kernel tells of the scene of families to a file that is named after it. It is for the kernels
// that have the families: the recordings in testdata come from it.
func TestRecordFamilies(t *testing.T) {
	if *recordTo == "" {
		t.Skip("writes a recording where -record-families says")
	}
	s := scene.NewFamilies(t)
	t.Logf("missing: %q", s.Missing)
	var rec diagtest.Recording
	var err error
	if e := s.Do(func() { rec, err = recordFamilies() }); e != nil {
		err = e
	}
	if err != nil {
		t.Fatal(err)
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		t.Fatal(err)
	}
	release := strings.SplitN(unix.ByteSliceToString(name.Release[:]), ".", 3)
	file := filepath.Join(*recordTo, "linux-"+release[0]+"."+release[1]+".nl")
	if err := os.WriteFile(file, rec, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes in %s", len(rec), file)
}

func recordFamilies() (diagtest.Recording, error) {
	rec, err := diagtest.Record(diag.TCP, diag.SCTP, diag.DCCP, diag.MPTCP, diag.Raw)
	if err != nil {
		return nil, err
	}
	c, err := mdlayher.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for _, family := range []byte{unix.AF_VSOCK, unix.AF_TIPC, unix.AF_XDP} {
		req := mdlayher.Message{
			Header: mdlayher.Header{Type: typeDump, Flags: mdlayher.Request | mdlayher.Dump}, Data: dumpKey{family: family}.request(),
		}
		answer, err := c.Execute(req)
		if err != nil {
			continue // the kernel does not have it
		}
		for _, m := range append([]mdlayher.Message{req}, answer...) {
			m.Header.Length, m.Header.Sequence, m.Header.PID = uint32(unix.SizeofNlMsghdr+len(m.Data)), 0, 0
			b, err := m.MarshalBinary()
			if err != nil {
				return nil, err
			}
			rec = append(rec, b...)
		}
	}
	return rec, nil
}

// A dumpKey says what was asked for: an address family, and of IPv4 and IPv6 a protocol.
type dumpKey struct {
	family   byte
	protocol uint32
}

// request asks for all sockets, in all states, with all attributes: struct vsock_diag_req and its like.
func (k dumpKey) request() []byte {
	words := func(b []byte, w ...uint32) []byte {
		for _, v := range w {
			b = binary.NativeEndian.AppendUint32(b, v)
		}
		return b
	}
	b := []byte{k.family, 0, 0, 0}
	switch k.family {
	case unix.AF_VSOCK:
		return words(b, uint32(diag.AllStates), 0, 0, 0, 0)
	case unix.AF_TIPC:
		return words(b, uint32(diag.AllStates))
	case unix.AF_XDP:
		return words(b, 0, 0x1f, 0, 0) // XDP_SHOW_*
	}
	b[2] = 0xff
	if k.protocol <= 255 {
		b[1] = byte(k.protocol)
	}
	b = append(words(b, uint32(diag.AllStates)), make([]byte, 48)...)
	if k.protocol > 255 {
		b = binary.NativeEndian.AppendUint16(binary.NativeEndian.AppendUint16(b, 8), inetDiagReqProtocol)
		b = words(b, k.protocol)
	}
	return b
}

func keyOf(request []byte) dumpKey {
	k := dumpKey{family: request[0]}
	if k.family == unix.AF_INET || k.family == unix.AF_INET6 {
		k.protocol = uint32(request[1])
		if v, ok := attribute(request[min(56, len(request)):], inetDiagReqProtocol); ok {
			k.protocol = binary.NativeEndian.Uint32(v)
		}
	}
	return k
}

// attribute finds an attribute.
func attribute(b []byte, typ uint16) ([]byte, bool) {
	for t, v := range attributes(b) {
		if binary.NativeEndian.Uint16(t[2:])&^unix.NLA_F_NESTED == typ {
			return v, true
		}
	}
	return nil, false
}

// attributes yields each attribute, with its header and padding, and its value.
func attributes(b []byte) func(func(all, value []byte) bool) {
	return func(yield func(all, value []byte) bool) {
		for len(b) >= 4 {
			n := int(binary.NativeEndian.Uint16(b))
			if n < 4 || n > len(b) {
				return
			}
			padded := min((n+3)&^3, len(b))
			if !yield(b[:padded], b[4:n]) {
				return
			}
			b = b[padded:]
		}
	}
}

// load reads a recording: the messages that answered each request.
func loadFamilies(t *testing.T, file string) map[dumpKey][][]byte {
	rec := diagtest.Load(t, file)
	dumps := map[dumpKey][][]byte{}
	var at dumpKey
	for b := []byte(rec); len(b) > 0; {
		n := int(binary.NativeEndian.Uint32(b))
		if n < unix.SizeofNlMsghdr || n > len(b) {
			t.Fatalf("%s is cut off", file)
		}
		if m := b[unix.SizeofNlMsghdr:n]; binary.NativeEndian.Uint16(b[6:])&unix.NLM_F_REQUEST != 0 {
			at = keyOf(m)
			dumps[at] = [][]byte{}
		} else {
			dumps[at] = append(dumps[at], m)
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return dumps
}

// replayKernel answers as the recorded kernel would have: with sockets in the states that are asked for, with the attributes that are
// asked for. Filters (bytecode) are not evaluated.
func replayKernel(dumps map[dumpKey][][]byte) *fakeKernel {
	ne := binary.NativeEndian
	return &fakeKernel{answer: func(request []byte) [][]byte {
		message := func(d []byte, typ, flags uint16, payload []byte) []byte {
			d = ne.AppendUint32(d, uint32(unix.SizeofNlMsghdr+len(payload)))
			d = ne.AppendUint16(ne.AppendUint16(d, typ), flags)
			d = append(d, request[8:12]...) // sequence
			d = ne.AppendUint32(d, fakePort)
			d = append(d, payload...)
			return append(d, make([]byte, -len(payload)&3)...)
		}
		data := request[unix.SizeofNlMsghdr:]
		sockets, ok := dumps[keyOf(data)]
		if ne.Uint16(request[4:]) != typeDump || !ok {
			payload := ne.AppendUint32(nil, ^uint32(unix.ENOENT)+1)
			return [][]byte{message(nil, unix.NLMSG_ERROR, unix.NLM_F_CAPPED, append(payload, request[:unix.SizeofNlMsghdr]...))}
		}
		out := [][]byte{nil}
		endpoint := uint32(0) // the last one that was sent
		for _, m := range sockets {
			if s, ok := associationOf(data, m); ok { // it comes with its endpoint
				if s != endpoint {
					continue
				}
			} else if !states(data).Has(stateOf(data, m)) {
				if data[0] != unix.AF_TIPC {
					continue
				}
				m = nil // a message without a socket
			} else if len(m) >= 72 {
				endpoint = ne.Uint32(m[68:])
			}
			if m != nil {
				m = askedFor(data, m)
			}
			last := &out[len(out)-1]
			if len(*last)+len(m) > 15<<10 {
				out = append(out, nil)
				last = &out[len(out)-1]
			}
			*last = message(*last, typeDump, unix.NLM_F_MULTI, m)
		}
		last := &out[len(out)-1]
		*last = message(*last, unix.NLMSG_DONE, unix.NLM_F_MULTI, make([]byte, 4))
		return out
	}}
}

// states returns the states that a request asks for.
func states(request []byte) diag.States {
	if request[0] == unix.AF_XDP {
		return diag.AllStates
	}
	return diag.States(binary.NativeEndian.Uint32(request[4:]))
}

// stateOf is the state that a request has to name to get m.
func stateOf(request, m []byte) diag.State {
	switch k := keyOf(request); k.family {
	case unix.AF_VSOCK:
		return diag.State(m[2])
	case unix.AF_TIPC:
		s, err := diag.ParseTIPC(m)
		if err != nil {
			panic(err)
		}
		return s.State
	case unix.AF_XDP:
		return diag.Close
	default:
		if state := diag.State(m[1]); state != diag.Close || k.protocol != unix.IPPROTO_TCP {
			return state
		}
		return diag.BoundInactive
	}
}

// associationOf returns the inode of an SCTP association.
func associationOf(request, m []byte) (uint32, bool) {
	if keyOf(request).protocol != unix.IPPROTO_SCTP {
		return 0, false
	}
	s, err := diag.ParseInet(m, diag.SCTP)
	if err != nil {
		panic(err)
	}
	_, ok := s.Association()
	return s.Inode, ok
}

// askedFor returns what of a message the kernel would have sent.
func askedFor(request, m []byte) []byte {
	var keep func(uint16) bool
	head := 0
	switch request[0] {
	case unix.AF_VSOCK, unix.AF_TIPC:
		return m
	case unix.AF_XDP:
		show := binary.NativeEndian.Uint32(request[8:])
		head = 16
		needs := []uint32{0, 1, 1, 2, 2, 4, 4, 4, 8, 16} // XDP_SHOW_* of each XDP_DIAG_*
		keep = func(typ uint16) bool { return int(typ) >= len(needs) || show&needs[typ] != 0 }
	default:
		ext := request[2]
		head = 72
		keep = func(typ uint16) bool {
			switch diag.Attr(typ) {
			case diag.AttrDCTCPInfo, diag.AttrBBRInfo:
				typ = uint16(diag.AttrVegasInfo)
			case diag.AttrClassID:
				typ = uint16(diag.AttrTClass)
			case diag.AttrMD5Sig, diag.AttrULPInfo:
				typ = uint16(diag.AttrInfo)
			case diag.AttrShutdown:
				return true
			}
			return typ > 8 || ext&(1<<(typ-1)) != 0
		}
	}
	out := slices.Clone(m[:head])
	for a := range attributes(m[head:]) {
		if keep(binary.NativeEndian.Uint16(a[2:])) {
			out = append(out, a...)
		}
	}
	return out
}

// What ss says of a recording, sockeye ss says byte for byte, at every width of the screen: with its messages, and its exit status.
func TestReplayFamilies(t *testing.T) {
	ss, ours := peers.SS(t), peers.Sockeye(t)
	files, err := filepath.Glob(filepath.Join(familyRecordings, "*.nl"))
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	some, slow := 4, os.Getenv("SOCKEYE_SLOW_TESTS") == "1" // of so many lines one is tried, at one width
	if slow {
		some = 1
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			dumps := loadFamilies(t, file)
			maps.DeleteFunc(dumps, func(k dumpKey, _ [][]byte) bool { return k.protocol == unix.IPPROTO_DCCP }) // ss has forgotten it
			kernel := replayKernel(dumps)
			n := 0
			for _, c := range familyCases {
				if len(dumps[c.key]) == 0 || c.replay == "" {
					continue
				}
				t.Run(strings.ReplaceAll(c.part, " ", "-"), func(t *testing.T) {
					rows := 0
					for i, args := range split(c.replay) {
						if i%some != 0 {
							continue
						}
						widths := []string{"", screens[1+n%(len(screens)-1)]}
						if !slow {
							widths = screens[n%len(screens):][:1]
						}
						for _, columns := range widths {
							var env []string
							if columns != "" {
								env = append(env, "COLUMNS="+columns)
							}
							n++
							want := kernel.run(t, env, append([]string{ss}, args...)...)
							if got := kernel.run(t, env, append([]string{ours, "ss"}, args...)...); got != want {
								t.Errorf("%v ss %s\n%s", env, strings.Join(args, " "), firstDifference(got, want))
							}
							rows = max(rows, strings.Count(want.stdout, "\n")-1)
						}
					}
					if rows < len(dumps[c.key]) {
						t.Errorf("ss shows %d rows at most, of %d sockets", rows, len(dumps[c.key]))
					}
				})
			}
			t.Logf("%d runs compared", n)
		})
	}
}

// familyDumpLines are command lines over a dump (TCPDIAG_FILE) of TCP sockets with kernel TLS, subflows of MPTCP, and congestion controls.
const familyDumpLines = `
-tan
-tani
-taniO
-tanoemi
-tanoemiO
-taoemiHQO
-tin state established
-tani sport = 4433
-tani not dport = 4433 and src 127.0.0.1
-tani dst [::1]
`

// A dump of such sockets written by either program is read alike by both.
func TestFamilyDumpsAreExchanged(t *testing.T) {
	ss, ours := peers.SS(t), peers.Sockeye(t)
	files, err := filepath.Glob(filepath.Join(familyRecordings, "*.nl"))
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	for _, recording := range files {
		t.Run(filepath.Base(recording), func(t *testing.T) {
			kernel := replayKernel(loadFamilies(t, recording))
			for name, writer := range map[string][]string{"ss": {ss}, "sockeye": {ours, "ss"}} {
				file := filepath.Join(t.TempDir(), "dump")
				if r := kernel.run(t, nil, append(writer, "-tanoemi4", "--tos", "-D", file)...); r != (result{}) {
					t.Fatalf("%s -D: %+v", name, r)
				}
				env := []string{"TCPDIAG_FILE=" + file}
				for _, args := range split(familyDumpLines) {
					want := kernel.run(t, env, append([]string{ss}, args...)...)
					if got := kernel.run(t, env, append([]string{ours, "ss"}, args...)...); got != want {
						t.Errorf("dump of %s: ss %s\n%s", name, strings.Join(args, " "), firstDifference(got, want))
					}
					if strings.Contains(args[0], "oemiO") && (!strings.Contains(want.stdout, " tcp-ulp-tls version: 1.3 ") || strings.Count(want.stdout, "\n") < 20) {
						t.Errorf("dump of %s: ss shows %s", name, want.stdout)
					}
				}
			}
		})
	}
}
