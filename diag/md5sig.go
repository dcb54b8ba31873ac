package diag

import (
	"encoding/binary"
	"iter"
	"net/netip"
)

// MD5Sig is one key of TCP_MD5SIG (struct tcp_diag_md5sig of linux/tcp.h). Linux 4.14, CAP_NET_ADMIN.
type MD5Sig struct {
	Prefix netip.Prefix // peers that it is for
	Key    []byte       // 1 to 80 bytes, borrowed
}

// MD5Sigs returns the keys of TCP_MD5SIG. Asked for by ExtInfo.
func (s *InetSocket) MD5Sigs() iter.Seq[MD5Sig] {
	const size = 100
	return func(yield func(MD5Sig) bool) {
		b, _ := s.Attr(AttrMD5Sig)
		for ; len(b) >= size; b = b[size:] {
			addr := netip.AddrFrom16([16]byte(b[4:]))
			if Family(b[0]) == IPv4 {
				addr = netip.AddrFrom4([4]byte(b[4:]))
			}
			n := min(int(binary.NativeEndian.Uint16(b[2:])), 80)
			if !yield(MD5Sig{netip.PrefixFrom(addr, int(b[1])), b[20 : 20+n]}) {
				return
			}
		}
	}
}
