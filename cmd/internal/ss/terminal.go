package ss

import (
	"strconv"
	"strings"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
)

// screenWidth returns how many columns the terminal has that stdout is, or else COLUMNS in the environment; 0 if neither is known.
func screenWidth(env *cli.Env) int {
	if size, ok := env.TerminalSize(); ok && size.Col > 0 {
		return int(size.Col)
	}
	// As atoi(3) reads it: 64 bits, of which the lower half counts.
	columns := strings.TrimLeft(env.Getenv("COLUMNS"), " \t\n\v\f\r")
	end := 0
	for end < len(columns) && (columns[end] >= '0' && columns[end] <= '9' || end == 0 && strings.IndexByte("+-", columns[0]) >= 0) {
		end++
	}
	n, _ := strconv.ParseInt(columns[:end], 10, 64) // out of range: the nearest number in it
	return max(0, int(int32(n)))
}
