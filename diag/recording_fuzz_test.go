package diag

import (
	"bytes"
	"errors"
	"testing"
)

// FuzzReadAnswers: a recording of any bytes gives messages that stand in it, behind a request, and an error where it is cut off.
func FuzzReadAnswers(f *testing.F) {
	q := InetQuery{Protocol: MPTCP, Bytecode: []byte{1, 2, 3, 4}}
	for _, a := range append(q.asks(), UnixQuery{}.asks()...) {
		b := message(nil, uint16(a.typ), nlmFRequest|nlmFDump, 0, 0, a.data)
		f.Add(b)
		b = message(b, sockDiagByFamily, 2, 7, 9, rawInet{Family: 2, State: 1}.bytes(f))
		f.Add(message(b, nlmsgDone, 2, 7, 9, make([]byte, 4)))
		f.Add(b[:len(b)-5])
	}
	f.Add([]byte{15, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		n, failed := 0, false
		for a, err := range ReadAnswers(bytes.NewReader(b)) {
			if failed {
				t.Fatal("goes on after an error")
			}
			if failed = err != nil; failed {
				if _, ok := errors.AsType[*Error](err); !ok {
					t.Errorf("%#v", err)
				}
				continue
			}
			n++
			if !bytes.Contains(b, a.Message) || !bytes.Contains(b, a.Request) || a.Request == nil {
				t.Errorf("%+v is not in %x", a, b)
			}
			a.Family()
			ParseInet(a.Message, a.Protocol())
		}
		if n > len(b)/sizeofNlMsghdr {
			t.Errorf("%d messages in %d bytes", n, len(b))
		}
	})
}
