package diag

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"syscall"
	"testing"
)

// message appends a netlink message with the given payload.
func message(b []byte, typ, flags uint16, seq, pid uint32, payload []byte) []byte {
	ne := binary.NativeEndian
	b = ne.AppendUint32(b, uint32(sizeofNlMsghdr+len(payload)))
	b = ne.AppendUint16(b, typ)
	b = ne.AppendUint16(b, flags)
	b = ne.AppendUint32(b, seq)
	b = ne.AppendUint32(b, pid)
	b = append(b, payload...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// kinds are what the kernel sends of a TCP connection, by what is asked for.
var kinds = []struct {
	name string
	ext  Ext
}{
	{"plain", 0},
	{"tcpinfo", ExtInfo},
	{"all", 0xff},
}

// datagram fills a batch with connections as Linux 6.18 sends them, and returns how many there are.
func datagram(ext Ext) (*Batch, int) {
	payload := make([]byte, sizeofInetDiagMsg)
	payload[offFamily], payload[offState] = byte(IPv4), byte(Established)
	add := func(a Attr, n int) { payload = appendAttr(payload, uint16(a), make([]byte, n)) }
	if ext&ExtMemInfo != 0 {
		add(AttrMemInfo, 16)
		add(AttrSKMemInfo, 36)
	}
	if ext&ExtInfo != 0 {
		add(AttrInfo, sizeofTCPInfo)
	}
	add(AttrShutdown, 1)
	if ext&ExtTOS != 0 {
		add(AttrTOS, 1)
		add(AttrTClass, 1)
		add(AttrClassID, 4)
		add(AttrCong, 6)
		add(AttrBBRInfo, 20)
	}
	add(AttrMark, 4)
	add(AttrCgroupID, 8)
	add(AttrSockOpt, 2)
	b := newBatch()
	b.proto = TCP
	n := 0
	var d []byte
	for len(d)+sizeofNlMsghdr+len(payload) < batchSize {
		d = message(d, sockDiagByFamily, 2, 1, 1, payload)
		n++
	}
	b.n = copy(b.buf, d)
	return b, n
}

var sink struct {
	info TCPInfo
	n    int
}

func BenchmarkDecode(b *testing.B) {
	for _, k := range kinds {
		b.Run(k.name, func(b *testing.B) {
			batch, n := datagram(k.ext)
			b.ReportAllocs()
			rounds := 0
			for b.Loop() {
				for s := range batch.Inet() {
					sink.n += int(s.Inode)
					if k.ext != 0 && s.TCPInfo(&sink.info) {
						sink.n += int(sink.info.RTT)
					}
				}
				rounds++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rounds*n), "ns/socket")
		})
	}
}

// scanned copies a datagram into a batch and scans it, as once does.
func scanned(b *Batch, d []byte, seq, pid uint32) end {
	return b.scan(copy(b.buf, d), seq, pid)
}

func TestScanPicksMessages(t *testing.T) {
	sock := func(inode uint32) []byte { return rawInet{Family: 2, State: 1, Inode: inode}.bytes(t) }
	var d []byte
	d = message(d, 20, 2, 7, 9, sock(1))
	d = message(d, 20, 2, 8, 9, sock(2))         // answers another request
	d = message(d, 20, 2, 7, 10, sock(3))        // for another socket
	d = message(d, nlmsgNoop, 2, 7, 9, []byte{}) // skipped
	d = message(d, 20, 2|nlmFDumpIntr, 7, 9, sock(4))
	d = message(d, 20, 2, 7, 9, sock(5)[:71])                                                // cut off
	d = message(d, 20, 2, 7, 9, append(sock(6), native(t, uint16(99), uint16(5))...))        // an attribute lies
	d = message(d, nlmsgDone, 2, 8, 9, native(t, int32(-12)))                                // the end of another dump
	d = message(d, 20, 2, 7, 9, append(appendAttr(sock(7), 5, []byte{3})[:77], 0, 0, 0, 99)) // odd length, no attribute behind it
	b := newBatch()
	for range 2 { // a batch is used again
		e := scanned(b, d, 7, 9)
		if e.done || e.err != nil || !e.interrupted {
			t.Errorf("%+v", e)
		}
		var inodes []uint32
		for s := range b.Inet() {
			inodes = append(inodes, s.Inode)
		}
		if !slices.Equal(inodes, []uint32{1, 4, 7}) || b.Broken() != 2 {
			t.Errorf("inodes %v and %d broken, want 1 4 7 and 2", inodes, b.Broken())
		}
	}
}

func TestScanEnds(t *testing.T) {
	sock := message(nil, 20, 2, 7, 9, rawInet{Family: 2, State: 1}.bytes(t))
	after := func(m []byte) []byte { return append(slices.Clone(sock), m...) }
	tlv := appendAttr(nil, nlmsgErrAttrMsg, []byte("a kernel's word\x00"))
	request := message(nil, 20, 0x301, 7, 9, make([]byte, 57)) // its payload is padded in the answer
	errorOf := func(flags uint16, errno int32, behind ...[]byte) []byte {
		return message(nil, nlmsgError, flags, 7, 9, append(native(t, errno), bytes.Join(behind, nil)...))
	}
	broken := &MessageError{}
	for _, tt := range []struct {
		name  string
		d     []byte
		socks int
		done  bool
		err   error
		msg   string
	}{
		{"nothing", nil, 0, false, nil, ""},
		{"sockets", sock, 1, false, nil, ""},
		{"done", after(message(nil, nlmsgDone, 2, 7, 9, native(t, int32(0)))), 1, true, nil, ""},
		{"done without a payload", after(message(nil, nlmsgDone, 2, 7, 9, nil)), 1, true, nil, ""},
		{"done with an errno", after(message(nil, nlmsgDone, 2, 7, 9, native(t, int32(-12)))), 1, true, syscall.ENOMEM, ""},
		{"done with words", message(nil, nlmsgDone, 2|nlmFAckTLVs, 7, 9, append(native(t, int32(-22)), tlv...)), 0, true, syscall.EINVAL, "a kernel's word"},
		{"nothing behind done", append(message(nil, nlmsgDone, 2, 7, 9, native(t, int32(0))), sock...), 0, true, nil, ""},
		{"error", after(errorOf(0, -2, request)), 1, true, syscall.ENOENT, ""},
		{"error of 0", errorOf(0, 0, request), 0, true, nil, ""},
		{"error with words", errorOf(nlmFAckTLVs, -22, request, tlv), 0, true, syscall.EINVAL, "a kernel's word"},
		{"error with words, capped", errorOf(nlmFAckTLVs|nlmFCapped, -22, request[:16], tlv), 0, true, syscall.EINVAL, "a kernel's word"},
		{"error that promises words", errorOf(nlmFAckTLVs, -22), 0, true, syscall.EINVAL, ""},
		{"error with a lying request", errorOf(nlmFAckTLVs, -22, native(t, uint32(1<<32-1)), tlv), 0, true, syscall.EINVAL, ""},
		{"error without an errno", message(nil, nlmsgError, 0, 7, 9, []byte{1, 2}), 0, true, broken, ""},
		{"overrun", after(message(nil, nlmsgOverrun, 0, 7, 9, nil)), 1, true, syscall.ENOBUFS, ""},
		{"short header", append(after(nil), 1, 2, 3), 1, true, broken, ""},
		{"length below the header", after(native(t, uint32(15), uint16(20), uint16(2), uint32(7), uint32(9))), 1, true, broken, ""},
		{"length of 0", after(make([]byte, 16)), 1, true, broken, ""},
		{"length beyond the datagram", after(native(t, uint32(17), uint16(20), uint16(2), uint32(7), uint32(9))), 1, true, broken, ""},
		{"length of 4 GiB", after(native(t, uint32(1<<32-1), uint16(20), uint16(2), uint32(7), uint32(9))), 1, true, broken, ""},
	} {
		b := newBatch()
		e := scanned(b, tt.d, 7, 9)
		n := 0
		for range b.Inet() {
			n++
		}
		if n != tt.socks || b.Broken() != 0 {
			t.Errorf("%s: %d sockets, %d broken, want %d", tt.name, n, b.Broken(), tt.socks)
		}
		_, isBroken := errors.AsType[*MessageError](e.err)
		if e.done != tt.done || e.msg != tt.msg || isBroken != (tt.err == broken) || !isBroken && e.err != tt.err {
			t.Errorf("%s: %+v, want done %v, %v, %q", tt.name, e, tt.done, tt.err, tt.msg)
		}
	}
}

func TestBatchPoolRecycles(t *testing.T) {
	var p BatchPool
	b := p.get()
	if len(b.buf) != 32<<10 {
		t.Errorf("a batch holds %d bytes, netlink_dump sends up to 32 KiB", len(b.buf))
	}
	b.proto, b.lost, b.socks = UDP, 3, make([]InetSocket, 2)
	b.reset(TCP)
	if b.proto != TCP || b.lost != 0 || len(b.socks) != 0 {
		t.Errorf("%+v is left over", b)
	}
	p.Put(b)
	var none *BatchPool
	if none.get() == nil {
		t.Error("no batch without a pool")
	}
}

func FuzzScan(f *testing.F) {
	sock := message(nil, 20, 2, 7, 9, rawInet{Family: 2, State: 1}.bytes(f))
	f.Add(sock)
	f.Add(append(slices.Clone(sock), message(nil, nlmsgDone, 2, 7, 9, make([]byte, 4))...))
	f.Add(message(nil, nlmsgError, nlmFAckTLVs, 7, 9, append(native(f, int32(-22)), sock...)))
	f.Add(message(slices.Clone(sock), 20, nlmFDumpIntr, 8, 9, make([]byte, 80)))
	f.Add(slices.Concat(sock, sock[:17], sock))
	b := newBatch()
	f.Fuzz(func(t *testing.T, d []byte) {
		d = d[:min(len(d), len(b.buf))]
		e := scanned(b, d, 7, 9)
		if b.n > len(d) || e.err != nil && !e.done {
			t.Fatalf("%d bytes of %d, %+v", b.n, len(d), e)
		}
		n := 0
		for s := range b.Inet() {
			if s.Protocol != b.proto || len(s.msg) > len(d) {
				t.Errorf("%+v", s)
			}
			n++
		}
		if (n+b.Broken())*sizeofNlMsghdr > len(d) || n*(sizeofNlMsghdr+sizeofInetDiagMsg) > len(d) {
			t.Errorf("%d sockets and %d broken messages in %d bytes", n, b.Broken(), len(d))
		}
	})
}
