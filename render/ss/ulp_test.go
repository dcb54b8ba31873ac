package ss

import (
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

func join(b ...[]byte) (all []byte) {
	for _, x := range b {
		all = append(all, x...)
	}
	return all
}

func TestMD5(t *testing.T) {
	for _, tt := range []struct {
		name string
		sigs []byte
		want string
	}{
		{"key", md5sig("10.0.0.1/32", "secret"), " md5keys:10.0.0.1/32=secret"},
		{"what is escaped", md5sig("10.0.0.0/24", "a key,\\\x7f\x80\xff\t\"~"), ` md5keys:10.0.0.0/24=a\040key\054\134\177\200\377\011"~`},
		{"several", join(md5sig("10.0.0.1/32", "k1"), md5sig("fe80::1/128", "k2"), md5sig("fe80::/64", "k3")),
			" md5keys:10.0.0.1/32=k1,fe80::1/128=k2,fe80::/64=k3"},
		{"none", nil, ""},
		{"half a one", md5sig("10.0.0.1/32", "k1")[:50], ""},
	} {
		m := message{attrs: attr(diag.AttrMD5Sig, tt.sigs)}
		if got := ext(t, Options{Memory: true, OneLine: true}, m); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestULP(t *testing.T) {
	tls := func(b ...[]byte) []byte { return join(attr(1, "tls"), attr(2, join(b...))) }
	mptcp := func(b ...[]byte) []byte { return join(attr(1, "mptcp"), attr(3, join(b...))) }
	tokens := [][]byte{attr(1, 0xabc), attr(2, 0x12345678), attr(9, uint8(1)), attr(10, uint8(2))}
	for _, tt := range []struct {
		name string
		ulp  []byte
		want string
	}{
		{"name", attr(1, "smc"), " tcp-ulp-smc"},
		{"tls, nothing set up", attr(1, "tls"), " tcp-ulp-tls"},
		{"tls 1.2", tls(attr(1, uint16(0x303)), attr(2, uint16(51)), attr(3, uint16(1)), attr(4, uint16(2))),
			" tcp-ulp-tls version: 1.2 cipher: aes-gcm-128 rxconf: sw txconf: none"},
		{"tls 1.3", tls(attr(1, uint16(0x304)), attr(2, uint16(52)), attr(3, uint16(3)), attr(4, uint16(4)), attr(5), attr(6)),
			" tcp-ulp-tls version: 1.3 cipher: aes-gcm-256 rxconf: hw-record txconf: hw zc_ro_tx no_pad_rx"},
		{"tls, numbers that ss has no word for", tls(attr(1, uint16(0x302)), attr(2, uint16(53)), attr(3, uint16(9)), attr(4, uint16(5))),
			" tcp-ulp-tls version: unknown(770) rxconf: unknown(5) txconf: unknown(9)"},
		{"subflow", mptcp(join(tokens...), attr(8, 0x1ff), attr(3, 9), attr(4, uint64(1<<63)), attr(5, 4), attr(6, 5), attr(7, uint16(6))),
			" tcp-ulp-mptcp flags:MmJjBbecv token:0abc(id:1)/12345678(id:2) seq:9223372036854775808 sfseq:4 ssnoff:5 maplen:6"},
		{"subflow, flags", mptcp(attr(8, 1<<2|1<<8)), " tcp-ulp-mptcp flags:Jv"},
		{"subflow, no flags", mptcp(attr(8, 0)), " tcp-ulp-mptcp"},
		{"subflow, zeros that were told", mptcp(attr(4, uint64(0)), attr(5, 0), attr(6, 0), attr(7, uint16(0))),
			" tcp-ulp-mptcp seq:0 sfseq:0 ssnoff:0 maplen:0"},
		{"subflow, tokens without ids", mptcp(attr(1, 1), attr(2, 2)), " tcp-ulp-mptcp"},
	} {
		m := message{attrs: attr(diag.AttrULPInfo, tt.ulp)}
		if got := ext(t, Options{Memory: true, OneLine: true}, m); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestULPBehindKeys(t *testing.T) {
	m := message{attrs: join(attr(diag.AttrULPInfo, attr(1, "tls")), attr(diag.AttrMD5Sig, md5sig("10.0.0.1/32", "k")))}
	if got, want := ext(t, Options{Info: true, OneLine: true}, m), " md5keys:10.0.0.1/32=k tcp-ulp-tls"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
