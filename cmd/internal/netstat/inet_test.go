package netstat

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
)

func TestQueries(t *testing.T) {
	const (
		v4, v6, both = diag.IPv4, diag.IPv6, diag.Unspec
		info         = diag.ExtInfo
		proc         = diag.ProcStates
		listen       = diag.States(1 << diag.Listen)
	)
	type q = diag.InetQuery
	tcp := func(f diag.Family, s diag.States, e diag.Ext) q {
		return q{Protocol: diag.TCP, Family: f, States: s, Ext: e}
	}
	sctp := func(f diag.Family, s diag.States, e diag.Ext) q {
		return q{Protocol: diag.SCTP, Family: f, States: s, Ext: e}
	}
	other := func(p diag.Protocol, f diag.Family) q { return q{Protocol: p, Family: f, States: proc} }
	for line, want := range map[string][]q{
		"-tan":  {tcp(both, proc, 0)},
		"-tln":  {tcp(both, listen, 0)}, // does not make the kernel walk all connections
		"-tlne": {tcp(both, listen, 0)},
		"-tn":   {tcp(both, proc&^listen, 0)},
		"-tne":  {tcp(both, proc, 0)}, // the users of SYN_RECV are those of listeners
		"-tno":  {tcp(both, proc&^listen, info)},
		"-t4an": {tcp(v4, proc, 0)},
		"-t6an": {tcp(v6, proc, 0)},
		"-uwUo": {other(diag.UDP, both), other(diag.UDPLite, both), other(diag.Raw, both)}, // tcp_info is TCP's
		"-Sa":   {sctp(both, listen, 0), sctp(both, proc&^listen, info)},
		"-Sl":   {sctp(both, listen, 0)},
		"-S":    {sctp(both, proc&^listen, info)},
		"-4l":   {tcp(v4, listen, 0), sctp(v4, listen, 0), other(diag.UDP, v4), other(diag.UDPLite, v4), other(diag.Raw, v4)},
		"-l":    {tcp(both, listen, 0), sctp(both, listen, 0), other(diag.UDP, both), other(diag.UDPLite, both), other(diag.Raw, both)},
	} {
		o := read(t, line)
		r := newRun(newEnv(t.Context()), &o, nil)
		got := r.queries(r.table(), !o.anyTable())
		if !slices.EqualFunc(got, want, func(a, b q) bool {
			noAttrs := b.Protocol == diag.TCP && b.Ext == 0
			return a.Protocol == b.Protocol && a.Family == b.Family && a.States == b.States && a.Ext == b.Ext && a.Bytecode == nil && a.NoAttrs == noAttrs
		}) {
			t.Errorf("%s:\n got %+v\nwant %+v", line, got, want)
		}
		for _, q := range newRecorder(r, "json").queries(r.table(), !o.anyTable()) { // mark and cgroup are attributes
			if q.NoAttrs {
				t.Errorf("%s --output json: without attributes: %+v", line, q)
			}
		}
	}
}

// TestRepeated: sctp_diag sends the endpoint before its associations.
func TestRepeated(t *testing.T) {
	row := func(p diag.Protocol, attrs ...diag.Attr) *diag.InetSocket {
		b := make([]byte, 72)
		b[0] = byte(diag.IPv4)
		for _, a := range attrs {
			b = binary.NativeEndian.AppendUint16(b, 4)
			b = binary.NativeEndian.AppendUint16(b, uint16(a))
		}
		s, err := diag.ParseInet(b, p)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, c := range []struct {
		what string
		s    *diag.InetSocket
		want bool
	}{
		{"endpoint", row(diag.SCTP, diag.AttrLocals), false},
		{"endpoint before associations", row(diag.SCTP, diag.AttrInfo, diag.AttrLocals), true},
		{"association", row(diag.SCTP, diag.AttrInfo, diag.AttrLocals, diag.AttrPeers), false},
		{"TCP with -o", row(diag.TCP, diag.AttrInfo), false},
	} {
		if got := repeated(c.s); got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
	}
}

// TestHint: with -c the same hint is not given in every round.
func TestHint(t *testing.T) {
	var errs bytes.Buffer
	env := newEnv(t.Context())
	env.Stderr = &errs
	r := newRun(env, &options{}, nil)
	r.hint("a")
	r.hint("b")
	r.hint("a")
	if got, want := errs.String(), "netstat: a\nnetstat: b\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestManyRows: the buffer is written when it is full, and nothing is lost or cut there.
func TestManyRows(t *testing.T) {
	inNamespace(t, func() {
		h := newHost(t)
		for i := range 800 {
			h.datagram(v4(10000+i), nil, unix.SOCK_DGRAM, 0, 0)
			h.datagram(v6(10000+i), nil, unix.SOCK_DGRAM, 0, 0)
		}
		w := &writes{}
		env := newEnv(t.Context(), "-uan")
		env.Stdout = w
		Main(env)
		if len(w.sizes) < 2 || slices.Max(w.sizes) > bufferSize {
			t.Errorf("writes of %v bytes; want several, none above %d", w.sizes, bufferSize)
		}
		if want := theirs(t, "-uan").stdout; w.String() != want {
			t.Errorf("got %d bytes, want %d, or their content differs", w.Len(), len(want))
		}
		same(t, "-uanpe")
		same(t, "-ua")
	})
}

type writes struct {
	bytes.Buffer
	sizes []int
}

func (w *writes) Write(b []byte) (int, error) {
	w.sizes = append(w.sizes, len(b))
	return w.Buffer.Write(b)
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestWriteErrors(t *testing.T) {
	for _, c := range []struct {
		err    error
		stderr string
	}{
		{unix.EPIPE, ""}, // nobody reads: no reason to talk
		{unix.ENOSPC, "netstat: no space left on device\n"},
	} {
		var errs bytes.Buffer
		env := newEnv(t.Context(), "-tlnc")
		env.Stdout, env.Stderr = brokenWriter{c.err}, &errs
		if status := Main(env); status != exitFailed || errs.String() != c.stderr {
			t.Errorf("%v: status %d, stderr %q; want %d, %q", c.err, status, errs.String(), exitFailed, c.stderr)
		}
	}
}
