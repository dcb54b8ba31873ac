package diag

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// FuzzTCPInfo: a tcp_info of any length has the members that lie in it whole, as a longer one has them, and no others.
func FuzzTCPInfo(f *testing.F) {
	for _, n := range []int{0, 1, 7, 8, 104, 192, 232, 280, 300} {
		f.Add(ramp(n), uint16(n/2))
	}
	f.Fuzz(func(t *testing.T, b []byte, cut uint16) {
		b = b[:min(len(b), 4096)]
		var whole, part TCPInfo
		short := b[:min(int(cut), len(b))]
		whole.set(b)
		part.set(short)
		w, p := reflect.ValueOf(&whole).Elem(), reflect.ValueOf(&part).Elem()
		for i := range w.NumField() {
			f := w.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			end := int(f.Offset + f.Type.Size())
			var has bool
			switch v := p.Field(i).Addr().Interface().(type) {
			case *uint8:
				has = Has(&part, v)
			case *uint16:
				has = Has(&part, v)
			case *uint32:
				has = Has(&part, v)
			case *uint64:
				has = Has(&part, v)
			default:
				t.Fatalf("%s is a %T", f.Name, v)
			}
			if has != (end <= len(short)) {
				t.Errorf("%s of %d bytes: has %v", f.Name, len(short), has)
			}
			if has && p.Field(i).Uint() != w.Field(i).Uint() {
				t.Errorf("%s of %d bytes is %d, of %d %d", f.Name, len(short), p.Field(i).Uint(), len(b), w.Field(i).Uint())
			}
			if !has && int(f.Offset) >= len(short) && p.Field(i).Uint() != 0 {
				t.Errorf("%s of %d bytes is %d out of nothing", f.Name, len(short), p.Field(i).Uint())
			}
		}
	})
}

// FuzzUnknownAttributes: attributes of kernels to come change nothing, wherever they stand.
func FuzzUnknownAttributes(f *testing.F) {
	msg := appendAttr(rawInet{Family: 10, State: 1, Inode: 7}.bytes(f), uint16(AttrInfo), ramp(232))
	f.Add(msg, uint16(500), []byte("new"))
	f.Add(appendAttr(msg, uint16(AttrShutdown), []byte{3}), uint16(attrMax), []byte{})
	f.Add(appendAttr(msg, uint16(AttrSockOpt), []byte{3, 0}), uint16(0x3fff), ramp(100))
	f.Fuzz(func(t *testing.T, b []byte, typ uint16, v []byte) {
		typ = typ & 0x3fff
		v = v[:min(len(v), 1000)]
		b = b[:min(len(b), 16<<10)]
		if int(typ) < int(attrMax) || len(b)%4 != 0 { // known; or less than an attribute at the end
			return
		}
		want, err := ParseInet(b, TCP)
		if err != nil {
			return
		}
		behind := appendAttr(b[:len(b):len(b)], typ, v)
		before := appendAttr(bytes.Clone(b[:sizeofInetDiagMsg]), typ, v)
		before = append(before, b[sizeofInetDiagMsg:]...)
		for _, m := range [][]byte{behind, before} {
			got, err := ParseInet(m, TCP)
			if err != nil {
				t.Fatalf("attribute %d of %d bytes: %v", typ, len(v), err)
			}
			if got.have != want.have || got.Inode != want.Inode || got.Local != want.Local {
				t.Errorf("attributes %#x, want %#x", got.have, want.have)
			}
			for a := range attrMax {
				x, _ := want.Attr(Attr(a))
				if y, _ := got.Attr(Attr(a)); !bytes.Equal(x, y) {
					t.Errorf("attribute %d is %x, want %x", a, y, x)
				}
			}
		}
	})
}

