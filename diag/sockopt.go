package diag

// SockOpt is struct inet_diag_sockopt of linux/inet_diag.h: flags of the socket. Linux 5.10, the last three bits 6.2.
type SockOpt uint16

// Flags, in the order of the kernel's bit fields.
const (
	OptRecvErr SockOpt = 1 << iota
	OptIsICSK
	OptFreebind
	OptHdrIncl
	OptMCLoop
	OptTransparent
	OptMCAll
	OptNoDefrag
	OptBindAddressNoPort
	OptRecvErrRFC4884
	OptDeferConnect
)

// SockOpt returns the socket's flags. They come unasked.
func (s *InetSocket) SockOpt() (SockOpt, bool) {
	b, ok := s.Attr(AttrSockOpt)
	if !ok || len(b) < 2 {
		return 0, false
	}
	lo, hi := b[0], b[1]
	if bigEndian {
		lo, hi = reverse8(lo), reverse8(hi)
	}
	return SockOpt(lo) | SockOpt(hi)<<8, true
}

func reverse8(b byte) (r byte) {
	for range 8 {
		r, b = r<<1|b&1, b>>1
	}
	return r
}
