package filter

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
)

// TestDisassemble reads programs that ss sends (little-endian, as recorded), and what is no program.
func TestDisassemble(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the recorded programs are little-endian")
	}
	for _, tt := range []struct{ code, want string }{
		{"", ""},
		{"07101400000000001600000000000000", "0    s_cond * port 22, else reject\n"},
		{"07101400022002001600000001020304", "0    s_cond 1.2.3.4/32 port 22, else reject\n"},
		{"071c20000a8002001600000000000000000000000000000000000001", "0    s_cond ::1/128 port 22, else reject\n"},
		{"0810140002080200ffffffff7f000001", "0    d_cond 127.0.0.1/8, else reject\n"},
		{"02080c0000007011", "0    s_ge 4464, else reject\n"},
		{"06040800", "0    auto, else reject\n"},
		{"0a0c100005000000ff000000", "0    mark_cond 0x5/0xff, else reject\n"},
		{"0d0c10000100000000000000", "0    cgroup_cond 1, else reject\n"},
		{"09080c0003000000", "0    dev_cond 3, else reject\n"},
		{"0b080c0000001600", "0    s_eq 22, else reject\n"},
		{"071014000000000005000000000000000104180008101400000000000600000000000000",
			"0    s_cond * port 5, else 20\n16   jmp -> reject\n20   d_cond * port 6, else reject\n"},
		{"000400000104040006040800", "0    nop\n4    jmp -> 8\n8    auto, else reject\n"},
		// Not programs.
		{"06", "0    ?  06\n"},
		{"6304080001040400", "0    ?  6304080001040400\n"},
		{"06000800", "0    ?  06000800\n"},
		{"06050800", "0    ?  06050800\n"},
		{"02040c00", "0    ?  02040c00\n"},
		{"0710140003200000ffffffff01020304", "0    ?  0710140003200000ffffffff01020304\n"},
		{"0710140002210000ffffffff01020304", "0    ?  0710140002210000ffffffff01020304\n"},
		{"06080400", "0    auto, else accept, then reject\n"},
	} {
		code, err := hex.DecodeString(tt.code)
		if err != nil {
			t.Fatal(err)
		}
		if got := Disassemble(code); got != tt.want {
			t.Errorf("%s:\n%swant\n%s", tt.code, got, tt.want)
		}
	}
}

func FuzzDisassemble(f *testing.F) {
	for _, s := range []string{"", "06040800", "0710140002200200160000000102030401040800", "0a0c100005000000ff0000", "00ff0000"} {
		b, _ := hex.DecodeString(s)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		got := Disassemble(code)
		// Every line takes four bytes of code at least, but for a last one that is no instruction.
		if n := strings.Count(got, "\n"); n > len(code)/4+1 || (len(code) == 0) != (got == "") {
			t.Errorf("%x: %d lines", code, n)
		}
		if audit(code) == "" && strings.Contains(got, "?") {
			t.Errorf("%x: the kernel takes it\n%s", code, got)
		}
	})
}
