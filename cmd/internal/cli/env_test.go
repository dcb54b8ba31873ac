package cli

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTerminalSize(t *testing.T) {
	end, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer end.Close()
	defer pipe.Close()
	env := &Env{Stdout: &bytes.Buffer{}}
	if size, ok := env.TerminalSize(); ok {
		t.Errorf("a buffer is a terminal: %v", size)
	}
	env.Stdout = pipe
	if size, ok := env.TerminalSize(); ok {
		t.Errorf("a pipe is a terminal: %v", size)
	}
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("needs pseudo terminals: %v", err)
	}
	defer master.Close()
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("needs pseudo terminals: %v", err)
	}
	defer slave.Close()
	env.Stdout = slave
	for _, want := range []unix.Winsize{{}, {Row: 24, Col: 97}} {
		if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &want); err != nil {
			t.Fatal(err)
		}
		if got, ok := env.TerminalSize(); !ok || got != want {
			t.Errorf("%v, %v, want %v", got, ok, want)
		}
	}
}

// A text that cannot be written is an error.
func TestPrint(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("needs /dev/full: %v", err)
	}
	defer full.Close()
	var out, words bytes.Buffer
	env := &Env{Stdout: &out, Stderr: &words}
	if status := env.Print("text\n"); status != ExitOK || out.String() != "text\n" || words.Len() > 0 {
		t.Errorf("status %d, %q, %q", status, &out, &words)
	}
	env.Stdout = full
	if status := env.Print("text\n"); status != ExitFailed || words.String() != "sockeye: write /dev/full: no space left on device\n" {
		t.Errorf("status %d, %q", status, &words)
	}
}
