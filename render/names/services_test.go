package names

import (
	"os"
	"path/filepath"
	"testing"
)

const servicesText = `# comment
ssh		22/tcp			# SSH
domain		53/tcp
domain		53/udp
syslog		514/udp
shell		514/tcp		cmd syslog
nfs		2049/tcp
other-nfs	2049/tcp
bad		70000/tcp
bad2		x/tcp
bad3		7
amqp		5672/sctp
evil` + "\x1b" + `[31m	99/tcp
`

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestServices(t *testing.T) {
	path := file(t, servicesText)
	for _, tt := range []struct {
		port  uint16
		proto string
		last  bool
		want  string
	}{
		{22, "tcp", false, "ssh"},
		{22, "udp", false, "22"},
		{53, "udp", false, "domain"},
		{514, "tcp", false, "shell"},
		{514, "udp", false, "syslog"},
		{514, "", false, "syslog"},
		{514, "", true, "shell"},
		{2049, "tcp", false, "nfs"},
		{2049, "tcp", true, "other-nfs"},
		{5672, "sctp", false, "amqp"},
		{5672, "", false, "amqp"},
		{4464, "tcp", false, "4464"}, // 70000 modulo 65536
		{99, "tcp", false, `evil\033[31m`},
		{0, "tcp", false, "0"},
		{65535, "nope", false, "65535"},
	} {
		s := Services{File: path, Last: tt.last}
		if got := string(s.Append(nil, tt.port, tt.proto)); got != tt.want {
			t.Errorf("Append(%d, %q), last %v = %q, want %q", tt.port, tt.proto, tt.last, got, tt.want)
		}
	}
}

func TestServicesMissingFile(t *testing.T) {
	s := Services{File: filepath.Join(t.TempDir(), "none")}
	if got := string(s.Append(nil, 22, "tcp")); got != "22" {
		t.Errorf("got %q", got)
	}
}

func TestServicesAllocs(t *testing.T) {
	s := Services{File: file(t, servicesText)}
	dst := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		dst = s.Append(s.Append(dst[:0], 22, "tcp"), 54321, "udp")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkServices(b *testing.B) {
	s := Services{}
	dst := make([]byte, 0, 64)
	for b.Loop() {
		dst = s.Append(dst[:0], 22, "tcp")
	}
}
