package list

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/leak"
)

// argsEnv makes the test binary the verb, with the arguments in it as JSON.
const argsEnv = "SOCKEYE_LIST_ARGS"

// Of the verb: ownersEnv is how it looks up owners, /proc where that is not said; planEnv has it print its plan, exactEnv show
// each socket exactly once.
const ownersEnv, planEnv, exactEnv = "SOCKEYE_LIST_OWNERS", "SOCKEYE_LIST_PLAN", "SOCKEYE_LIST_EXACT"

func TestMain(m *testing.M) {
	if s := os.Getenv(argsEnv); s != "" {
		var args []string
		if err := json.Unmarshal([]byte(s), &args); err != nil {
			panic(err)
		}
		env := &cli.Env{Ctx: context.Background(), Args: append([]string{"list"}, args...), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
			Getenv: os.Getenv, Owners: owner.Config{Backend: owner.Proc}, Exact: os.Getenv(exactEnv) != ""}
		if b, err := owner.ParseBackend(os.Getenv(ownersEnv)); err == nil {
			env.Owners.Backend = b
		}
		if os.Getenv(planEnv) != "" {
			env.Plan = os.Stdout
		}
		os.Exit(Main(env))
	}
	os.Exit(leak.Wrap(m).Run())
}

// verb runs the verb, in a namespace if there is one.
func verb(t testing.TB, ns *scene.NetNS, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	b, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), argsEnv+"="+string(b))
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if ns != nil {
		err = ns.Run(cmd)
	} else {
		err = cmd.Run()
	}
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), words.String(), cmd.ProcessState.ExitCode()
}

// answer runs the verb for JSON lines, and fails the test unless it succeeds.
func answer(t testing.TB, ns *scene.NetNS, args ...string) (rows []map[string]any) {
	t.Helper()
	out, words, status := verb(t, ns, append(args, "-o", "ndjson")...)
	if status != 0 {
		t.Fatalf("%q: status %d: %s", args, status, words)
	}
	for line := range strings.Lines(out) {
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		var row map[string]any
		if err := d.Decode(&row); err != nil {
			t.Fatalf("%q: %v: %s", args, err, line)
		}
		rows = append(rows, row)
	}
	return rows
}

func str(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
