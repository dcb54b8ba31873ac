package filter

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sockeye-tools/sockeye/diag"
)

// trees are filters and what they are read as.
var trees = []struct {
	words string
	want  string
}{
	{``, ``},
	{`sport = 22 or sport = 1 and dport = 50312`, `( sport = 22 or sport = 1 ) and dport = 50312`},
	{`sport = 22 and sport = 1 or dport = 50312`, `( sport = 22 and sport = 1 ) or dport = 50312`},
	{`sport 22 dport 1 | autobound`, `( sport = 22 and dport = 1 ) or autobound`},
	{`sport 1 or sport 2 || sport 3 | sport 4`, `sport = 1 or sport = 2 or sport = 3 or sport = 4`},
	{`sport 1 or ( sport 2 or sport 3 )`, `sport = 1 or ( sport = 2 or sport = 3 )`},
	{`not sport 22 dport 1`, `not sport = 22 and dport = 1`},
	{`! ( sport 22 dport 1 )`, `not ( sport = 22 and dport = 1 )`},
	{`not not sport 5`, `not not sport = 5`},
	{`( ( sport == 5 ) )`, `sport = 5`},
	{`sport != 5 && dport neq 6 & dport ne 7`, `not sport = 5 and not dport = 6 and not dport = 7`},
	{`sport >= 5 sport geq 6 sport ge 7`, `sport >= 5 and sport >= 6 and sport >= 7`},
	{`sport <= 5 sport leq 6 sport le 7`, `sport <= 5 and sport <= 6 and sport <= 7`},
	{`sport > 5 sport gt 6`, `not sport <= 5 and not sport <= 6`},
	{`dport < 5 dport lt 6`, `not dport >= 5 and not dport >= 6`},
	{`src 1.2.3.4`, `src 1.2.3.4`},
	{`dst = 1.2.3.4:22`, `dport = 22 and dst 1.2.3.4`},
	{`not src 1.2.3.4:http`, `not ( sport = 80 and src 1.2.3.4 )`},
	{`src 10`, `src 10.0.0.0`},
	{`src 10.1/8`, `src 10.0.0.0/8`},
	{`src 0x7f.1`, `src 127.1.0.0`},
	{`src 0b1.010`, `src 1.8.0.0`},
	{`src 0.-0`, `src 0.0.0.0`},
	{`src 1.2.3.4/255.255.0.0`, `src 1.2.0.0/16`},
	{`src 1.2.3.4/0x8`, `src 1.0.0.0/8`},
	{`src 1.2.3.4/0`, `src 0.0.0.0/0`},
	{`src 1.2.3.4/24:22`, `sport = 22 and src 1.2.3.0/24`},
	{`src [1.2.3.4]:22`, `sport = 22 and src 1.2.3.4`},
	{`src [::1]`, `src [::1]`},
	{`src [::1]:22`, `sport = 22 and src [::1]`},
	{`src [::1]22`, `sport = 22 and src [::1]`},
	{`src [::1/64]`, `src [::/64]`},
	{`src [::/255.0.0.0]`, `src [::/8]`},
	{`src [::1]*`, `src [::1]`},
	{`src ::1:22`, `sport = 22 and src [::1]`},
	{`src ::1/64`, `src [::/64]`},
	{`src ::1/64:5`, `sport = 5 and src [::/64]`},
	{`src ::ffff:1.2.3.4:80`, `sport = 80 and src [::ffff:1.2.3.4]`},
	{`src *`, `src *`},
	{`src any`, `src *`},
	{`src :`, `src *`},
	{`src []`, `src *`},
	{`src *:*`, `src *`},
	{`src :22`, `sport = 22`},
	{`src *:22`, `sport = 22`},
	{`src *22`, `sport = 22`},
	{`src [*]:22`, `sport = 22`},
	{`dst all:22`, `dport = 22`},
	{`src 1.2.3.4:`, `src 1.2.3.4`},
	{`src 1.2.3.4:-1`, `src 1.2.3.4`},
	{`src 1.2.3.4:-5`, `sport = -5 and src 1.2.3.4`},
	{`src inet:any`, `src 0.0.0.0/0`},
	{`src inet6:any`, `src [::/0]`},
	{`src inet:*`, `src *`},
	{`sport = -1`, `src *`},
	{`sport = *x`, `src *`},
	{`sport = :`, `src *`},
	{`sport >= *`, `sport >= -1`},
	{`sport = :22`, `sport = 22`},
	{`sport = [22]:23`, `sport = 22`},
	{`sport = inet:22`, `sport = 22`},
	{`sport = 65536`, `sport = 65536`},
	{`sport = 4294967318`, `sport = 2147483647`},   // not 22
	{`dport = 4294967295`, `dport = 2147483647`},   // not any
	{`sport = -4294967274`, `sport = -2147483648`}, // not 22
	{`sport = 0x16`, `sport = 22`},
	{`sport = 026`, `sport = 22`},
	{`sport = 0b101`, `sport = 5`},
	{`sport = http`, `sport = 80`},
	{`dev lo`, `dev lo`},
	{`dev != 7`, `not dev 7`},
	{`fwmark 5`, `fwmark 0x5`},
	{`fwmark != 0x10/0xff`, `not fwmark 0x10/0xff`},
	{`fwmark -1`, `fwmark 0xffffffff`},
	{`fwmark 010`, `fwmark 0x8`},
	{`fwmark 5abc`, `fwmark 0x5`},
	{`fwmark 08`, `fwmark 0x0`},
	{`fwmark 5/0xffz`, `fwmark 0x5/0xff`},
	{`fwmark 5/\ 7`, `fwmark 0x5/0x7`},
	{`fwmark 4294967297`, `fwmark 0x1`},
	{`fwmark 99999999999999999999`, `fwmark 0xffffffff`},
	{`autobound`, `autobound`},
	{`\sport = 2\2`, `sport = 22`},
	{`sport = 22\`, `sport = 22`},
	{"sport\t=  \t22 ", `sport = 22`},
	{`sport = \ 22`, `sport = 22`},
	{`src unix:/tmp/with\ space`, `src unix:/tmp/with\ space`},
	{`sport = unix:22`, `src unix:22`},
	{`dst unix:`, `dst unix:*`},
	{`src link:ip`, `src link:2048`},
	{`src link:IP:5`, `src link:2048:5`},
	{`sport != link:lo`, `not src link:*:1`},
	{`src link:802.1Q:*`, `src link:33024`},
	{`src netlink:rtnl:kernel`, `src netlink:0:0`},
	{`src netlink:crypto`, `src netlink:21`},
	{`sport >= netlink:kernel`, `sport >= netlink:0`},
	{`src netlink:*:-5`, `src netlink:*:-5`},
	{`src vsock:5:6`, `src vsock:5:6`},
	{`src vsock:4294967295`, `src vsock:*`},
	{`sport = vsock::5`, `src vsock:*:5`},
}

func TestParseSS(t *testing.T) {
	for _, tt := range trees {
		f, err := ParseSS([]string{tt.words}, testEnv())
		if err != nil {
			t.Errorf("%s: %v", tt.words, err)
			continue
		}
		if f.String() != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.words, f, tt.want)
		}
		if strings.Contains(tt.words, `\ `) {
			continue
		}
		// One argument or many is the same.
		split, err := ParseSS(strings.Split(tt.words, " "), testEnv())
		if err != nil || split.String() != tt.want {
			t.Errorf("%s, split: %v, %v", tt.words, split, err)
		}
	}
}

// A name of several hosts is all of them; ss sends the first one over and over.
func TestParseSSHostNames(t *testing.T) {
	for words, want := range map[string]string{
		`src multi`:                        `src 127.0.0.1 or src 10.1.2.3 or src [::1]`,
		`src inet:multi`:                   `src 127.0.0.1 or src 10.1.2.3`,
		`src inet6:multi`:                  `src [::1]`,
		`not src multi`:                    `not ( src 127.0.0.1 or src 10.1.2.3 or src [::1] )`,
		`dst multi:22`:                     `dport = 22 and ( dst 127.0.0.1 or dst 10.1.2.3 or dst [::1] )`,
		`sport 1 or src multi or dst one:`: `sport = 1 or src 127.0.0.1 or src 10.1.2.3 or src [::1] or dst 10.1.2.3`,
	} {
		f, err := ParseSS([]string{words}, testEnv())
		if err != nil || f.String() != want {
			t.Errorf("%s: %v, %v", words, f, err)
		}
	}
}

func TestFamily(t *testing.T) {
	for _, tt := range []struct {
		preferred diag.Family
		words     string
		want      diag.Family
	}{
		{0, ``, 0},
		{0, `src 1.2.3.4`, 0},
		{0, `src [::1]`, 0},
		{0, `src inet:1.2.3.4`, diag.IPv4},
		{0, `sport = inet6:22`, diag.IPv6},
		{0, `src unix:*`, famUnix},
		{0, `src link:*`, famLink},
		{0, `src netlink:*`, famNetlink},
		{0, `src vsock:*`, famVSock},
		{0, `src unix:x or dst inet:1.2.3.4`, diag.IPv4},
		{0, `dst inet:1.2.3.4 or src unix:x`, famUnix},
		{0, `dst inet:1.2.3.4 or src 1.2.3.4`, diag.IPv4},
		{diag.IPv4, `src 1.2.3.4`, diag.IPv4},
		{diag.IPv4, `autobound`, 0},
		{diag.IPv4, `dev lo`, 0},
		{diag.IPv4, `src inet6:[::1]`, diag.IPv6},
		{diag.IPv6, `src inet:1.2.3.4`, diag.IPv4},
		{famUnix, `sport = 22`, famUnix},
		{famUnix, `src inet:1.2.3.4`, diag.IPv4},
		{famLink, `sport = lo`, famLink},
		// The family of an operand is that of those behind it, too.
		{0, `dst unix:* or src 127.0.0.0/8`, famUnix},
		{0, `src netlink:rtnl or sport = 1`, famNetlink},
		{famLink, `src unix:x or dst 1.2.3.4`, famUnix},
		{0, `src 1.2.3.4 or src inet6:[::1] or dst [::2]`, diag.IPv6},
	} {
		env := testEnv()
		env.Preferred = tt.preferred
		f, err := ParseSS([]string{tt.words}, env)
		if err != nil || f.Family() != tt.want {
			t.Errorf("%v, %s: %v, %v", tt.preferred, tt.words, f.Family(), err)
		}
	}
}

func TestForeignPicksNoInetSocket(t *testing.T) {
	s := Subject{Local: netip.AddrPortFrom(netip.IPv4Unspecified(), 22), Remote: netip.AddrPortFrom(netip.IPv4Unspecified(), 0)}
	for words, want := range map[string]bool{
		`src unix:*`: false, `not src unix:*`: true, `src link:*`: false, `src netlink:*`: false, `sport >= vsock:*`: false,
		`sport = link:22`: false, `sport 22 or src unix:*`: true,
	} {
		f, err := ParseSS([]string{words}, testEnv())
		if err != nil {
			t.Fatal(err)
		}
		code, exact := f.Bytecode()
		if f.Match(socketOf(t, &s)) != want || Accepts(code, &s) != want || !exact {
			t.Errorf("%s: want %v\n%s", words, want, Disassemble(code))
		}
	}
}

const (
	syntaxError  = `ss: bison bellows (while parsing filter): "syntax error!" Sorry.`
	addressWrong = "\nCannot parse dst/src address."
)

func noPrefix(w string) string {
	return `Error: an inet prefix is expected rather than "` + w + `".` + addressWrong
}
func noPort(w string) string { return `Error: "` + w + `" does not look like a port.` + addressWrong }

// wrong are filters that are refused, and the words for it.
var wrong = []struct {
	words string
	text  string
}{
	{`src`, syntaxError},
	{`src netlink:rtnl or sport = domain`, "Cannot parse dst/src address."}, // the family of the first operand is preferred from there on
	{`sport ==`, syntaxError},
	{`= 5`, syntaxError},
	{`1.2.3.4`, syntaxError},
	{`and`, syntaxError},
	{`or sport = 5`, syntaxError},
	{`sport = 5 and`, syntaxError},
	{`sport = 5 and or sport = 6`, syntaxError},
	{`( )`, syntaxError},
	{`( sport = 5`, syntaxError},
	{`sport = 5 )`, syntaxError},
	{`sport 5 ) foo`, syntaxError},
	{`not`, syntaxError},
	{`dst != 1.2.3.4`, syntaxError},
	{`src >= 1.2.3.4`, syntaxError},
	{`autobound 1.2.3.4`, syntaxError},
	{`autobound = 5`, syntaxError},
	{`sport = 5 6`, syntaxError},
	{`sport = = 5`, syntaxError},
	{`src sport`, syntaxError},
	{`sport = and`, syntaxError},
	{`and foo`, syntaxError},
	{`fwmark > 5`, syntaxError},
	{`dev < lo`, syntaxError},
	{`cgroup >= /`, syntaxError},
	{`src eq eq`, syntaxError},
	{`\`, syntaxError},
	{`\(`, syntaxError},
	{`foo`, noPrefix("foo")},
	{`sport=22`, noPrefix("sport=22")},
	{`!sport = 22`, noPrefix("!sport")},
	{`SRC 1.2.3.4`, noPrefix("SRC")},
	{`sport\ = 22`, noPrefix("sport =")},
	{`\ `, noPrefix(" ")},
	{`autobound foo`, noPrefix("foo")},
	{`src ::1`, noPrefix(":")},
	{`src inet6:::1`, noPrefix(":")},
	{`src 1.2.3.4/255.0.255.0`, noPrefix("1.2.3.4/255.0.255.0")},
	{`src 1.2.3.4/33`, noPrefix("1.2.3.4/33")},
	{`src 1.2.3.4/`, noPrefix("1.2.3.4/")},
	{`src 1.2.3.4/-1`, noPrefix("1.2.3.4/-1")},
	{`src 1.2.3.4/24/3`, noPrefix("1.2.3.4/24/3")},
	{`src 1.2.3.4/08`, noPrefix("1.2.3.4/08")},
	{`src any/8`, noPrefix("any/8")},
	{`src any/0`, noPrefix("any/0")},
	{`src /24`, noPrefix("/24")},
	{`src 256.1`, noPrefix("256.1")},
	{`src 08.1`, noPrefix("08.1")},
	{`src 0x`, noPrefix("0x")},
	{`src 1.2.3.4.5`, noPrefix("1.2.3.4.5")},
	{`src 1..2`, noPrefix("1..2")},
	{`src 1.2.3.`, noPrefix("1.2.3.")},
	{`src 1.-2`, noPrefix("1.-2")},
	{`src 1:2:3`, noPrefix("1:2")},
	{`src x:y:22`, noPrefix("x:y")},
	{`src inet6:1.2.3.4`, noPrefix("1.2.3.4")},
	{`src inet:[::1]`, noPrefix("::1")},
	{`src [fe80::1%lo]`, noPrefix("fe80::1%lo")},
	{`src [::1/129]`, noPrefix("::1/129")},
	{`src [::1/]`, noPrefix("::1/")},
	{`src [1::00002]`, noPrefix("1::00002")},
	{`src [::01.2.3.4]`, noPrefix("::01.2.3.4")},
	{`src [::1]/64`, noPort("/64")},
	{`src [::1]/64:22`, noPort("/64:22")},
	{`src [::1]x`, noPort("x")},
	{`src *foo`, noPort("foo")},
	{`src *::22`, noPort(":22")},
	{`src *x:22`, noPort("x:22")},
	{`src fe80::1%lo`, noPort("1%lo")},
	{`src 1.2.3.4:nosuch`, noPort("nosuch")},
	{`src tipc:foo`, noPort("foo")},
	{`src a/b:c`, noPort("c")},
	{`sport = 22\ `, noPort("22 ")},
	{"sport = 22 \r", noPort("\r")},
	{`sport = 2\\2`, noPort(`2\2`)},
	{`sport = 22:23`, noPort("22:23")},
	{`sport = ::22`, noPort(":22")},
	{`sport = x/y:22`, noPort("x/y:22")},
	{`sport = 08`, noPort("08")},
	{`sport = 99999999999999999999999`, noPort("99999999999999999999999")},
	{`sport = HTTP`, noPort("HTTP")},
	{`sport 5 foo`, noPort("foo")},
	{`sport 5 foo )`, noPort("foo")},
	{`src [::1`, addressWrong[1:]},
	{`sport = [`, addressWrong[1:]},
	{`src link:nosuch`, addressWrong[1:]},
	{`src link:70000`, addressWrong[1:]},
	{`src link:ip:nosuch`, addressWrong[1:]},
	{`sport = link:ip:lo`, addressWrong[1:]},
	{`src netlink:RTNL`, addressWrong[1:]},
	{`src netlink:300`, addressWrong[1:]},
	{`src netlink:rtnl:x`, addressWrong[1:]},
	{`src netlink:5:6:7`, addressWrong[1:]},
	{`sport = netlink:5:6`, addressWrong[1:]},
	{`src vsock:x`, addressWrong[1:]},
	{`src vsock:5:x`, addressWrong[1:]},
	{`src vsock:5:`, addressWrong[1:]},
	{`src vsock:5:-1`, addressWrong[1:]},
	{`src vsock:5:4294967296`, addressWrong[1:]},
	{`sport = vsock:`, addressWrong[1:]},
	{`dev x`, "Cannot parse device."},
	{`dev = -1`, "Cannot parse device."},
	{`dev 4294967296`, "Cannot parse device."},
	{`dev if`, "Cannot parse device."},
	{`dev lo x`, "Cannot parse device."},
	{`fwmark x`, "Cannot parse mark x."},
	{`fwmark 5/`, "Cannot parse mark 5/."},
	{`fwmark 5\ /7`, "Cannot parse mark 5 /7."},
	{`fwmark 0x`, "Cannot parse mark 0x."},
	{`fwmark 010/0x`, "Cannot parse mark 010/0x."},
	{`fwmark 5 y`, "Cannot parse mark y."},
}

func TestParseSSErrors(t *testing.T) {
	for _, tt := range wrong {
		_, err := ParseSS([]string{tt.words}, testEnv())
		checkError(t, tt.words, err, tt.text)
	}
}

func checkError(t *testing.T, words string, err error, text string) {
	t.Helper()
	e, ok := errors.AsType[*SSError](err)
	if !ok {
		t.Errorf("%s: error %v, want %q", words, err, text)
		return
	}
	syntax := strings.HasPrefix(text, "ss: bison")
	status := 1
	if syntax {
		status = 255
	}
	if e.Text != text || e.Error() != text || e.Usage != syntax || e.Status != status {
		t.Errorf("%s: %+v, want %q", words, e, text)
	}
}

func TestParseSSServices(t *testing.T) {
	for _, tt := range []struct {
		tcp, udp bool
		word     string
		want     string // the filter, or the error
	}{
		{true, true, "http", "sport = 80"},
		{true, true, "domain", "sport = 53"},
		{true, false, "domain", noPort("domain")},
		{false, true, "domain", "sport = 53"},
		{false, false, "http", noPort("http")},
		{true, true, "shell", "Error: ambiguous port \"shell\"." + addressWrong},
		{true, false, "shell", "sport = 514"},
		{false, true, "shell", "sport = 515"},
	} {
		env := testEnv()
		env.TCP, env.UDP = tt.tcp, tt.udp
		f, err := ParseSS([]string{"sport", tt.word}, env)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = f.String()
		}
		if got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

func TestParseSSCgroupErrors(t *testing.T) {
	env := testEnv()
	_, err := ParseSS([]string{"cgroup /none"}, env)
	checkError(t, "cgroup /none", err, "Cannot parse cgroup /none.")

	env.Cgroup = nil
	_, err = ParseSS([]string{"cgroup /a"}, env)
	checkError(t, "cgroup /a", err, "Failed to find cgroup2 mount\nCannot parse cgroup /a.")
	if !errors.Is(err, errNoCgroup2) {
		t.Error("the cause is lost")
	}

	env = testEnv()
	env.Ops &^= OpCgroup
	_, err = ParseSS([]string{"sport 1 or not ( dport 2 cgroup /a )"}, env)
	if e, ok := errors.AsType[*SSError](err); !ok || e.Status != 255 || e.Usage ||
		e.Text != "It looks like such filter is not supported! Too old kernel?" {
		t.Errorf("no cgroup instruction: %v", err)
	}
}

// TestParseSSDepth: nesting is bounded, and deep trees are no trouble.
func TestParseSSDepth(t *testing.T) {
	for _, word := range []string{"not ", "( "} {
		nested := func(n int) string {
			s := strings.Repeat(word, n) + "sport = 5"
			if word == "( " {
				s += strings.Repeat(" )", n)
			}
			return s
		}
		f, err := ParseSS([]string{nested(9995)}, testEnv())
		if err != nil {
			t.Fatal(err)
		}
		if code, exact := f.Bytecode(); !exact || audit(code) != "" {
			t.Errorf("%s: exact %v, %s", word, exact, audit(code))
		}
		_, err = ParseSS([]string{nested(9998)}, testEnv())
		checkError(t, word, err, strings.Replace(syntaxError, "syntax error", "memory exhausted", 1))
	}
}

func TestSSFileLines(t *testing.T) {
	got, err := SSFileLines(strings.NewReader("# nothing\n0 is nothing too\nsport = 22\n\nor sport = 23\\\n sport = 24"))
	if want := []string{"sport = 22", `or sport = 23\`, " sport = 24"}; err != nil || !slices.Equal(got, want) {
		t.Fatalf("%q, %v", got, err)
	}
	f, err := ParseSS(got, testEnv())
	if want := "( sport = 22 or sport = 23 ) and sport = 24"; err != nil || f.String() != want {
		t.Errorf("%v, %v", f, err)
	}
	if got, err := SSFileLines(strings.NewReader("sport = 22\r\n\r\nor sport = 23\r\n")); err != nil || !slices.Equal(got, []string{"sport = 22", "or sport = 23"}) {
		t.Errorf("lines that end in CR LF: %q, %v", got, err)
	}
	if _, err := SSFileLines(iotest.ErrReader(os.ErrPermission)); !errors.Is(err, os.ErrPermission) {
		t.Error(err)
	}
}

// fileLines are filter files with a line "sport = 22" of a size.
var fileLines = []struct {
	before, after string
	size          int // with the blanks behind it
	long          bool
}{
	{"", "\n", 1021, false}, {"", "\n", 1022, true}, {"", "", 1022, false}, {"", "", 1023, true}, {"sport = 23\nor ", "\nor sport = 24", 1018, false},
	{"sport = 23\n", "\nor sport = 24", 1022, true}, {"# ", "\nsport = 24", 1019, false}, {"# ", "\nsport = 24", 1020, true}, {"", "\n", 3 << 20, true},
}

func fileLine(before, after string, size int) string {
	const line = "sport = 22"
	return before + line + strings.Repeat(" ", size-len(line)) + after
}

func TestSSFileLong(t *testing.T) {
	for _, tt := range fileLines {
		_, err := SSFileLines(strings.NewReader(fileLine(tt.before, tt.after, tt.size)))
		e, ok := errors.AsType[*SSError](err)
		if ok != tt.long || ok && (e.Text != "Too long line in filter" || e.Status != 255 || e.Usage) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}
