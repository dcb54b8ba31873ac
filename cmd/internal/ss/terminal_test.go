package ss

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
)

// openPTY returns both ends of a pseudo terminal with that many columns.
func openPTY(t *testing.T, columns uint16) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("needs pseudo terminals: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Skipf("needs pseudo terminals: %v", err)
	}
	t.Cleanup(func() { slave.Close() })
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	return master, slave
}

func TestScreenWidth(t *testing.T) {
	for columns, want := range map[string]int{
		"": 0, "80": 80, "0": 0, "-5": 0, "x": 0, "132x": 132, "99999999999999999999": 0,
		" 80": 80, "\t\n+80": 80, "+-80": 0, "+ 80": 0, "+": 0, "4294967296": 0, "4294967376": 80, "2147483648": 0, "-4294967216": 80,
	} {
		env := &cli.Env{Stdout: &strings.Builder{}, Getenv: func(string) string { return columns }}
		if got := screenWidth(env); got != want {
			t.Errorf("COLUMNS=%q: %d, want %d", columns, got, want)
		}
	}
	_, slave := openPTY(t, 97)
	env := &cli.Env{Stdout: slave, Getenv: func(string) string { return "80" }}
	if got := screenWidth(env); got != 97 {
		t.Errorf("terminal of 97 columns, COLUMNS=80: %d", got)
	}
	_, slave = openPTY(t, 0)
	env.Stdout = slave
	if got := screenWidth(env); got != 80 {
		t.Errorf("terminal that does not tell, COLUMNS=80: %d", got)
	}
}
