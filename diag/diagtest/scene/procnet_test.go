package scene

import (
	"encoding/binary"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

const procText = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1B59 0100007F:A028 01 000002BC:0000012C 02:000AFC80 00000000 65534        0 4242 1 0000000000000000 20 4 30 10 -1
   1: 0A0200C0:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 17 1
`

func TestParseProc(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("scene: the text is a little-endian kernel's")
	}
	got, err := parseProc("tcp", procText)
	if err != nil {
		t.Fatal(err)
	}
	want := []procRow{
		{local: netip.MustParseAddrPort("127.0.0.1:7001"), remote: netip.MustParseAddrPort("127.0.0.1:41000"), state: Established,
			sendQ: 700, recvQ: 300, timer: TimerKeepalive, uid: 65534, inode: 4242},
		{local: netip.MustParseAddrPort("192.0.2.10:22"), remote: netip.MustParseAddrPort("0.0.0.0:0"), state: Listen, inode: 17},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	got, err = parseProc("tcp6", "header\n0: B80D0120000000000000000001000000:0050 0000000000000000FFFF00000100007F:0051 0A 0:0 00:0 0 0 0 9\n")
	if err != nil {
		t.Fatal(err)
	}
	if got[0].local.String() != "[2001:db8::1]:80" || got[0].remote.String() != "[::ffff:127.0.0.1]:81" {
		t.Errorf("IPv6: %v", got[0])
	}
}

func TestParseProcErrors(t *testing.T) {
	for _, line := range []string{"0: 1", "0: XX00007F:1 00000000:0 01 0:0 0:0 0 0 0 0", "0: 0100007F:1 00000000:0 01 0:0 0:0 0 0 0 -1",
		"0: 01:1 00000000:0 01 0:0 0:0 0 0 0 0"} {
		if rows, err := parseProc("tcp", "header\n"+line+"\n"); err == nil {
			t.Errorf("%q parsed to %v", line, rows)
		}
	}
}

// The check of the scene must find what is wrong, in both directions.
func TestDifferences(t *testing.T) {
	s := New(t)
	// A socket whose timer fires has none for a moment.
	diff := func(sockets []Expect, n int) (diffs []string) {
		wait(patience, "differences", func() (bool, error) {
			var err error
			if e := s.Do(func() { diffs, err = differences(sockets) }); e != nil || err != nil {
				t.Fatal(e, err)
			}
			return len(diffs) == n, nil
		})
		return diffs
	}
	if d := diff(s.Sockets, 0); len(d) != 0 {
		t.Errorf("the scene differs from /proc/net:\n%s", strings.Join(d, "\n"))
	}
	var without []Expect
	for _, e := range s.Sockets {
		if e.Name != "closing v6" {
			without = append(without, e)
		}
	}
	if d := diff(without, 1); len(d) != 1 || !strings.Contains(d[0], "tcp6 has 1 more") {
		t.Errorf("a socket that is not noted: %q", d)
	}
	for _, spoil := range []func(*Expect){
		func(e *Expect) { e.State = FinWait2 },
		func(e *Expect) { e.Timer = TimerOff },
		func(e *Expect) { e.Inode++ },
		func(e *Expect) { e.UID++ },
		func(e *Expect) { e.SendQ++ },
		func(e *Expect) { e.RecvQ++ },
		func(e *Expect) { e.Local = netip.AddrPortFrom(e.Local.Addr(), 1) },
		func(e *Expect) { e.Remote = e.Local },
	} {
		sockets := append([]Expect(nil), s.Sockets...)
		for i := range sockets {
			if sockets[i].Name == "fin-wait-1 v4" {
				spoil(&sockets[i])
			}
		}
		if d := diff(sockets, 2); len(d) != 2 {
			t.Errorf("a wrong note: %q", d)
		}
	}
}
