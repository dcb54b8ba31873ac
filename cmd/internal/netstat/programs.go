package netstat

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/owner"
)

// program returns the process with the lowest pid that has the socket, which is the one that netstat shows.
func (r *run) program(t *owner.Table, inode uint32) (pid int32, argv0 string, ok bool) {
	r.owned = t.Owners(r.owned[:0], inode)
	if len(r.owned) == 0 {
		return 0, "", false
	}
	pid = r.owned[0].PID
	if argv := t.Process(pid).Argv(); len(argv) > 0 {
		argv0 = argv[0]
	}
	return pid, argv0, true
}

// warnDenied says that there are processes whose sockets could not be seen, where netstat would: it counts those whose list of
// descriptors may not be opened. Where none could be seen at all it says so in any case (no /proc, hidepid, a user namespace).
func warnDenied(env *cli.Env, t *owner.Table) {
	unseen := t.Denied() > 0 && t.Len() == 0
	proc := env.Owners.Proc
	if proc == "" {
		proc = "/proc"
	}
	switch denied, some := descriptors(proc); {
	case !denied && !unseen:
	case some || !denied:
		complain(env, "(Not all processes could be identified, non-owned process info\n"+
			" will not be shown, you would have to be root to see it all.)")
	default:
		complain(env, fmt.Sprintf("(No info could be read for \"-p\": geteuid()=%d but you should be root.)", os.Geteuid()))
	}
}

// descriptors reports whether there are processes whose descriptors may not be listed, and whether the others have a socket, this
// one not counted.
func descriptors(proc string) (denied, sockets bool) {
	pids, _ := os.ReadDir(proc)
	for _, pid := range pids {
		if n, err := strconv.Atoi(pid.Name()); err != nil || n == os.Getpid() {
			continue
		}
		dir, err := os.Open(proc + "/" + pid.Name() + "/fd")
		if err != nil {
			denied = denied || errors.Is(err, fs.ErrPermission)
			continue
		}
		if !sockets {
			sockets = hasSocket(dir)
		}
		dir.Close()
		if denied && sockets {
			break
		}
	}
	return denied, sockets
}

func hasSocket(dir *os.File) bool {
	fds, _ := dir.Readdirnames(-1)
	for _, fd := range fds {
		if link, _ := os.Readlink(dir.Name() + "/" + fd); strings.HasPrefix(link, "socket:[") {
			return true
		}
	}
	return false
}
