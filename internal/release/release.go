// Package release tells the running kernel's release.
package release

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Of returns a release as a number: a later one is greater, and major is in the bits from 16 on.
func Of(major, minor int) int { return major<<16 | minor }

// Running returns the running kernel's release as Of does, or 0 where uname(2) does not tell.
func Running() int {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return 0
	}
	return parse(unix.ByteSliceToString(u.Release[:]))
}

// parse reads a release such as "5.10.0-8-amd64".
func parse(s string) int {
	var major, minor int
	if _, err := fmt.Sscanf(s, "%d.%d", &major, &minor); err != nil {
		return 0
	}
	return Of(major, minor)
}
