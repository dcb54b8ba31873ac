package netstat

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/diag"
)

// sock is a socket as the kernel would describe it.
type sock struct {
	proto          diag.Protocol
	family         diag.Family // 0: by the local address
	state          diag.State
	local, remote  string
	rq, wq         uint32
	uid, inode     uint32
	dev            uint32
	timer          diag.Timer
	retrans        uint8
	expires        time.Duration
	info           []byte
	locals, peers  []string
	v6only         []byte   // IPV6_V6ONLY, where the kernel tells of it
	mem            []uint32 // SK_MEMINFO_*
	fromProc       bool
	retr2, probes2 uint32 // what /proc has for it, where that is not in info
}

// build encodes the message and has package diag decode it.
func (k sock) build(t testing.TB) *diag.InetSocket {
	t.Helper()
	local, remote := netip.MustParseAddrPort(k.local), netip.MustParseAddrPort(k.remote)
	b := make([]byte, 72)
	b[0] = byte(k.fam())
	b[1], b[2], b[3] = byte(k.state), byte(k.timer), k.retrans
	binary.BigEndian.PutUint16(b[4:], local.Port())
	binary.BigEndian.PutUint16(b[6:], remote.Port())
	put := func(off int, a netip.Addr) {
		if k.fam() == diag.IPv6 {
			v := a.As16()
			copy(b[off:], v[:])
		} else {
			v := a.As4()
			copy(b[off:], v[:])
		}
	}
	put(8, local.Addr())
	put(24, remote.Addr())
	ne := binary.NativeEndian
	ne.PutUint32(b[40:], k.dev)
	ne.PutUint32(b[52:], uint32(k.expires/time.Millisecond))
	ne.PutUint32(b[56:], k.rq)
	ne.PutUint32(b[60:], k.wq)
	ne.PutUint32(b[64:], k.uid)
	ne.PutUint32(b[68:], k.inode)
	attr := func(typ diag.Attr, v []byte) {
		b = ne.AppendUint16(b, uint16(4+len(v)))
		b = ne.AppendUint16(b, uint16(typ))
		b = append(b, v...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	if k.info != nil {
		attr(diag.AttrInfo, k.info)
	}
	if k.locals != nil {
		attr(diag.AttrLocals, sockaddrs(k.locals))
	}
	if k.peers != nil {
		attr(diag.AttrPeers, sockaddrs(k.peers))
	}
	if k.v6only != nil {
		attr(diag.AttrSKV6Only, k.v6only)
	}
	if k.mem != nil {
		var v []byte
		for _, n := range k.mem {
			v = ne.AppendUint32(v, n)
		}
		attr(diag.AttrSKMemInfo, v)
	}
	s, err := diag.ParseInet(b, k.proto)
	if err != nil {
		t.Fatal(err)
	}
	if k.fromProc {
		s.Source = diag.FromProc
	}
	return s
}

func (k sock) fam() diag.Family {
	switch {
	case k.family != 0:
		return k.family
	case netip.MustParseAddrPort(k.local).Addr().Is4():
		return diag.IPv4
	}
	return diag.IPv6
}

// sockaddrs encodes struct sockaddr_storage.
func sockaddrs(list []string) (out []byte) {
	for _, a := range list {
		b := make([]byte, 128)
		ap := netip.MustParseAddrPort(a)
		binary.BigEndian.PutUint16(b[2:], ap.Port())
		if ap.Addr().Is4() {
			binary.NativeEndian.PutUint16(b, uint16(diag.IPv4))
			v := ap.Addr().As4()
			copy(b[4:], v[:])
		} else {
			binary.NativeEndian.PutUint16(b, uint16(diag.IPv6))
			v := ap.Addr().As16()
			copy(b[8:], v[:])
		}
		out = append(out, b...)
	}
	return out
}

// tcpInfo is a tcp_info with tcpi_retransmits and tcpi_probes.
func tcpInfo(retransmits, probes uint8) []byte {
	b := make([]byte, 280)
	b[2], b[3] = retransmits, probes
	return b
}

// services stands for an /etc/services.
func services(port uint16, proto string) (string, bool) {
	name, ok := map[string]string{
		"22/tcp": "ssh", "53/udp": "domain", "53/tcp": "domain", "1/raw": "icmp", "58/raw": "ipv6-icmp",
		"7000/tcp": "afs3-fileserver", "7001/tcp": "a-service-with-a-very-long-name",
		"17500/tcp": "eighteen-bytes-abc",
	}[itoa(port)+"/"+proto]
	return name, ok
}

func hosts(a netip.Addr) (string, bool) {
	name, ok := map[string]string{
		"127.0.0.1": "localhost", "::1": "ip6-localhost",
		"192.0.2.7": "a-host-with-a-long-name.example.com", "2001:db8::7": "six.example.com", "::ffff:192.0.2.7": "mapped.example.com", "192.0.2.8": "h",
	}[a.String()]
	return name, ok
}

func users(uid uint32) (string, bool) {
	name, ok := map[uint32]string{0: "root", 1000: "someone-with-a-long-name"}[uid]
	return name, ok
}

func itoa(n uint16) string { return string(appendNumber(nil, n)) }
