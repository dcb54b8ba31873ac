package filter

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// alone makes an instruction a program's last: where it does not hold, it rejects.
func alone(op []byte) []byte {
	binary.NativeEndian.PutUint16(op[2:], uint16(len(op)+4))
	return op
}

// randomProgram returns one that the kernel takes, also of what assemble does not write: nop, addresses together with ports, room behind
// operands, and jumps anywhere forward.
func randomProgram(r *rand.Rand) (code []byte) {
	ne := binary.NativeEndian
	var starts []int
	for range 1 + r.IntN(8) {
		starts = append(starts, len(code))
		op := newOp(byte(r.IntN(bcCgroupCond+1)), 0)
		switch op[0] {
		case bcNop, bcJmp, bcAuto:
		case bcSCond, bcDCond:
			addr := netip.MustParseAddr(pick(r, slices.Concat(someV4, someV6)))
			op = hostOp(Side(op[0]-bcSCond), netip.PrefixFrom(addr, pick(r, []int{0, 1, 8, addr.BitLen() - 1, addr.BitLen()})))
			if r.IntN(3) == 0 { // the kernel compares all 32 bits
				ne.PutUint32(op[sizeofBcOp+offHostPort:], uint32(pick(r, append([]int{1<<16 | 80}, somePorts...))))
			}
			if r.IntN(6) == 0 {
				op[sizeofBcOp], op[sizeofBcOp+offHostPrefix] = byte(diag.Unspec), 0
			}
		case bcDevCond:
			op = ne.AppendUint32(op, uint32(r.IntN(3)))
		case bcMarkCond:
			op = ne.AppendUint32(ne.AppendUint32(op, pick(r, someMarks)), pick(r, someMarks))
		case bcCgroupCond:
			op = ne.AppendUint64(op, uint64(r.IntN(2)))
		default:
			op = append(op, portOp(op[0], int64(pick(r, somePorts)))[sizeofBcOp:]...)
		}
		op = append(op, make([]byte, 4*r.IntN(2))...)
		op[1] = byte(len(op))
		code = append(code, op...)
	}
	for i, at := range starts {
		targets := append(slices.Clone(starts[i+1:]), len(code), len(code)+4)
		ne.PutUint16(code[at+2:], uint16(pick(r, targets)-at))
	}
	return code
}

