package lab

import (
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

func workerPort(f int, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(workerAddr(f, 0, 1), port)
}

func TestSockaddr(t *testing.T) {
	for _, s := range []string{"127.0.0.1:80", "[fd50::1:2]:65535", "0.0.0.0:0"} {
		ap := netip.MustParseAddrPort(s)
		sa := newSockaddr(ap)
		if sa.addr() != ap.Addr() || sa.port() != ap.Port() {
			t.Errorf("%s came back as %s port %d", ap, sa.addr(), sa.port())
		}
		sa.setPort(0x1234)
		if sa.port() != 0x1234 || sa.addr() != ap.Addr() {
			t.Errorf("%s with a new port is %s port %d", ap, sa.addr(), sa.port())
		}
	}
}

func TestAcceptTellsThePeer(t *testing.T) {
	inNamespace(t, func(*worker) error {
		for f := range 2 {
			lfd, err := listen(workerPort(f, 7), 4, false)
			if err != nil {
				return err
			}
			fd, err := stream(f == 1, 0)
			if err != nil {
				return err
			}
			want := netip.AddrPortFrom(clientAddr(f, 3, 4), 2345)
			if err := bind(fd, newSockaddr(want)); err != nil {
				return err
			}
			if err := connect(fd, newSockaddr(workerPort(f, 7))); err != nil {
				return err
			}
			var peer sockaddr
			got, err := accept(lfd, &peer)
			if err != nil {
				return err
			}
			if ap := netip.AddrPortFrom(peer.addr(), peer.port()); ap != want {
				t.Errorf("peer %s, want %s", ap, want)
			}
			if l, err := unix.GetsockoptLinger(got, unix.SOL_SOCKET, unix.SO_LINGER); err != nil || l.Onoff != 1 || l.Linger != 0 {
				t.Errorf("an accepted socket has linger %+v, %v: it would not be reset", l, err)
			}
		}
		return nil
	})
}

func TestVanished(t *testing.T) {
	inNamespace(t, func(*worker) error {
		for f := range 2 {
			fd, err := vanished(newSockaddr(netip.AddrPortFrom(ownAddr[f], 443)), newSockaddr(remoteAddr(f, 1, 2)), f == 1)
			if err != nil {
				return err
			}
			info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
			if err != nil {
				return err
			}
			if info.State != 1 || info.Unacked != 1 {
				t.Errorf("state %d with %d segments unacknowledged, want 1 (ESTABLISHED) with 1", info.State, info.Unacked)
			}
		}
		return nil
	})
}

func TestSocketErrorsNameTheCall(t *testing.T) {
	inNamespace(t, func(*worker) error {
		fd, err := stream(false, 0)
		if err != nil {
			return err
		}
		if err := connect(fd, newSockaddr(workerPort(0, 1))); !errors.Is(err, unix.ECONNREFUSED) || err.Error() != "connect: connection refused" {
			t.Errorf("got %v", err)
		}
		if _, err := listen(netip.MustParseAddrPort("192.0.2.1:1"), 1, false); !errors.Is(err, unix.EADDRNOTAVAIL) {
			t.Errorf("got %v", err)
		}
		return nil
	})
}
