package lab

import (
	"encoding/binary"
	"net/netip"
)

// The addresses of a lab. Everything but the remote networks is local:
//
//	127.64.0.0/10, fd50:0:0:1::/64    workers' own listeners
//	10.64.0.0/10,  fd50:0:0:2::/64    clients of a server or proxy
//	198.18.0.1,    2001:db8::1        the host's own address
//	198.18.0.0/15, 2001:db8::/32      remote peers that never answer (RFC 2544, RFC 3849)
var (
	ownAddr   = [2]netip.Addr{netip.MustParseAddr("198.18.0.1"), netip.MustParseAddr("2001:db8::1")}
	remoteNet = [2]netip.Prefix{netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("2001:db8::/32")}
	anyIP     = [2]netip.Prefix{netip.MustParsePrefix("10.64.0.0/10"), netip.MustParsePrefix("fd50::/16")}
)

// Last parts of a worker's own addresses, by use; plain listeners and
// TIME_WAIT sockets count up from 1.
const (
	kPairs   = 250
	kMapped  = 251
	kBacklog = 252
	kBackend = 254
)

func v4(a, b byte, worker int, k byte) netip.Addr {
	return netip.AddrFrom4([4]byte{a, b + byte(worker>>8), byte(worker), k})
}

func v6(prefix uint64, worker, k int) netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], prefix)
	binary.BigEndian.PutUint32(b[8:12], uint32(worker))
	binary.BigEndian.PutUint32(b[12:], uint32(k))
	return netip.AddrFrom16(b)
}

// workerAddr is a listening address of one worker; k is 1 to 254.
func workerAddr(f, worker, k int) netip.Addr {
	if f == 1 {
		return v6(0xfd50_0000_0000_0001, worker, k)
	}
	return v4(127, 64, worker, byte(k))
}

// clients is how many source addresses a dialing worker uses in turn.
const clients = 250

// clientAddr is the source address of a worker's i-th connection.
func clientAddr(f, worker, i int) netip.Addr {
	k := 1 + i%clients
	if f == 1 {
		return v6(0xfd50_0000_0000_0002, worker, k)
	}
	return v4(10, 64, worker, byte(k))
}

// remoteAddr is the i-th peer, 0 to 59,999, that does not answer a worker.
func remoteAddr(f, worker, i int) netip.AddrPort {
	// The IPv4 network has room for 512 workers at one last part, so others follow.
	a := v4(198, 18, worker%512, byte(2+worker/512))
	if f == 1 {
		a = v6(0x2001_0db8_0000_0001, worker, 2)
	}
	return netip.AddrPortFrom(a, uint16(1024+i))
}
