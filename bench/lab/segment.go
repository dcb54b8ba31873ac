package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	flagSYN = 0x02
	flagRST = 0x04
	flagACK = 0x10
)

// forger sends TCP segments without a connection, over a raw socket per family.
type forger struct {
	fd [2]int
}

func newForger(families [2]bool) (*forger, error) {
	f := &forger{fd: [2]int{-1, -1}}
	for i, want := range families {
		if !want {
			continue
		}
		// IPPROTO_RAW: the IP header comes from here (raw(7), ipv6(7)).
		fd, err := unix.Socket(family(i == 1), unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		if err != nil {
			return nil, fmt.Errorf("raw socket: %w", err)
		}
		f.fd[i] = fd
	}
	return f, nil
}

func (f *forger) close() {
	for _, fd := range f.fd {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// send sends one segment without data. Both addresses are of one family.
func (f *forger) send(src, dst *sockaddr, flags byte, seq, ack uint32) error {
	to := *dst
	to.setPort(0) // raw sockets take no port
	s, d := src.addr(), dst.addr()
	v6 := 0
	if s.Is6() {
		v6 = 1
	}
	var buf [60]byte
	b := appendSegment(buf[:0], netip.AddrPortFrom(s, src.port()), netip.AddrPortFrom(d, dst.port()), flags, seq, ack)
	return sendto(f.fd[v6], b, &to)
}

// appendSegment appends an IP and a TCP header (RFC 791, RFC 8200, RFC 9293).
func appendSegment(b []byte, src, dst netip.AddrPort, flags byte, seq, ack uint32) []byte {
	const size = 20
	var sum uint32
	add := func(p []byte) {
		for ; len(p) > 1; p = p[2:] {
			sum += uint32(p[0])<<8 | uint32(p[1])
		}
	}
	if s, d := src.Addr(), dst.Addr(); s.Is4() {
		b = append(b, 0x45, 0, 0, 20+size, 0, 0, 0x40, 0, 64, unix.IPPROTO_TCP, 0, 0) // the kernel adds the header's checksum
		s4, d4 := s.As4(), d.As4()
		b = append(append(b, s4[:]...), d4[:]...)
	} else {
		b = append(b, 0x60, 0, 0, 0, 0, size, unix.IPPROTO_TCP, 64)
		s16, d16 := s.As16(), d.As16()
		b = append(append(b, s16[:]...), d16[:]...)
	}
	// The pseudo header: both addresses, the protocol and the length.
	if n := len(b); src.Addr().Is4() {
		add(b[n-8:])
	} else {
		add(b[n-32:])
	}
	sum += unix.IPPROTO_TCP + size
	at := len(b)
	b = binary.BigEndian.AppendUint16(b, src.Port())
	b = binary.BigEndian.AppendUint16(b, dst.Port())
	b = binary.BigEndian.AppendUint32(b, seq)
	b = binary.BigEndian.AppendUint32(b, ack)
	b = append(b, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	add(b[at:])
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(b[at+16:], ^uint16(sum))
	return b
}

// refreshAfter is well below TCP_TIMEWAIT_LEN, the 60 s that a TIME_WAIT socket lives
// after its last segment (include/net/tcp.h).
const refreshAfter = 35 * time.Second

// keeper keeps TIME_WAIT sockets alive: any acknowledgment that does not fit, sent as if
// by the peer, starts the 60 s anew (tcp_timewait_state_process).
type keeper struct {
	forger *forger
	chunks []chunk
}

// chunk is TIME_WAIT sockets that were made together. They have one address pair
// and the peer's port in common.
type chunk struct {
	local, peer *sockaddr
	ports       []uint16 // local
	at          time.Time
}

// refresh does what is due.
func (k *keeper) refresh(now time.Time) error {
	for i := range k.chunks {
		c := &k.chunks[i]
		if now.Sub(c.at) < refreshAfter {
			continue
		}
		local := *c.local
		for _, p := range c.ports {
			local.setPort(p)
			if err := k.forger.send(c.peer, &local, flagACK, 1, 1); err != nil {
				return fmt.Errorf("refresh: %w", err)
			}
		}
		c.at = now
	}
	return nil
}

func sendto(fd int, b []byte, to *sockaddr) error {
	return os.NewSyscallError("sendto", rawSendto(fd, b, to))
}
