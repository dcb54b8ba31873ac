package ss

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
	"github.com/sockeye-tools/sockeye/render/ss"
)

func xdrText(s string) []byte {
	b := append(binary.BigEndian.AppendUint32(nil, uint32(len(s))), s...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func xdrNumbers(list ...uint32) (b []byte) {
	for _, n := range list {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

// rpcAnswer is an answer of rpcbind; each service is "PROGRAM NETID ADDRESS".
func rpcAnswer(xid uint32, services ...[3]string) []byte {
	b := xdrNumbers(xid, 1, 0, 0, 0, 0)
	for _, s := range services {
		program := map[string]uint32{"portmapper": 100000, "nfs": 100003, "mountd": 100005, "nameless": 399999}[s[0]]
		b = append(append(append(append(b, xdrNumbers(1, program, 3)...), xdrText(s[1])...), xdrText(s[2])...), xdrText("superuser")...)
	}
	return append(b, xdrNumbers(0)...)
}

// rpcbind listens like rpcbind in a directory, and answers in parts.
func rpcbind(t *testing.T, dir string, services ...[3]string) (socket string) {
	t.Helper()
	socket = filepath.Join(dir, "rpcbind.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(socket, 0o666); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			call := make([]byte, 44)
			if _, err := io.ReadFull(c, call); err == nil {
				b := rpcAnswer(binary.BigEndian.Uint32(call[4:]), services...)
				c.Write(append(xdrNumbers(8), b[:8]...))
				c.Write(append(xdrNumbers(1<<31|uint32(len(b)-8)), b[8:]...))
			}
			c.Close()
		}
	}()
	return socket
}

var rpcServices = [][3]string{
	{"portmapper", "tcp6", "::.0.111"}, {"portmapper", "tcp", "0.0.0.0.0.111"}, {"portmapper", "local", "/run/rpcbind.sock"},
	{"nfs", "tcp", "0.0.0.0.8.1"}, {"nfs", "udp", "0.0.0.0.8.1"}, {"mountd", "tcp", "0.0.0.0.27.98"}, {"mountd", "udp6", "::.0.53"},
	{"nameless", "tcp", "0.0.0.0.0.22"}, {"mountd", "tcp", "127.0.0.1.0.80"}, {"nfs", "sctp", "0.0.0.0.0.80"}, {"nfs", "tcp", "0.0.0.0.3.231"},
}

func TestRPCPorts(t *testing.T) {
	dir := t.TempDir()
	names := filepath.Join(dir, "rpc")
	if err := os.WriteFile(names, []byte("# rpc\nportmapper\t100000\tportmap sunrpc\nnfs 100003 nfsprog # files\nodd\nmountd\t\t100005 mount\nother 100005\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := rpcPorts(rpcbind(t, dir, rpcServices...), names)
	if err != nil {
		t.Fatal(err)
	}
	want := map[ss.RPCPort]string{
		{Port: 111, Proto: "tcp"}: "rpc.portmapper", {Port: 2049, Proto: "tcp"}: "rpc.nfs", {Port: 2049, Proto: "udp"}: "rpc.nfs",
		{Port: 7010, Proto: "tcp"}: "rpc.mountd", {Port: 22, Proto: "tcp"}: "", {Port: 999, Proto: "tcp"}: "rpc.nfs", {Port: 53, Proto: "udp"}: "rpc.mountd",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v\nwant %v", got, want)
	}
	if _, err := rpcPorts(filepath.Join(dir, "no"), names); err == nil {
		t.Error("no rpcbind: no error")
	}
	for _, tt := range []struct {
		name, proto string
		port        uint16
	}{{"rpc.mountd", "tcp", 7010}, {"rpc.mountd", "udp", 53}, {"rpc.nfs", "udp", 2049}, {"rpc.nfs", "tcp", 0}, {"rpc.no", "tcp", 0}} {
		if port, ok := rpcPort(got, tt.name, tt.proto); port != tt.port || ok != (tt.port != 0) {
			t.Errorf("%s/%s: %d, %v", tt.name, tt.proto, port, ok)
		}
	}
	// They are asked for once, also where there is no rpcbind, and not where they are not shown.
	for line, wanted := range map[string]bool{"-tr": true, "-tnr": false, "-t": false, "-xr": false} {
		o, err := parse(words(line), false)
		if err != nil {
			t.Fatal(err)
		}
		if ports := o.rpc(); (ports != nil) != wanted || (o.render.RPC != nil) != wanted {
			t.Errorf("%s: %v", line, ports)
		}
	}
	whole := rpcAnswer(1, rpcServices...)
	for n := range whole {
		if _, err := parseRPCPorts(whole[:n], nil); err == nil {
			t.Errorf("%d bytes of the answer: no error", n)
		}
	}
	if _, err := readRPCRecord(strings.NewReader("\xff\xff\xff\xff")); err == nil {
		t.Error("a record of 2 GiB is believed")
	}
}

// With -r, and without -n, RPC services are named as in ss, which asks rpcbind.
func TestRPCNames(t *testing.T) {
	p := peer(t)
	s := scene.New(t)
	dir := t.TempDir()
	rpcbind(t, dir, rpcServices...)
	if _, err := os.Stat(rpcFile); err != nil {
		t.Skip("needs /etc/rpc:", err)
	}
	// Where rpcbind listens is not up to us: a mount namespace in which that is our directory.
	const mounted = `mount --bind "$0" /run && exec "$@"`
	inside := func(argv ...string) result {
		return inNS(t, s.NetNS, nil, append([]string{"unshare", "-m", "sh", "-c", mounted, dir}, argv...)...)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if r := inside("true"); r.status != 0 {
		t.Skip("needs unshare -m:", r.stderr)
	}
	for _, line := range []string{"-tlr", "-uar", "-tanr", "-tl", "-tlr sport = rpc.mountd", "-tl sport = rpc.mountd", "-ur sport = rpc.nfs", "-tuar sport = rpc.mountd", "-tlr sport = rpc.nameless", "-tar src :rpc.mountd"} {
		got, want := peers.Agree(
			func() result { return inside("env", runAs+"="+line, exe) },
			func() result { return inside(append([]string{p}, split(line)...)...) })
		if want.stderr != "" || want.status != 0 {
			if got.status != want.status || !strings.HasPrefix(got.stderr, strings.SplitN(want.stderr, "\n", 2)[0]) {
				t.Errorf("%s: %+v\nwant %+v", line, got, want)
			}
			continue
		}
		if got != want {
			t.Errorf("%s: %s%s", line, got.stderr, firstDiff(got.stdout, want.stdout))
		}
		if line == "-tlr" && !strings.Contains(got.stdout, ":rpc.mountd") {
			t.Errorf("%s: no rpc.mountd\n%s", line, got.stdout)
		}
	}
}
