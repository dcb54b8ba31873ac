package ss

import (
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// netnsDir is where ip-netns(8) puts the network namespaces that have names.
const netnsDir = "/run/netns/"

// enterNetNS moves the calling goroutine into the network namespace with a name, for good: it keeps its thread. Other than ss, it
// leaves mounts as they are: those of /etc/netns/NAME do not come in, and cgroups keep their names.
func enterNetNS(name string) error {
	name, _, _ = strings.Cut(name, "\x00")
	fail := func(text string, err error) error {
		return &exit{text: text + ": " + strerror(err), status: exitFailed}
	}
	fd, err := unix.Open(netnsDir+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fail(`Cannot open network namespace "`+name+`"`, err)
	}
	defer unix.Close(fd)
	runtime.LockOSThread() // not unlocked: the thread ends with the goroutine
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		return fail(`setting the network namespace "`+name+`" failed`, err)
	}
	return nil
}
