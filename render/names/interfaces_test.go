package names

import (
	"errors"
	"net"
	"testing"
)

func TestInterfaces(t *testing.T) {
	asked := 0
	i := Interfaces{ByIndex: func(index uint32) (string, error) {
		asked++
		switch index {
		case 1:
			return "lo", nil
		case 2:
			return "e\x1b0", nil
		}
		return "", errors.New("no such device")
	}}
	for range 3 {
		for _, tt := range []struct {
			index uint32
			want  string
		}{{1, "lo"}, {2, `e\0330`}, {77, "if77"}} {
			if got := string(i.Append(nil, tt.index)); got != tt.want {
				t.Errorf("Append(%d) = %q, want %q", tt.index, got, tt.want)
			}
		}
	}
	if asked != 3 {
		t.Errorf("asked %d times, want 3: what was not found has to be remembered, too", asked)
	}
	dst := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() { dst = i.Append(i.Append(dst[:0], 1), 77) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestInterfacesOfKernel(t *testing.T) {
	all, err := net.Interfaces()
	if err != nil || len(all) == 0 {
		t.Skipf("no interfaces: %v", err)
	}
	var i Interfaces
	for _, want := range all {
		got := string(i.Append(nil, uint32(want.Index)))
		if now, err := net.InterfaceByIndex(want.Index); err != nil || now.Name != want.Name {
			continue // gone, or renamed, meanwhile
		}
		if got != want.Name {
			t.Errorf("interface %d is %q, want %q", want.Index, got, want.Name)
		}
	}
	if got := string(i.Append(nil, 1<<30)); got != "if1073741824" {
		t.Errorf("got %q", got)
	}
}
