package bench

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// script writes a program that runs in a shell.
func script(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFindPrograms(t *testing.T) {
	links, first, second := t.TempDir(), t.TempDir(), t.TempDir()
	sockeye := script(t, t.TempDir(), "sockeye", "exit 0")
	for _, name := range []string{"ss", "netstat"} {
		if err := os.Symlink(sockeye, filepath.Join(links, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(first, "ss"), []byte("not a program"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(first, "netstat"), 0o755); err != nil {
		t.Fatal(err)
	}
	ss := script(t, second, "ss", "exit 0")
	path := strings.Join([]string{links, "", first, second}, ":")

	p := FindPrograms(sockeye, path, nil)
	want := Programs{Sockeye: []string{sockeye}, SS: []string{ss}}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got %+v\nwant %+v: links to sockeye, files and directories are no peers", p, want)
	}
	mine := Peer{"ss", []string{"/opt/ss", "-O"}}
	other := Peer{"mine", []string{"/opt/mine"}}
	p = FindPrograms(sockeye, path, []Peer{mine, other})
	if !slices.Equal(p.SS, mine.Command) || len(p.Others) != 1 || p.Others[0].Name != "mine" {
		t.Errorf("with peers: %+v", p)
	}
}

func TestParsePeer(t *testing.T) {
	p, err := ParsePeer(`mine=sh -c 'echo "$0" = x'`)
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "mine" || !filepath.IsAbs(p.Command[0]) || !slices.Equal(p.Command[1:], []string{"-c", `echo "$0" = x`}) {
		t.Errorf("%+v", p)
	}
	for _, s := range []string{"", "ss", "=ss", "a=", "a='", "a=/nonexistent/tool", "a=no-such-program-anywhere", "floor=sh", "sockeye ss=sh", "sockeye list=sh"} {
		if p, err := ParsePeer(s); err == nil {
			t.Errorf("ParsePeer(%q) = %+v, want an error", s, p)
		}
	}
}

func TestTools(t *testing.T) {
	p := Programs{
		Sockeye: []string{"/s", "--owners=bpf"}, SS: []string{"/ss"}, Netstat: []string{"/netstat", "-W"}, Lsof: []string{"/lsof"}, GoPeers: "/peers",
		Others: []Peer{{"mine", []string{"/mine", "-x"}}},
	}
	show := func(q string) []string {
		qs, err := QuestionsByName([]string{q})
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, tl := range p.tools(qs[0]) {
			line := tl.name + ": " + commandLine(tl.argv) + " against " + tl.against
			if tl.counts {
				line += ", counts"
			}
			lines = append(lines, line)
		}
		return lines
	}
	for q, want := range map[string][]string{
		"tanp": {
			"floor: /s '--owners=bpf' bench floor --ext 0x0 --states 0x3fff against sockeye ss, counts",
			"sockeye ss: /s '--owners=bpf' ss -tanp against sockeye ss",
			"sockeye netstat: /s '--owners=bpf' netstat -tanp against sockeye netstat",
			"ss: /ss -tanp against sockeye ss",
			"netstat: /netstat -W -tanp against sockeye netstat",
			"lsof: /lsof -nPiTCP against sockeye ss",
			"gopsutil: /peers gopsutil against sockeye ss, counts",
			"mine: /mine -x against sockeye ss",
		},
		"by-state": {
			"floor: /s '--owners=bpf' bench floor --ext 0x0 --states 0x3fff against sockeye list, counts",
			"sockeye list: /s '--owners=bpf' list -t --group-by state against sockeye list",
			`ss | uniq -c: /bin/sh -c '"$0" "$@" -tan | awk '\''{print $1}'\'' | sort | uniq -c' /ss against sockeye list`,
			"mine: /mine -x against sockeye list",
		},
		"tn-sport1": {
			"floor: /s '--owners=bpf' bench floor --ext 0x0 --states 0x3b37 --sport 1 against sockeye ss, counts",
			"sockeye ss: /s '--owners=bpf' ss -tnp 'sport = :1' against sockeye ss",
			"ss: /ss -tnp 'sport = :1' against sockeye ss",
			"mine: /mine -x against sockeye ss",
		},
	} {
		if got := show(q); !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", q, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	p = Programs{Sockeye: []string{"/s"}}
	if got := show("startup"); len(got) != 2 {
		t.Errorf("sockeye alone has %q, want two faces and no floor", got)
	}
}

func TestVersions(t *testing.T) {
	dir := t.TempDir()
	p := Programs{
		Sockeye: []string{script(t, dir, "sockeye", `[ "$1" = version ] && echo "sockeye v1.2 linux/amd64"`)},
		SS:      []string{script(t, dir, "ss", `[ "$1" = -V ] && printf 'ss utility, iproute2-7.3.0\033[0m\n'`)},
		Netstat: []string{script(t, dir, "netstat", `printf 'net-tools 2.10\nFred Baumgarten\n'`)},
		Lsof:    []string{script(t, dir, "lsof", `printf 'lsof version information:\n    revision: 4.95.0\n    latest revision: x\n' >&2`)},
		GoPeers: script(t, dir, "peers", `printf 'a example.org/a v1\nb example.org/b v2\nnoise\n'`),
		Others:  []Peer{{"mine", []string{script(t, dir, "mine", "exit 1")}}},
	}
	want := []Program{
		{"sockeye", "sockeye v1.2 linux/amd64"}, {"ss", `ss utility, iproute2-7.3.0\x1b[0m`}, {"netstat", "net-tools 2.10"},
		{"lsof", "lsof 4.95.0"}, {"a", "example.org/a v1"}, {"b", "example.org/b v2"}, {"mine", ""},
	}
	if got := p.versions(t.Context()); !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	p = Programs{Sockeye: []string{script(t, dir, "broken", "echo no; exit 1")}}
	if got := p.versions(t.Context()); len(got) != 1 || got[0].Version != "" {
		t.Errorf("a program that fails has the version %+v", got)
	}
}
