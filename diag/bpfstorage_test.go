package diag

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/cilium/ebpf/btf"
)

func TestBPFMapsAreAskedFor(t *testing.T) {
	nested := func(b []byte) []byte { return appendAttr(nil, inetDiagReqSKBPFStorages|nlaFNested, b) }
	fd := func(n uint32) []byte {
		return appendAttr(nil, skDiagReqMapFD, binary.NativeEndian.AppendUint32(nil, n))
	}
	for _, tt := range []struct {
		maps []int
		want []byte
	}{
		{nil, nil},
		{[]int{}, nested(nil)}, // all
		{[]int{7, 9}, nested(append(fd(7), fd(9)...))},
	} {
		for _, f := range []Family{IPv4, IPv6, Unspec} {
			plain, q := InetQuery{Bytecode: []byte{1, 2, 3, 4}}, InetQuery{Bytecode: []byte{1, 2, 3, 4}, BPFMaps: tt.maps}
			if got := bytes.TrimPrefix(q.request(f), plain.request(f)); !bytes.Equal(got, tt.want) {
				t.Errorf("%v, %v: % x, want % x", tt.maps, f, got, tt.want)
			}
		}
	}
}

func TestBPFStorages(t *testing.T) {
	id := func(n uint32) []byte { return appendAttr(nil, skDiagMapID, binary.NativeEndian.AppendUint32(nil, n)) }
	storage := func(parts ...[]byte) []byte { return appendAttr(nil, skDiagStorage|nlaFNested, bytes.Join(parts, nil)) }
	value := appendAttr(nil, skDiagMapValue, []byte("value"))
	list := bytes.Join([][]byte{
		storage(id(5), value), storage(id(6)), storage(value), storage(value, id(7)), // in any order, but both
		appendAttr(nil, 9, []byte("later kernels")), storage(appendAttr(nil, skDiagMapID, []byte{1}), value), {200, 0, 1, 0},
	}, nil)
	b := append(make([]byte, sizeofInetDiagMsg), appendAttr(nil, uint16(AttrSKBPFStorages)|nlaFNested, list)...)
	s, err := ParseInet(b, TCP)
	if err != nil {
		t.Fatal(err)
	}
	got := map[uint32]string{}
	for id, v := range s.BPFStorages() {
		got[id] = string(v)
	}
	if len(got) != 2 || got[5] != "value" || got[7] != "value" {
		t.Errorf("%v", got)
	}
	for range s.BPFStorages() {
		break
	}
	for range (&InetSocket{}).BPFStorages() {
		t.Error("a socket without attributes has values")
	}
}

// The numbers are those of the running kernel (Linux 5.7).
func TestBPFStorageNumbers(t *testing.T) {
	want := map[string]uint64{
		"INET_DIAG_REQ_SK_BPF_STORAGES": inetDiagReqSKBPFStorages, "SK_DIAG_BPF_STORAGE_REQ_MAP_FD": skDiagReqMapFD,
		"SK_DIAG_BPF_STORAGE": skDiagStorage, "SK_DIAG_BPF_STORAGE_MAP_ID": skDiagMapID, "SK_DIAG_BPF_STORAGE_MAP_VALUE": skDiagMapValue,
	}
	found := 0
	for typ, err := range kernelBTF(t).All() {
		if err != nil {
			t.Fatal(err)
		}
		e, ok := typ.(*btf.Enum)
		if !ok {
			continue
		}
		for _, v := range e.Values {
			if n, ok := want[v.Name]; ok {
				if found++; n != v.Value {
					t.Errorf("%s is %d, the kernel's %d", v.Name, n, v.Value)
				}
			}
		}
	}
	t.Logf("%d of %d numbers are in the kernel's BTF", found, len(want))
}
