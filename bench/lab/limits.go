package lab

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// limits is what the host allows. Negative numbers are unknown and not checked.
type limits struct {
	caps      uint64 // effective capabilities
	noFile    int    // hard RLIMIT_NOFILE, of one process
	files     int    // files that may still be opened, of the whole host
	available int64  // bytes of memory
}

// Memory that a socket takes, with its inode, file and hash entries; measured on Linux 6.18.
const (
	bytesPerSocket   = 5 << 10
	bytesPerTimeWait = 600
)

func readLimits() (limits, error) {
	l := limits{files: -1, available: -1}
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return l, fmt.Errorf("capget: %w", err)
	}
	l.caps = uint64(data[1].Effective)<<32 | uint64(data[0].Effective)
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return l, fmt.Errorf("getrlimit RLIMIT_NOFILE: %w", err)
	}
	l.noFile = int(min(r.Max, 1<<30)) // a Go program raises its own soft limit
	if b, err := os.ReadFile("/proc/sys/fs/file-nr"); err == nil {
		if f := strings.Fields(string(b)); len(f) == 3 {
			used, err1 := strconv.ParseUint(f[0], 10, 64)
			most, err2 := strconv.ParseUint(f[2], 10, 64)
			if err1 == nil && err2 == nil {
				l.files = int(min(most-min(used, most), 1<<62))
			}
		}
	}
	if f, err := os.Open("/proc/meminfo"); err == nil {
		defer f.Close()
		l.available = memAvailable(bufio.NewScanner(f))
	}
	return l, nil
}

func memAvailable(sc *bufio.Scanner) int64 {
	for sc.Scan() {
		if v, ok := strings.CutPrefix(sc.Text(), "MemAvailable:"); ok {
			if kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(v, "kB")), 10, 64); err == nil {
				return kb << 10
			}
		}
	}
	return -1
}

// check says what is missing, before anything is built.
func (l limits) check(cfg Config) error {
	var missing []string
	for _, c := range []struct {
		name string
		bit  int
	}{{"CAP_SYS_ADMIN", unix.CAP_SYS_ADMIN}, {"CAP_NET_ADMIN", unix.CAP_NET_ADMIN}, {"CAP_NET_RAW", unix.CAP_NET_RAW}} {
		if l.caps&(1<<c.bit) == 0 {
			missing = append(missing, c.name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("a network namespace needs root, or %s: %w", strings.Join(missing, ", "), os.ErrPermission)
	}
	if n := 4 * spareFDs; l.noFile < n {
		return fmt.Errorf("RLIMIT_NOFILE is %d, need at least %d: raise the hard limit (ulimit -Hn)", l.noFile, n)
	}
	each := int64(bytesPerSocket)
	if cfg.Shape == TimeWait {
		each = bytesPerTimeWait
	} else if l.files >= 0 && l.files < cfg.Sockets {
		return fmt.Errorf("fs.file-max leaves %d files to open, need %d: raise it, or ask for fewer sockets", l.files, cfg.Sockets)
	}
	if need := each * int64(cfg.Sockets); l.available >= 0 && l.available < need {
		return fmt.Errorf("%d MB of memory are available, %d sockets need about %d MB: ask for fewer sockets", l.available>>20, cfg.Sockets, need>>20)
	}
	return nil
}

// perProc is how many sockets one worker may hold.
func (l limits) perProc() int { return min(l.noFile-spareFDs, mostPerProc) }
