package scene

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// A TLSSocket is the truth about a TCP socket with kernel TLS: what its records are protected by, each way.
type TLSSocket struct {
	Name            string
	Inode           uint32
	FD              int
	Version, Cipher uint16 // 0: no keys were given
	TX, RX          bool   // keys were given
	NoPad           bool   // TLS_RX_EXPECT_NO_PAD; Linux 6.0
}

// Names of linux/tls.h.
const (
	tlsTX          = 1
	tlsRX          = 2
	tlsExpectNoPad = 4

	tls12 = 0x303
	tls13 = 0x304
)

// tlsCiphers are the sizes of key, salt and iv in struct tls12_crypto_info_*, by TLS_CIPHER_*.
var tlsCiphers = []struct {
	cipher        uint16
	name          string
	key, salt, iv int
}{
	{51, "aes-gcm-128", 16, 4, 8},
	{52, "aes-gcm-256", 32, 4, 8},
	{53, "aes-ccm-128", 16, 4, 8},
	{54, "chacha20-poly1305", 32, 0, 12},
	{55, "sm4-gcm", 16, 4, 8},
	{56, "sm4-ccm", 16, 4, 8},
	{57, "aria-gcm-128", 16, 4, 8},
	{58, "aria-gcm-256", 32, 4, 8},
}

// cryptoInfo encodes struct tls12_crypto_info_*. The keys are zeros: nothing is sent.
func cryptoInfo(version uint16, c int) []byte {
	b := binary.NativeEndian.AppendUint16(nil, version)
	b = binary.NativeEndian.AppendUint16(b, tlsCiphers[c].cipher)
	return append(b, make([]byte, tlsCiphers[c].iv+tlsCiphers[c].key+tlsCiphers[c].salt+8)...)
}

// tls makes connections with kernel TLS: every cipher that the kernel has in both versions, and keys for one direction only.
func (b *familyBuilder) tls() {
	lfd := b.listenQuiet(unix.AF_INET, "127.0.0.1:4433", 32)
	b.note("tls listener", TCP, lfd, Listen, backlog(32))
	port := 44330
	connect := func() (cfd, sfd int) {
		port++
		cfd = b.socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		b.connect(cfd, unix.AF_INET, fmt.Sprintf("127.0.0.1:%d", port), "127.0.0.1:4433")
		return cfd, b.accept(lfd)
	}
	cfd, sfd := connect()
	need("TCP_ULP tls", unix.SetsockoptString(cfd, unix.IPPROTO_TCP, unix.TCP_ULP, "tls"))
	b.noteTLS(TLSSocket{Name: "tls without keys", FD: cfd})
	b.noteTLS(TLSSocket{Name: "no tls", FD: sfd})

	for c := range tlsCiphers {
		name := tlsCiphers[c].name
		for _, version := range []uint16{tls12, tls13} {
			cfd, sfd := connect()
			info := cryptoInfo(version, c)
			ulp := func(fd int) { check("TCP_ULP tls", unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_ULP, "tls")) }
			ulp(cfd)
			ulp(sfd)
			if err := setBytes(cfd, unix.SOL_TLS, tlsTX, info); err != nil {
				if err == unix.EINVAL || err == unix.EOPNOTSUPP { // ARIA has no TLS 1.3; others are not built
					err = unix.ENOENT
				}
				b.miss(fmt.Sprintf("kernel TLS with %s of version %#x", name, version), err)
				// Without a TIME-WAIT.
				check("linger", unix.SetsockoptLinger(cfd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
				b.drop(cfd)
				b.drop(sfd)
				continue
			}
			check("TLS_RX", setBytes(cfd, unix.SOL_TLS, tlsRX, info))
			name := fmt.Sprintf("tls %s %#x", name, version)
			client := TLSSocket{Name: name + " client", FD: cfd, Version: version, Cipher: tlsCiphers[c].cipher, TX: true, RX: true}
			server := TLSSocket{Name: name + " server", FD: sfd, Version: version, Cipher: tlsCiphers[c].cipher}
			// One direction only, in turn.
			if server.TX = c%2 == 0; server.TX {
				check("TLS_TX", setBytes(sfd, unix.SOL_TLS, tlsTX, info))
			} else {
				check("TLS_RX", setBytes(sfd, unix.SOL_TLS, tlsRX, info))
				server.RX = true
			}
			if c == 0 {
				client.NoPad = version == tls13 && unix.SetsockoptInt(cfd, unix.SOL_TLS, tlsExpectNoPad, 1) == nil
			}
			b.noteTLS(client)
			b.noteTLS(server)
		}
	}
}

func (b *familyBuilder) noteTLS(s TLSSocket) {
	s.Inode = must(inodeOf(s.FD))
	b.note(s.Name, TCP, s.FD, Established)
	b.f.TLS = append(b.f.TLS, s)
}
