package ss

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/sockeye-tools/sockeye/render/names"
	"github.com/sockeye-tools/sockeye/render/ss"
)

// protocolFiles are where iproute2 has names of netlink protocols: the first one that is there counts.
var protocolFiles = []string{"/etc/iproute2/nl_protos", "/usr/share/iproute2/nl_protos"}

// netlinkProtocols returns the names of the netlink protocols: iproute2's own, and those of the first file that is there.
func netlinkProtocols(files []string) map[uint8]string {
	list := ss.NetlinkProtocols()
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) < 2 || f[0][0] == '#' {
				continue
			}
			if id, err := strconv.ParseUint(f[0], 0, 8); err == nil {
				list[uint8(id)] = string(names.AppendEscaped(nil, f[1]))
			}
		}
		break
	}
	return list
}

// processName returns what /proc/PID/stat calls a process.
func processName(proc string, pid int32) (string, bool) {
	b, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(int(pid)), "stat"))
	if err != nil {
		return "", false
	}
	_, comm, ok := strings.Cut(string(b), "(")
	return comm, ok
}