// FuzzTables: tables that were copied from /proc/net. No row is made of what is none, and what could not be read is said.
func FuzzTables(f *testing.F) {
	f.Add("head\n0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/x\n0: 3 0 0 1 3 1\n", "")
	f.Add("sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode\n0000000000000000 0   1234 00000011 0 0 0 2 0 77\n", "x\n")
	f.Add("sk RefCnt Type Proto Iface R Rmem User Inode\n0000000000000000 3 3 0003 2 1 0 0 99\n", "0: 1 2 3")
	f.Fuzz(func(t *testing.T, text, more string) {
		b := []byte(text + more)
		rows := bytes.Count(b, []byte("\n")) + 1
		n, failed := 0, 0
		see := func(source Source, err error) {
			if err != nil {
				if failed++; !errors.Is(err, ErrPartial) {
					t.Errorf("%v is not partial", err)
				}
				return
			}
			if n++; source != FromProc {
				t.Error("a row that is not from /proc")
			}
		}
		for _, run := range []func(){
			func() {
				for s, err := range ReadUnix(bytes.NewReader(b)) {
					if err != nil {
						see(0, err)
						continue
					}
					see(s.Source, nil)
					s.Name()
					s.Queues()
					s.Clone()
				}
			},
			func() {
				for s, err := range ReadNetlink(bytes.NewReader(b)) {
					if err != nil {
						see(0, err)
						continue
					}
					see(s.Source, nil)
					s.Groups(nil)
					s.Queues()
					s.Proc()
				}
			},
			func() {
				for s, err := range ReadPacket(bytes.NewReader(b)) {
					if err != nil {
						see(0, err)
						continue
					}
					see(s.Source, nil)
					s.Info()
					s.Queue()
					s.UID()
				}
			},
		} {
			n, failed = 0, 0
			run()
			if n > rows || failed > 1 {
				t.Errorf("%d rows and %d errors of %d lines", n, failed, rows)
			}
		}
	})
}

// FuzzSockstat: the count of TCP sockets is one that stands in the files.
func FuzzSockstat(f *testing.F) {
	f.Add("sockets: used 1\nTCP: inuse 5 orphan 0 tw 2 alloc 9 mem 1\n", "TCP6: inuse 3\n")
	f.Add("TCP: inuse", "TCP6:\nTCP6: inuse x tw -4")
	f.Add("TCP: inuse 99999999999999999999\n", "")
	proc := f.TempDir()
	dir := filepath.Join(proc, "thread-self", "net")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		f.Fatal(err)
	}
	c := &Conn{cfg: Config{Proc: proc}}
	f.Fuzz(func(t *testing.T, v4, v6 string) {
		for name, text := range map[string]string{"sockstat": v4, "sockstat6": v6} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		n, ok := c.CountTCP()
		if !ok && n != 0 || n < 0 {
			t.Errorf("%d, %v of %q and %q", n, ok, v4, v6)
		}
	})
}

// FuzzStatus: what NLMSG_ERROR and NLMSG_DONE say is an error where the errno is not 0, and words that stand in the message.
func FuzzStatus(f *testing.F) {
	f.Add(append(native(f, int32(-22)), make([]byte, 16)...), uint16(nlmFAckTLVs|nlmFCapped), true)
	f.Add(native(f, int32(-105)), uint16(0), false)
	f.Add(appendAttr(append(native(f, int32(-22)), make([]byte, 16)...), nlmsgErrAttrMsg, []byte("words\x00")), uint16(nlmFAckTLVs|nlmFCapped), true)
	f.Fuzz(func(t *testing.T, p []byte, flags uint16, isError bool) {
		typ := uint16(nlmsgDone)
		if isError {
			typ = nlmsgError
		}
		words, err := status(append(make([]byte, sizeofNlMsghdr), p...), typ, flags)
		switch {
		case len(p) >= 4 && (binary.NativeEndian.Uint32(p) != 0) != (err != nil):
			t.Errorf("%x: %v", p, err)
		case !bytes.Contains(p, []byte(words)):
			t.Errorf("%x: words %q", p, words)
		case len(p) < 4 && isError && err == nil:
			t.Error("an error that is cut off is none")
		}
	})
}
