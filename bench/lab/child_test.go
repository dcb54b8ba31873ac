package lab

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func runChild(env ...string) (string, int) {
	cmd := exec.Command("/proc/self/exe", "one", "two three")
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if exited, ok := errors.AsType[*exec.ExitError](cmd.Run()); ok {
		return out.String(), exited.ExitCode()
	}
	return out.String(), 0
}

func TestChildMainExec(t *testing.T) {
	needRoot(t)
	ns, err := newNamespace(16384)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.close()
	out, exit := runChild(envChild+"=exec", envNetNS+"="+ns.path(), envExec+"=/bin/echo", "GODEBUG=")
	if out != "one two three\n" || exit != 0 {
		t.Errorf("echo said %q, exit %d", out, exit)
	}
	out, exit = runChild(envChild+"=exec", envNetNS+"="+ns.path(), envExec+"=/no/such/file")
	if exit != 126 || !strings.Contains(out, `exec "/no/such/file"`) {
		t.Errorf("missing program: %q, exit %d, want 126", out, exit)
	}
	out, exit = runChild(envChild+"=exec", envNetNS+"=/no/such/namespace", envExec+"=/bin/echo")
	if exit != exitLab || !strings.Contains(out, "open network namespace") {
		t.Errorf("missing namespace: %q, exit %d, want %d", out, exit, exitLab)
	}
}

func TestChildMainWorkerWithoutSpec(t *testing.T) {
	out, exit := runChild(envChild + "=worker") // its standard input is empty
	if exit != exitLab || !strings.Contains(out, "worker: EOF") {
		t.Errorf("got %q, exit %d", out, exit)
	}
}
