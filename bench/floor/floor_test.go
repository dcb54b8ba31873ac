package floor

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net"
	"os"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/check"
)

// As ss of iproute2 7.3 sends them: "ss -tani" (first family) and "ss -tnp 'sport = :1'" (second).
func TestRequest(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the recorded requests are from a little-endian host")
	}
	zeros := func(n int) string { return hex.EncodeToString(make([]byte, n)) }
	for _, tt := range []struct {
		name   string
		req    Request
		family uint8
		want   string
	}{
		{"tani", Request{Ext: 0xe, States: 0x3fff}, unix.AF_INET,
			"48000000" + "1400" + "0103" + zeros(8) + "02060e00" + "ff3f0000" + zeros(48)},
		{"sport", Request{States: 0x3b37, SourcePort: 1}, unix.AF_INET6,
			"5c000000" + "1400" + "0103" + zeros(8) + "0a060000" + "373b0000" + zeros(48) +
				"14000100" + "07101400" + "00000000" + "01000000" + "00000000"},
	} {
		if got := hex.EncodeToString(tt.req.append(nil, tt.family)); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func message(typ uint16, payload ...byte) []byte {
	b := make([]byte, sizeofNlMsghdr)
	binary.NativeEndian.PutUint32(b, uint32(sizeofNlMsghdr+len(payload)))
	binary.NativeEndian.PutUint16(b[4:], typ)
	return append(b, payload...)
}

func TestCount(t *testing.T) {
	errno := func(e int32) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(-e)) }
	one := message(sockDiagByFamily, make([]byte, 72)...)
	two := append(append([]byte{}, one...), one...)
	for _, tt := range []struct {
		name    string
		in      []byte
		sockets int
		done    bool
		err     error
	}{
		{"sockets", two, 2, false, nil},
		{"end", append(append([]byte{}, two...), message(unix.NLMSG_DONE, errno(0)...)...), 2, true, nil},
		{"end with error", message(unix.NLMSG_DONE, errno(int32(unix.ENOMEM))...), 0, true, unix.ENOMEM},
		{"error", message(unix.NLMSG_ERROR, errno(int32(unix.ENOENT))...), 0, true, os.ErrNotExist},
		{"cut", one[:40], 0, false, errMalformed},
		{"length 0", make([]byte, 16), 0, false, errMalformed},
		{"error without number", message(unix.NLMSG_ERROR), 0, false, errMalformed},
	} {
		sockets, done, err := count(tt.in)
		if sockets != tt.sockets || done != tt.done || !errors.Is(err, tt.err) || (err != nil) != (tt.err != nil) {
			t.Errorf("%s: %d, %v, %v", tt.name, sockets, done, err)
		}
	}
}

// namespace moves the test to a network namespace of its own, and its thread with it.
func namespace(t *testing.T) {
	t.Helper()
	runtime.LockOSThread() // never unlocked: the thread ends with the test, and the namespace with it
	if err := unix.Unshare(unix.CLONE_NEWNET); errors.Is(err, os.ErrPermission) {
		runtime.UnlockOSThread()
		t.Skipf("needs CAP_SYS_ADMIN to make a network namespace: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	if err := check.LoopbackUp(); err != nil {
		t.Fatal(err)
	}
}

// Every socket that the test made is one message, and no other.
func TestRun(t *testing.T) {
	namespace(t)
	const connections = 300 // more than one datagram's worth of sockets
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	six, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("needs IPv6: %v", err)
	}
	defer six.Close()
	var last net.Conn
	for range connections {
		c, err := net.Dial("tcp4", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		a, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		last = c
	}
	_, port, _ := net.SplitHostPort(last.LocalAddr().String())
	sport, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	const established, listen = 1 << unix.BPF_TCP_ESTABLISHED, 1 << unix.BPF_TCP_LISTEN
	for _, tt := range []struct {
		name string
		req  Request
		want int
	}{
		{"all", Request{States: 0x3fff}, 2*connections + 2},
		{"all with INFO", Request{Ext: 0xe, States: 0x3fff}, 2*connections + 2},
		{"established", Request{States: established}, 2 * connections},
		{"listening", Request{States: listen}, 2},
		{"one port", Request{States: established, SourcePort: uint16(sport)}, 1},
		{"no port", Request{States: established, SourcePort: 1}, 0},
	} {
		if got, err := Run(tt.req); err != nil || got != tt.want {
			t.Errorf("%s: %d sockets, %v; want %d", tt.name, got, err, tt.want)
		}
	}
}
