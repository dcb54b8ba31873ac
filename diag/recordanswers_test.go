package diag_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
)

// What was recorded of several families is read again, each message with what it answers to, and behind a dump that Record wrote.
func TestRecordAnswers(t *testing.T) {
	unixSocket := native(uint8(unix.AF_UNIX), uint8(1), uint8(10), uint8(0), uint32(42), [2]uint32{})
	inet := func(family byte) []byte { return append([]byte{family, 1}, make([]byte, 70)...) }
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		switch r.Data[0] {
		case unix.AF_UNIX:
			return []diagtest.Datagram{diagtest.Datagram{}.Append(r, 20, 2, unixSocket).Append(r, 20, 2, unixSocket[:16]).Done(r)}
		case unix.AF_INET, unix.AF_INET6:
			return []diagtest.Datagram{diagtest.Datagram{}.Append(r, 20, 2, inet(r.Data[0])), diagtest.Datagram{}.Done(r)}
		}
		return []diagtest.Datagram{diagtest.Datagram{}.Error(r, unix.ENOENT)}
	})
	c, err := diag.Dial(k.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var b bytes.Buffer
	if err := c.Record(t.Context(), diag.InetQuery{}, &b); err != nil {
		t.Fatal(err)
	}
	plain := b.Len()
	for _, q := range []diag.Query{diag.UnixQuery{}, diag.InetQuery{Protocol: diag.UDP}, diag.InetQuery{Protocol: diag.MPTCP, Family: diag.IPv6}} {
		if err := c.RecordAnswer(t.Context(), q, &b); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range []diag.Query{diag.VSockQuery{}, diag.XDPQuery{}, diag.TIPCQuery{}, diag.PacketQuery{}, diag.NetlinkQuery{}} {
		if err := c.RecordAnswer(t.Context(), q, &b); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%T: %v", q, err)
		}
	}
	type answer struct {
		family   diag.Family
		protocol diag.Protocol
		request  bool
	}
	want := []answer{
		{unix.AF_UNIX, 0, true}, {unix.AF_UNIX, 0, false}, {unix.AF_UNIX, 0, false}, {diag.IPv4, diag.UDP, true}, {diag.IPv4, diag.UDP, false},
		{diag.IPv6, diag.UDP, true}, {diag.IPv6, diag.UDP, false}, {diag.IPv6, diag.MPTCP, true}, {diag.IPv6, diag.MPTCP, false},
		{unix.AF_VSOCK, 0, true}, {unix.AF_XDP, 0, true}, {unix.AF_TIPC, 0, true}, {unix.AF_PACKET, 0, true}, {unix.AF_NETLINK, 0, true},
	}
	var got []answer
	for a, err := range diag.ReadAnswers(bytes.NewReader(b.Bytes())) {
		if err != nil {
			t.Fatal(err)
		}
		g := answer{family: a.Family(), request: a.Message == nil}
		if g.family == diag.IPv4 || g.family == diag.IPv6 {
			g.protocol = a.Protocol()
		}
		if got = append(got, g); g.request {
			continue
		}
		if g.family == unix.AF_UNIX {
			if s, err := diag.ParseUnix(a.Message); err != nil || s.Inode != 42 {
				t.Errorf("%+v, %v", s, err)
			}
		} else {
			if s, err := diag.ParseInet(a.Message, g.protocol); err != nil || s.Family != g.family {
				t.Errorf("%+v, %v", s, err)
			}
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%v, want %v", got[i], want[i])
		}
	}
	for _, size := range []int{plain + 1, plain + 20, b.Len() - 1} {
		var last error
		for _, err := range diag.ReadAnswers(bytes.NewReader(b.Bytes()[:size])) {
			last = err
		}
		if !errors.Is(last, io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes: %v", size, last)
		}
	}
	var wrong *diag.MessageError
	for _, err := range diag.ReadAnswers(bytes.NewReader(bytes.Repeat([]byte("no recording"), 9))) {
		if !errors.As(err, &wrong) {
			t.Errorf("text: %v", err)
		}
	}
}
