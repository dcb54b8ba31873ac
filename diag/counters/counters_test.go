package counters

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/check"
	"github.com/sockeye-tools/sockeye/internal/thread"
)

// values returns the figures of sections by key.
func values(sections []Section) map[string]uint64 {
	m := map[string]uint64{}
	for i := range sections {
		for _, c := range sections[i].Counters {
			m[sections[i].Key(c)] = c.Value
		}
	}
	return m
}

// inNamespace runs f in a thread of a new network namespace whose loopback device is up.
func inNamespace(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, for a network namespace of its own")
	}
	done := make(chan error)
	thread.Go(func() {
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = check.LoopbackUp()
		}
		defer func() { done <- err }() // also where f calls t.FailNow
		if err == nil {
			f()
		}
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestKernelCounts: what happens in a namespace is counted there.
func TestKernelCounts(t *testing.T) {
	inNamespace(t, func() {
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		before, err := All("")
		must(err)
		if v := values(before); v["Tcp.ActiveOpens"] != 0 || v["Udp.NoPorts"] != 0 {
			t.Fatalf("a new namespace has counted %d connections and %d datagrams", v["Tcp.ActiveOpens"], v["Udp.NoPorts"])
		}
		local := func(port int) unix.Sockaddr { return &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}} }
		open := func(typ int) int {
			fd, err := unix.Socket(unix.AF_INET, typ|unix.SOCK_CLOEXEC, 0)
			must(err)
			t.Cleanup(func() { unix.Close(fd) })
			return fd
		}
		udp := open(unix.SOCK_DGRAM)
		for range 3 { // nobody listens
			must(unix.Sendto(udp, []byte("x"), 0, local(9)))
		}
		l := open(unix.SOCK_STREAM)
		must(unix.Bind(l, local(8080)))
		must(unix.Listen(l, 5))
		for range 2 {
			must(unix.Connect(open(unix.SOCK_STREAM), local(8080)))
		}
		if err := unix.Connect(open(unix.SOCK_STREAM), local(8081)); !errors.Is(err, unix.ECONNREFUSED) {
			t.Fatalf("connect to a port that nobody listens at: %v", err)
		}
		want := map[string]uint64{
			"Udp.NoPorts": 3, "Udp.OutDatagrams": 3, "Icmp.OutDestUnreachs": 3, "IcmpMsg.OutType3": 3, "IcmpMsg.InType3": 3,
			"Tcp.ActiveOpens": 3, "Tcp.AttemptFails": 1, "Tcp.OutRsts": 1, "Tcp.CurrEstab": 4, "Ip.Forwarding": 2,
		}
		var after []Section
		got := map[string]uint64{}
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) { // a busy kernel lets packets wait
			after, err = All("")
			must(err)
			got = values(after)
			maps.DeleteFunc(got, func(key string, _ uint64) bool { _, ok := want[key]; return !ok })
			if maps.Equal(got, want) {
				break
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		for i := range after {
			for _, c := range after[i].Counters {
				if key := after[i].Key(c); key == "Tcp.MaxConn" && (!c.Negative || int64(c.Value) != -1) {
					t.Errorf("%s is %d, want -1", key, c.Value)
				}
			}
		}
	})
}

func TestAll(t *testing.T) {
	got, err := All("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range got {
		names = append(names, s.Name)
	}
	want := []string{"Ip", "Icmp", "IcmpMsg", "Tcp", "Udp", "UdpLite", "TcpExt", "IpExt", "MPTcpExt", "Ip6", "Icmp6", "Udp6", "UdpLite6", "Sctp"}
	if !slices.Equal(names, want) {
		t.Errorf("sections %q, want %q", names, want)
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := All(dir); s != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a folder without files: %v, %v", s, err)
	}
	write("snmp", "Ip: InReceives\nIp: 3\n")
	if s, err := All(dir); err != nil || len(s) != 1 {
		t.Errorf("of one file: %v, %v", s, err)
	}
	if _, err := Read(dir, SCTP); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	write("netstat", "TcpExt: TW\nTcpExt: 7\nIpExt: InOctets\nIpExt: x\n")
	write("snmp6", "Ip6InReceives 4\n")
	s, err := All(dir)
	if v := values(s); !errors.Is(err, ErrFormat) || len(v) != 3 || v["TcpExt.TW"] != 7 || v["Ip6.InReceives"] != 4 {
		t.Errorf("with a file that is broken: %v, %v", v, err)
	}
	if want := "read counters: " + dir + `/netstat: line 4: InOctets is "x": not in the format of the kernel`; err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestKey(t *testing.T) {
	for _, test := range []struct {
		section       Section
		name, key     string
		short, number string
		counter       Counter
	}{
		{Section{File: Netstat, Name: "TcpExt"}, "TCPTimeouts", "TcpExt.TCPTimeouts", "TCPTimeouts", "2", Counter{Value: 2}},
		{Section{File: SNMP6, Name: "Ip6"}, "Ip6InReceives", "Ip6.InReceives", "InReceives", "18446744073709551615", Counter{Value: 1<<64 - 1}},
		{Section{File: SCTP, Name: "Sctp"}, "SctpCurrEstab", "Sctp.CurrEstab", "CurrEstab", "-1", Counter{Value: 1<<64 - 1, Negative: true}},
		{Section{File: SCTP, Name: "Sctp"}, "Other", "Sctp.Other", "Other", "0", Counter{}},
		{Section{File: SNMP6, Name: "Odd"}, "Odd", "Odd.Odd", "Odd", "0", Counter{}},
		{Section{File: SNMP, Name: "Ip"}, "IpFoo", "Ip.IpFoo", "IpFoo", "0", Counter{}},
	} {
		c := test.counter
		c.Name = test.name
		s := test.section
		if key, short, number := s.Key(c), s.Short(c), string(c.AppendValue(nil)); key != test.key || short != test.short || number != test.number {
			t.Errorf("%s: %s, %s, %s", test.key, key, short, number)
		}
	}
}
