package filter

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
)

// peerSS is iproute2's ss, or a skip.
func peerSS(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../.peers/ss")
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		if os.Getenv("SOCKEYE_REQUIRE_PEERS") == "1" {
			t.Fatal("no ss to compare with:", err)
		}
		t.Skip("no ss to compare with: run make peers:", err)
	}
	return path
}

// TestWordsAreTheirs compares what is taken, and what is refused with which words, with iproute2's ss.
func TestWordsAreTheirs(t *testing.T) {
	ss := peerSS(t)
	ns := scene.NewNetNS(t)
	ask := func(words string) (text string, status int) {
		var stderr bytes.Buffer
		cmd := exec.CommandContext(t.Context(), ss, "-Htan", "--", words)
		cmd.Stderr = &stderr
		err := ns.Run(cmd)
		exit, ok := errors.AsType[*exec.ExitError](err)
		if err != nil && !ok {
			t.Fatal(err)
		}
		if ok {
			status = exit.ExitCode()
		}
		return stderr.String(), status
	}
	for _, tt := range trees {
		if text, status := ask(tt.words); status != 0 {
			t.Errorf("%s: ss: %d, %s", tt.words, status, text)
		}
	}
	for _, tt := range wrong {
		want, wantStatus := tt.text+"\n", 1
		text, status := ask(tt.words)
		if strings.HasPrefix(tt.text, "ss: ") {
			want, wantStatus = tt.text, 255
			text, _, _ = strings.Cut(text, "\n") // the usage follows
		}
		if text != want || status != wantStatus {
			t.Errorf("%s: ss: %d, %q; want %d, %q", tt.words, status, text, wantStatus, want)
		}
	}
}

// TestLongLinesAreTheirs compares which lines of a filter file are too long with iproute2's ss.
func TestLongLinesAreTheirs(t *testing.T) {
	ss := peerSS(t)
	ns := scene.NewNetNS(t)
	for _, tt := range fileLines {
		cmd := exec.CommandContext(t.Context(), ss, "-tanH", "-F", "-")
		cmd.Stdin = strings.NewReader(fileLine(tt.before, tt.after, tt.size))
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		err := ns.Run(cmd)
		if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
			t.Fatal(err)
		}
		want, status := "", 0
		if tt.long {
			want, status = "Too long line in filter\n", 255
		}
		if stderr.String() != want || cmd.ProcessState.ExitCode() != status {
			t.Errorf("%+v: ss: %d, %q", tt, cmd.ProcessState.ExitCode(), &stderr)
		}
	}
}
