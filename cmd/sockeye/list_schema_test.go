package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// schemaQuestions are command lines that print JSON; --output is added.
var schemaQuestions = [][]string{
	{"list"}, {"list", "-c", "all"}, {"list", "-c", "tcp,memory,options"}, {"list", "-s", "rtt:desc", "-n", "5"}, {"list", "state listen"},
	{"list", "dport = 1 and sport = 1"}, // none
	{"list", "--all-netns", "-t"}, {"list", "--owners=none"},
	{"list", "-g", "state"}, {"list", "-g", "process,pid,unit"}, {"list", "-g", "local,peer,netid,owner,accept_full", "-c", "sum(rtt),avg(cwnd)"},
	{"list", "-g", "peer/24,local/0", "-c", "count,p50(rtt),p99(bytes_acked),min(recv_q),max(send_q)"},
	{"ss", "-tuanpoeim", "--tos", "--inet-sockopt"}, {"ss", "-tln"}, {"ss", "-wSMan"}, {"ss", "-a"},
	{"netstat", "-tuanp"}, {"netstat", "-tl"}, {"netstat", "-wan"}, {"netstat"},
}

// schemacheck is the path of the validator: that of SOCKEYE_SCHEMACHECK, else where make builds it.
func schemacheck(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(cmp.Or(os.Getenv("SOCKEYE_SCHEMACHECK"), "../../bin/schemacheck"))
	if err == nil {
		_, err = os.Stat(path)
	}
	switch {
	case err == nil:
		return path
	case os.Getenv("SOCKEYE_REQUIRE_PEERS") == "1":
		t.Fatalf("the JSON Schema validator of internal/schemacheck was not built: %v", err)
	}
	t.Skipf("needs the JSON Schema validator of internal/schemacheck: %v", err)
	return ""
}

// answerJSON runs a question in the scene.
func answerJSON(t *testing.T, s *scene.Scene, question []string, format string) []byte {
	t.Helper()
	cmd := exec.Command(peers.Sockeye(t), append(question[:len(question):len(question)], "--output", format)...)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := s.Run(cmd); err != nil {
		t.Fatalf("%q: %v: %s", question, err, words.String())
	}
	return out.Bytes()
}

// What is printed as JSON follows the schema that sockeye schema prints, by a validator that is not ours.
func TestOutputFollowsTheSchema(t *testing.T) {
	check := schemacheck(t)
	bin := peers.Sockeye(t)
	s := scene.New(t)
	file := filepath.Join(t.TempDir(), "schema.json")
	text, err := exec.Command(bin, "schema").Output()
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	valid := func(lines bool, document []byte) error {
		cmd := exec.Command(check, file)
		if lines {
			cmd.Args = append(cmd.Args, "--lines")
		}
		cmd.Stdin = bytes.NewReader(document)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %.2000s", err, out)
		}
		return nil
	}
	for _, question := range schemaQuestions {
		for _, format := range []string{"json", "ndjson"} {
			if err := valid(format == "ndjson", answerJSON(t, s, question, format)); err != nil {
				t.Errorf("%q --output %s: %v", question, format, err)
			}
		}
	}
	for _, bad := range []string{`{}`, `[{"rtt":5}]`, `[{"rtt_us":1.5}]`, `[{"rtt_us":-1}]`, `[{"state":1}]`, `[{"owners":[{"process":"x"}]}]`, `[{"owners":[]}]`} {
		if valid(false, []byte(bad)) == nil {
			t.Errorf("%s is said to follow the schema", bad)
		}
	}
}

// jq reads the JSON, and finds as many sockets in either format.
func TestOutputForJQ(t *testing.T) {
	jq, err := exec.LookPath("jq")
	if err != nil {
		t.Skip("needs jq")
	}
	s := scene.New(t)
	ask := func(document []byte, args ...string) string {
		cmd := exec.Command(jq, args...)
		cmd.Stdin = bytes.NewReader(document)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("jq %q: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	for _, question := range [][]string{ // listeners stay
		{"list", "-c", "all", "--owners=none", "state listen"}, {"list", "-g", "local_port", "state listen"}, {"ss", "-tlnp"}, {"netstat", "-tlnp"},
	} {
		array := ask(answerJSON(t, s, question, "json"), "length")
		lines := ask(answerJSON(t, s, question, "ndjson"), "-s", "length")
		if n, err := strconv.Atoi(array); err != nil || array != lines || n < 5 {
			t.Errorf("%q: %s in an array, %s in lines", question, array, lines)
		}
	}
	got := ask(answerJSON(t, s, []string{"list", "state listen and port = 22"}, "ndjson"), "-r", `[.state, .local_port, (.owners | length > 0)] | @tsv`)
	if got != strings.TrimSpace(strings.Repeat("listen\t22\ttrue\n", strings.Count(got, "\n")+1)) || got == "" {
		t.Errorf("%q", got)
	}
}
