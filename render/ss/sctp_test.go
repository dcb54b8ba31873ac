package ss

import (
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

func TestSCTP(t *testing.T) {
	const info = " tag:1 state:COOKIE_ECHOED rwnd:3 unackdata:4 penddata:5 instrms:6 outstrms:7 inqueue:9 outqueue:10 overerr:11" +
		" maxburst:12 maxseg:13 prwnd:14 ptag:f pcapable:16 psack:17"
	const sock = " autoclose:46 adapind:47 pdpoint:48 nodelay:49 nofrag:50 v4mapped:51 fraginl:52"
	for _, tt := range []struct {
		name  string
		attrs []byte
		want  string
	}{
		{"locals", attr(diag.AttrLocals, sockaddr("192.0.2.1:5"), sockaddr("[2001:db8::1]:5")), " locals:192.0.2.1,2001:db8::1"},
		{"peers", attr(diag.AttrPeers, sockaddr("192.0.2.1:5")), " peers:192.0.2.1"},
		{"info", attr(diag.AttrInfo, sctpInfo(true)), info + sock},
		{"info of an older kernel", attr(diag.AttrInfo, sctpInfo(true)[:64]), info},
		{"info, all 0", attr(diag.AttrInfo, sctpInfo(false)), ""},
		{"order", join(attr(diag.AttrInfo, sctpInfo(true)), attr(diag.AttrPeers, sockaddr("192.0.2.2:5")),
			attr(diag.AttrLocals, sockaddr("192.0.2.1:5")), attr(diag.AttrSKMemInfo, 1, 2, 3, 4, 5, 6, 7, 8, 9)),
			" skmem:(r1,rb2,t3,tb4,f5,w6,o7,bl8,d9) locals:192.0.2.1 peers:192.0.2.2" + info + sock},
	} {
		m := message{proto: diag.SCTP, attrs: tt.attrs}
		if got := ext(t, Options{Info: true, OneLine: true}, m); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
}
