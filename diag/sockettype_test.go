package diag

import "testing"

func TestSocketTypeString(t *testing.T) {
	for typ, want := range map[SocketType]string{
		SockStream: "STREAM", SockDgram: "DGRAM", SockRaw: "RAW", SockRDM: "RDM", SockSeqpacket: "SEQPACKET", 0: "TYPE_0", 10: "TYPE_10",
	} {
		if got := typ.String(); got != want {
			t.Errorf("%d: %q, want %q", uint8(typ), got, want)
		}
	}
}
