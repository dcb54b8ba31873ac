package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const schema = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"array","items":{"type":"object","additionalProperties":false,
"properties":{"rtt_us":{"type":"integer","minimum":0},"state":{"type":"string"}}}}`

func TestRun(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good, bad := write("good", schema), write("bad", `{"type":"arroy"}`)
	for _, tt := range []struct {
		args, in string
		status   int
	}{
		{good, `[]`, 0},
		{good, `[{"rtt_us":18446744073709551615,"state":"x"}]`, 0},
		{"--lines " + good, "{\"rtt_us\":1}\n{}\n", 0},
		{"--lines " + good, "", 0},
		{good, `{}`, 1},
		{good, `[{"rtt_us":-1}]`, 1},
		{good, `[{"rtt_us":1.5}]`, 1},
		{good, `[{"rtt_us":"1"}]`, 1},
		{good, `[{"rtt":1}]`, 1},
		{"--lines " + good, "{\"rtt_us\":1}\n{\"x\":1}\n", 1},
		{good, `[] []`, 2},
		{good, `[{]`, 2},
		{good, ``, 2},
		{bad, `[]`, 2},
		{filepath.Join(dir, "none"), `[]`, 2},
		{"", `[]`, 2},
	} {
		var words strings.Builder
		status := run(strings.Fields(tt.args), strings.NewReader(tt.in), &words)
		if status != tt.status || (status == 0) != (words.Len() == 0) {
			t.Errorf("%s: %s: status %d, want %d: %s", tt.args, tt.in, status, tt.status, words.String())
		}
	}
}
