package ss

import (
	"strconv"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
)

// screenWidth returns how many columns the terminal has that stdout is, or else COLUMNS in the environment; 0 if neither is known.
func screenWidth(env *cli.Env) int {
	if size, ok := env.TerminalSize(); ok && size.Col > 0 {
		return int(size.Col)
	}
	digits := env.Getenv("COLUMNS")
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			digits = digits[:i]
			break
		}
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}