// TestAccepts: every instruction, holding and not, at the ends of what it compares.
func TestAccepts(t *testing.T) {
	ne := binary.NativeEndian
	end := netip.MustParseAddrPort
	four := &Subject{Local: end("10.1.2.3:80"), Remote: end("192.0.2.1:40000"), Interface: 3, Mark: 0x15, Cgroup: 1<<40 | 7, Locked: true}
	six := &Subject{Local: end("[2001:db8::1]:80"), Remote: end("[::ffff:192.0.2.1]:40000")}
	host := func(s Side, prefix string, port int32) []byte {
		op := hostOp(s, netip.MustParsePrefix(prefix))
		ne.PutUint32(op[sizeofBcOp+offHostPort:], uint32(port))
		return alone(op)
	}
	words := func(code byte, args ...uint32) []byte {
		op := newOp(code, 4*len(args))
		for i, a := range args {
			ne.PutUint32(op[sizeofBcOp+4*i:], a)
		}
		return alone(op)
	}
	cgroup := func(id uint64) []byte { return alone(ne.AppendUint64(newOp(bcCgroupCond, 8)[:sizeofBcOp], id)) }
	jump := func(n uint16) []byte { return ne.AppendUint16([]byte{bcJmp, 4}, n) }
	long := append(host(Local, "10.1.2.3/32", -1), make([]byte, 64)...) // has the bytes that its prefix asks for, an address has not
	long[sizeofBcOp+offHostPrefix] = 255
	anyHost := words(bcSCond, 0, 0xffffffff)
	for name, tt := range map[string]struct {
		code []byte
		s    *Subject
		want bool
	}{
		"nothing":            {nil, four, true},
		"nop":                {newOp(bcNop, 0), four, true},
		"unknown":            {newOp(99, 0), four, true},
		"jmp to the end":     {jump(4), four, true},
		"jmp beyond the end": {jump(8), four, false},
		"sport >= 80":        {alone(portOp(bcSGE, 80)), four, true},
		"sport >= 81":        {alone(portOp(bcSGE, 81)), four, false},
		"sport <= 80":        {alone(portOp(bcSLE, 80)), four, true},
		"sport <= 79":        {alone(portOp(bcSLE, 79)), four, false},
		"sport = 80":         {alone(portOp(bcSEQ, 80)), four, true},
		"sport = 40000":      {alone(portOp(bcSEQ, 40000)), four, false},
		"dport >= 40000":     {alone(portOp(bcDGE, 40000)), four, true},
		"dport >= 40001":     {alone(portOp(bcDGE, 40001)), four, false},
		"dport <= 40000":     {alone(portOp(bcDLE, 40000)), four, true},
		"dport <= 39999":     {alone(portOp(bcDLE, 39999)), four, false},
		"dport = 40000":      {alone(portOp(bcDEQ, 40000)), four, true},
		"dport = 80":         {alone(portOp(bcDEQ, 80)), four, false},
		"auto":               {alone(newOp(bcAuto, 0)), six, true},
		"auto, bound":        {alone(newOp(bcAuto, 0)), four, false},
		"dev 3":              {words(bcDevCond, 3), four, true},
		"dev 0":              {words(bcDevCond, 0), four, false},
		"mark 5/0xf":         {words(bcMarkCond, 5, 0xf), four, true},
		"mark 5/0xff":        {words(bcMarkCond, 5, 0xff), four, false},
		"cgroup":             {cgroup(1<<40 | 7), four, true},
		"cgroup, low half":   {cgroup(7), four, false},
		"any host":           {anyHost, six, true},
		"any host, port":     {words(bcSCond, 0, 80), six, true},
		"port and more":      {words(bcSCond, 0, 1<<16|80), six, false},
		"src /23":            {host(Local, "10.1.3.0/23", -1), four, true},
		"src /24":            {host(Local, "10.1.3.0/24", -1), four, false},
		"src /32":            {host(Local, "10.1.2.3/32", 80), four, true},
		"src /32, port":      {host(Local, "10.1.2.3/32", 81), four, false},
		"dst /32":            {host(Remote, "192.0.2.1/32", 40000), four, true},
		"dst /31":            {host(Remote, "192.0.2.2/31", -1), four, false},
		"dst mapped":         {host(Remote, "192.0.2.0/24", -1), six, true},
		"dst mapped, other":  {host(Remote, "192.0.3.0/24", -1), six, false},
		"dst mapped, v6":     {host(Remote, "::ffff:192.0.2.1/128", -1), six, true},
		"src v6":             {host(Local, "2001:db8::/32", -1), six, true},
		"src v6 /128":        {host(Local, "2001:db8::2/128", -1), six, false},
		"v4 of v6":           {host(Local, "0.0.0.0/0", -1), six, false},
		"v6 of v4":           {host(Local, "::/0", -1), four, false},
		"neither family":     {[]byte{bcSCond, 12, 0, 0, 99, 0, 0, 0, 255, 255, 255, 255}, four, false},
		"not sport = 80":     {slices.Concat(alone(portOp(bcSEQ, 80)), jump(8)), four, false},
		"not sport = 81":     {slices.Concat(alone(portOp(bcSEQ, 81)), jump(8)), four, true},
		"endless by no":      {jump(0), four, false},
		"endless by yes":     {[]byte{bcNop, 0, 8, 0}, four, false},
		"into itself":        {[]byte{bcNop, 2, 8, 0}, four, false},
		"cut off":            {[]byte{bcNop, 4, 8, 0, bcNop}, four, false},
		"no host condition":  {[]byte{bcSCond, 4, 0, 0}, four, false},
		"no address":         {[]byte{bcSCond, 12, 0, 0, byte(diag.IPv4), 32, 0, 0, 255, 255, 255, 255}, four, false},
		"no operands":        {[]byte{bcMarkCond, 4, 8, 0}, four, true},
		"too long a prefix":  {long, four, false},
		"far beyond the end": {[]byte{bcNop, 255, 8, 0}, four, false},
	} {
		if got := Accepts(tt.code, tt.s); got != tt.want {
			t.Errorf("%s: %v of %+v\n%s", name, got, tt.s, Disassemble(tt.code))
		}
	}
}

func TestAcceptsDoesNotAllocate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	f, err := ParseSS([]string{busy}, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	code, _ := f.Bytecode()
	subjects := make([]Subject, 50)
	for i := range subjects {
		subjects[i] = *randomSubject(r)
	}
	hits := 0
	if n := testing.AllocsPerRun(20, func() {
		for i := range subjects {
			if s := subjects[i]; Accepts(code, &s) {
				hits++
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if hits == 0 {
		t.Error("nothing was accepted: the later instructions were not reached")
	}
}

// FuzzAccepts: any bytes come to an end. A jump over nothing in front changes nothing; and of what the kernel takes, a jump behind the
// end to which only what was accepted comes turns the verdict around.
func FuzzAccepts(f *testing.F) {
	r := rand.New(rand.NewPCG(9, 9))
	for i := range 8 {
		f.Add(randomProgram(r), []byte{byte(i), 1, 2, 3, 4, 5, 6, 7, 8})
	}
	f.Add([]byte{bcNop, 0, 0, 0}, []byte{})
	f.Fuzz(func(t *testing.T, code, raw []byte) {
		s := subjectOf(raw)
		got := Accepts(code, s)
		if Accepts(slices.Concat([]byte{bcNop, 4, 8, 0}, code), s) != got {
			t.Errorf("%+v: not %v behind a nop\n%s", s, got, Disassemble(code))
		}
		reject := binary.NativeEndian.AppendUint16([]byte{bcJmp, 4}, 8)
		if audit(code) == "" && Accepts(slices.Concat(code, reject), s) == got {
			t.Errorf("%+v: %v with a jump behind the end too\n%s", s, got, Disassemble(code))
		}
	})
}
