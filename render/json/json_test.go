package json

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/diag/owner"
)

// holders: odd inodes are held by one process, those that 4 divides by two.
type holders struct{}

const odd = "o\"d\\d\x1b\xff\u2028\u202e\n"

func (holders) Owners(dst []owner.Owner, inode uint32) []owner.Owner {
	if inode%2 == 1 || inode%4 == 0 {
		dst = append(dst, owner.Owner{PID: 100, FD: 3})
	}
	if inode%4 == 0 {
		dst = append(dst, owner.Owner{PID: 200, FD: 3})
	}
	return dst
}

func (holders) Process(pid int32) *owner.Process {
	return &owner.Process{PID: pid, Known: true, Comm: map[int32]string{100: "server", 200: odd}[pid]}
}

func (holders) Denied() int { return 0 }

func context() *field.Context {
	return &field.Context{
		Owners: holders{}, Proc: "/nonexistent", NetNS: "blue",
		Device: func(i uint32) (string, bool) { return fmt.Sprintf("dev%d", i), true },
		User:   func(uid uint32) (string, bool) { return "root", uid == 0 },
		Cgroup: func(id uint64) (string, bool) { return "/system.slice", true },
	}
}

// each calls f with the sockets of the recorded scene.
func each(t testing.TB, f func(*diag.InetSocket)) {
	c, err := diag.Dial(diagtest.Load(t, "../../testdata/scene.nl").Replay(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n := 0
	for _, p := range []diag.Protocol{diag.TCP, diag.UDP} {
		for s, err := range c.Inet(t.Context(), diag.InetQuery{Protocol: p, Ext: 0xff}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			f(s)
		}
	}
	if n < 60 {
		t.Fatalf("the recording has only %d sockets", n)
	}
}

// What is written is JSON, as encoding/json and the schema have it, with each number as the field has it.
func TestSocketsFollowTheSchema(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	ctx := context()
	e := NewEncoder(ctx, field.All)
	var b []byte
	seen := map[string]bool{}
	each(t, func(s *diag.InetSocket) {
		b = e.Append(b[:0], s)
		if !utf8.Valid(b) {
			t.Errorf("not UTF-8: %q", b)
		}
		d := json.NewDecoder(strings.NewReader(string(b)))
		d.UseNumber()
		var row map[string]any
		if err := d.Decode(&row); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		for _, msg := range validate(schema, schema["$defs"].(map[string]any)["socket"], row, "socket") {
			t.Errorf("%s: %s", msg, b)
		}
		for _, f := range field.All {
			if f.Many || f.Shown || f.Kind != field.Number {
				continue
			}
			v, ok := f.Plain(ctx, s)
			got, has := row[f.Key]
			if ok != has || ok && fmt.Sprint(v) != fmt.Sprint(got) {
				t.Errorf("%s: %v, %v, want %d, %v", f.Key, got, has, v, ok)
			}
			seen[f.Name] = seen[f.Name] || ok
		}
	})
	for _, name := range []string{"rtt", "recv_q", "accept_q", "backlog", "expires", "cookie", "pacing_rate", "bytes_acked", "rcvbuf", "drops", "idle", "snd_wnd"} {
		if !seen[name] {
			t.Errorf("the recording has no %s", name)
		}
	}
}

// validate checks the parts of JSON Schema that Schema uses.
func validate(root map[string]any, schema, value any, at string) (errs []string) {
	s := schema.(map[string]any)
	if ref, ok := s["$ref"].(string); ok {
		return validate(root, root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")], value, at)
	}
	switch s["type"] {
	case "object":
		m, ok := value.(map[string]any)
		if !ok {
			return []string{at + " is no object"}
		}
		props := s["properties"].(map[string]any)
		patterns, _ := s["patternProperties"].(map[string]any)
	keys:
		for k, v := range m {
			if p, ok := props[k]; ok {
				errs = append(errs, validate(root, p, v, at+"."+k)...)
				continue
			}
			for pattern, p := range patterns {
				if regexp.MustCompile(pattern).MatchString(k) {
					errs = append(errs, validate(root, p, v, at+"."+k)...)
					continue keys
				}
			}
			errs = append(errs, at+"."+k+" is not in the schema")
		}
		required, _ := s["required"].([]any)
		for _, r := range required {
			if _, ok := m[r.(string)]; !ok {
				errs = append(errs, at+"."+r.(string)+" is missing")
			}
		}
	case "array":
		list, ok := value.([]any)
		if !ok {
			return []string{at + " is no array"}
		}
		for _, v := range list {
			errs = append(errs, validate(root, s["items"], v, at+"[]")...)
		}
	case "integer":
		n, ok := value.(json.Number)
		if !ok || strings.ContainsAny(n.String(), ".eE-") {
			errs = append(errs, fmt.Sprintf("%s is no natural number: %v", at, value))
		}
	case "string":
		if _, ok := value.(string); !ok {
			errs = append(errs, at+" is no string")
		}
	case "boolean":
		if _, ok := value.(bool); !ok {
			errs = append(errs, at+" is no boolean")
		}
	default:
		errs = append(errs, at+": the schema has no type that is known here")
	}
	return errs
}

func TestValidateFindsFaults(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{`{"rtt":5}`, `{"rtt_us":1.5}`, `{"rtt_us":"1"}`, `{"state":1}`, `{"owners":[{"process":"x"}]}`, `[]`} {
		d := json.NewDecoder(strings.NewReader(bad))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		if validate(schema, schema["$defs"].(map[string]any)["socket"], v, "socket") == nil {
			t.Errorf("%s is said to follow the schema", bad)
		}
	}
}

func TestAppendString(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", odd: "o\"d\\d\x1b\ufffd\u2028\u202e\n", "\x00\x7f\u0085": "\x00\x7f\u0085", "ünï€𝄞": "ünï€𝄞", "\xe2\x82": "\ufffd\ufffd",
	} {
		b := AppendString(nil, in)
		var got string
		if err := json.Unmarshal(b, &got); err != nil || got != want {
			t.Errorf("%q: %s, read as %q, %v", in, b, got, err)
		}
		for _, r := range string(b) {
			if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x202e {
				t.Errorf("%q: %s has %U", in, b, r)
			}
		}
	}
}

func TestNoAllocation(t *testing.T) {
	ctx := context()
	var base []*field.Field
	for _, f := range field.All {
		if f.Group == field.Base || f.Group == field.TCP {
			base = append(base, f)
		}
	}
	e := NewEncoder(ctx, base)
	ctx.Device = func(uint32) (string, bool) { return "eth0", true }
	var b []byte
	n := 0
	each(t, func(s *diag.InetSocket) {
		b = e.Append(b[:0], s)
		if n++; n%10 == 0 {
			if a := testing.AllocsPerRun(10, func() { b = e.Append(b[:0], s) }); a != 0 {
				t.Errorf("%v allocations for %s", a, b)
			}
		}
	})
}

// BenchmarkEncoder writes the sockets of the recording, one after the other, as list does without --columns.
func BenchmarkEncoder(b *testing.B) {
	var socks []*diag.InetSocket
	each(b, func(s *diag.InetSocket) { socks = append(socks, s.Clone()) })
	e := NewEncoder(context(), Fields(Standard...))
	var row []byte
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		row = e.Append(row[:0], socks[i%len(socks)])
		i++
	}
}

func TestJQ(t *testing.T) {
	jq, err := exec.LookPath("jq")
	if err != nil {
		t.Skip("jq is not installed")
	}
	ctx := context()
	e := NewEncoder(ctx, field.All)
	var lines []byte
	n := 0
	each(t, func(s *diag.InetSocket) {
		lines = append(e.Append(lines, s), '\n')
		n++
	})
	cmd := exec.Command(jq, "-s", "length")
	cmd.Stdin = strings.NewReader(string(lines))
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != fmt.Sprint(n) {
		t.Errorf("jq: %v: %s, want %d", err, out, n)
	}
}
