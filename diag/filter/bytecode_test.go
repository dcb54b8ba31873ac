package filter

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// TestBytecode pins the programs. The text is Disassemble's, which the fields' own test pins to bytes.
func TestBytecode(t *testing.T) {
	for _, tt := range []struct {
		words string
		ops   Ops
		exact bool
		want  string
	}{
		{``, AllOps, true, ``},
		{`src *`, AllOps, true, ``},
		{`src * or dev lo`, 0, false, ``},
		{`sport = 22`, AllOps, true, "0    s_eq 22, else reject\n"},
		{`dport = 22`, 0, true, "0    d_cond * port 22, else reject\n"},
		{`sport != 22`, AllOps, true, "0    s_eq 22, else accept\n8    jmp -> reject\n"},
		{`sport > 22`, 0, true, "0    s_ge 23, else reject\n"},
		{`dport < 22`, 0, true, "0    d_le 21, else reject\n"},
		{`not sport > 22`, 0, true, "0    s_le 22, else reject\n"},
		{`sport >= 0 or dev lo`, AllOps, true, ``},
		{`sport > 65534`, AllOps, true, "0    s_ge 65535, else reject\n"},
		{`sport > 65535`, AllOps, true, "0    jmp -> reject\n"},
		{`not sport = 65536`, AllOps, true, ``},
		{`src 10.0.0.0/8`, AllOps, true, "0    s_cond 10.0.0.0/8, else reject\n"},
		{`dst [2001:db8::/32]:443`, AllOps, true, "0    d_eq 443, else reject\n8    d_cond 2001:db8::/32, else reject\n"},
		{`autobound`, AllOps, false, "0    auto, else reject\n"},
		{`fwmark 5/0xff`, AllOps, true, "0    mark_cond 0x5/0xff, else reject\n"},
		{`fwmark 5`, AllOps &^ OpMark, false, ``},
		{`dev lo`, AllOps, true, "0    dev_cond 1, else reject\n"},
		{`dev lo`, AllOps &^ OpDevice, false, ``},
		{`cgroup /b`, AllOps, true, "0    cgroup_cond 1099511627776, else reject\n"},
		{`sport 1 or sport 2 or sport 3`, AllOps, true, "0    s_eq 1, else 12\n8    jmp -> accept\n" +
			"12   s_eq 2, else 24\n20   jmp -> accept\n24   s_eq 3, else reject\n"},
		{`( sport 1 or sport 2 ) dport 3`, AllOps, true, "0    s_eq 1, else 12\n8    jmp -> 20\n12   s_eq 2, else reject\n" +
			"20   d_eq 3, else reject\n"},
		{`not ( sport 1 dport 2 )`, AllOps, true, "0    s_eq 1, else accept\n8    d_eq 2, else accept\n16   jmp -> reject\n"},
		{`src multi`, AllOps, true, "0    s_cond 127.0.0.1/32, else 20\n16   jmp -> accept\n20   s_cond 10.1.2.3/32, else 40\n" +
			"36   jmp -> accept\n40   s_cond ::1/128, else reject\n"},
		// What the kernel does not take is left out where that lets more sockets through, and only there.
		{`sport 1 dev lo`, OpEqual, false, "0    s_eq 1, else reject\n"},
		{`sport 1 or dev lo`, OpEqual, false, ``},
		{`not ( sport 1 or dev lo )`, OpEqual, false, "0    s_eq 1, else accept\n8    jmp -> reject\n"},
		{`not ( sport 1 dev lo )`, OpEqual, false, ``},
		{`( sport 1 or dport 2 ) ( sport 3 or not dev lo ) not dev 7`, OpEqual, false, "0    s_eq 1, else 12\n8    jmp -> accept\n" +
			"12   d_eq 2, else reject\n"},
		{`src unix:x`, AllOps, true, "0    jmp -> reject\n"},
		{`sport 1 or src unix:x`, AllOps, true, "0    s_eq 1, else reject\n"},
	} {
		env := testEnv()
		f, err := ParseSS([]string{tt.words}, env)
		if err != nil {
			t.Fatalf("%s: %v", tt.words, err)
		}
		code, exact := New(f.Tree(), tt.ops).Bytecode()
		if got := Disassemble(code); got != tt.want || exact != tt.exact {
			t.Errorf("%s: exact %v\n%s\nwant\n%s", tt.words, exact, got, tt.want)
		}
		if why := audit(code); code != nil && why != "" {
			t.Errorf("%s: %s", tt.words, why)
		}
	}
}

// TestAudit: the model of the kernel's check refuses what is wrong, or the other tests would say nothing.
func TestAudit(t *testing.T) {
	good, exact := assemble(Or{Port{Port: 22}, Host{Prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}, AllOps, maxCode)
	if !exact || audit(good) != "" {
		t.Fatal(audit(good))
	}
	for at, b := range map[int]byte{0: 99, 1: 6, 2: 2, 9: 8, 13: 4, 14: 200, 16: byte(diag.IPv6), 17: 33} {
		bad := slices.Clone(good)
		if bad[at] = b; audit(bad) == "" {
			t.Errorf("byte %d: %d is taken\n%s", at, b, Disassemble(bad))
		}
	}
	if audit(good[:len(good)-4]) == "" {
		t.Error("a program that is cut off is taken")
	}
}
