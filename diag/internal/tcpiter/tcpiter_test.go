package tcpiter

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/check"
	"github.com/sockeye-tools/sockeye/internal/release"
)

const (
	established = 1
	listen      = 10
)

// rows reads all sockets into b, and returns family and state of each.
func rows(t *testing.T, states uint32, family uint16, b []byte) (got [][2]byte) {
	t.Helper()
	r, err := Open(states, family, func(walk func() error) error { return walk() })
	if errors.Is(err, unix.EPERM) {
		t.Skipf("needs CAP_BPF and CAP_PERFMON: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		n, err := r.Read(t.Context(), b)
		if n%RowSize != 0 || n == 0 && err == nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
		for m := b[:n]; len(m) > 0; m = m[RowSize:] {
			if size := binary.NativeEndian.Uint32(m); size != RowSize {
				t.Fatalf("a row of %d bytes", size)
			}
			got = append(got, [2]byte{m[16], m[17]})
		}
		if err == io.EOF {
			slices.SortFunc(got, func(a, b [2]byte) int { return slices.Compare(a[:], b[:]) })
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Sockets of the wanted states and family come, and those of the thread's namespace alone.
func TestReader(t *testing.T) {
	if release.Running() < release.Of(6, 18) {
		t.Skip("needs Linux 6.18 for sk_ino")
	}
	runtime.LockOSThread() // the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("needs CAP_SYS_ADMIN for a network namespace: %v", err)
	}
	if err := check.LoopbackUp(); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		family := unix.AF_INET
		addr := l.Addr().(*net.TCPAddr)
		var to unix.Sockaddr = &unix.SockaddrInet4{Port: addr.Port, Addr: [4]byte{127, 0, 0, 1}}
		if at[0] == '[' {
			family, to = unix.AF_INET6, &unix.SockaddrInet6{Port: addr.Port, Addr: [16]byte{15: 1}}
		}
		fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		if err := unix.Connect(fd, to); err != nil {
			t.Fatal(err)
		}
		far, err := l.Accept() // connect(2) returns before the last segment of the handshake is there
		if err != nil {
			t.Fatal(err)
		}
		defer far.Close()
	}
	const v4, v6 = unix.AF_INET, unix.AF_INET6
	for _, tt := range []struct {
		states uint32
		family uint16
		want   [][2]byte
	}{
		{^uint32(0), 0, [][2]byte{{v4, established}, {v4, established}, {v4, listen}, {v6, established}, {v6, established}, {v6, listen}}},
		{1 << listen, 0, [][2]byte{{v4, listen}, {v6, listen}}},
		{1 << established, v6, [][2]byte{{v6, established}, {v6, established}}},
		{1 << 2, 0, nil},
	} {
		for _, size := range []int{RowSize, 1000, 32 << 10} {
			if got := rows(t, tt.states, tt.family, make([]byte, size)); !slices.Equal(got, tt.want) {
				t.Errorf("states %#x, family %d, buffer of %d: %v, want %v", tt.states, tt.family, size, got, tt.want)
			}
		}
	}
}

func TestTicks(t *testing.T) {
	hz, err := ticks()
	if err != nil || !slices.Contains([]uint32{24, 32, 48, 64, 100, 128, 200, 250, 256, 300, 500, 512, 1000, 1024, 1200}, hz) {
		t.Errorf("%d ticks a second, %v: no kernel is configured so", hz, err)
	}
}
