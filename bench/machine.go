package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Machine is the host on which programs are timed. What is not known is "" or 0.
type Machine struct {
	System string `json:"system"` // as uname -s
	Kernel string `json:"kernel"` // as uname -r
	Arch   string `json:"arch"`   // as uname -m
	CPU    string `json:"cpu,omitempty"`
	CPUs   int    `json:"cpus"` // that this process may use
	// Memory is MemTotal of proc_meminfo(5), in bytes.
	Memory int64 `json:"memory_bytes,omitempty"`
	// Load is the load average of the last minute, before the first run.
	Load string `json:"load,omitempty"`
	Root bool   `json:"root"`
}

// Sockets counts the sockets of the network namespace before the first run, as /proc/net/sockstat and sockstat6 have them.
type Sockets struct {
	TCP      int `json:"tcp"` // both families, without TIME_WAIT
	TimeWait int `json:"time_wait"`
	UDP      int `json:"udp"` // both families
}

// Lab is the lab that the programs ran in.
type Lab struct {
	Sockets   int    `json:"sockets"`
	Shape     string `json:"shape"`
	Processes int    `json:"processes"`
}

func readMachine(proc string) Machine {
	m := Machine{CPUs: runtime.NumCPU(), Root: os.Geteuid() == 0}
	var uts unix.Utsname
	if unix.Uname(&uts) == nil {
		m.System, m.Kernel, m.Arch = unix.ByteSliceToString(uts.Sysname[:]), unix.ByteSliceToString(uts.Release[:]), unix.ByteSliceToString(uts.Machine[:])
	}
	m.CPU = field(proc, "cpuinfo", "model name")
	if kb, _, _ := strings.Cut(field(proc, "meminfo", "MemTotal"), " "); kb != "" {
		n, err := strconv.ParseInt(kb, 10, 64)
		if err == nil {
			m.Memory = n << 10
		}
	}
	if b, err := os.ReadFile(filepath.Join(proc, "loadavg")); err == nil {
		m.Load, _, _ = strings.Cut(string(b), " ")
	}
	return m
}

// field returns what is behind "name:" in a file, the first time it is there.
func field(proc, file, name string) string {
	b, err := os.ReadFile(filepath.Join(proc, file))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return printable(strings.TrimSpace(value))
		}
	}
	return ""
}

// readSockets returns nil where the counts cannot be read.
func readSockets(proc string) *Sockets {
	var s Sockets
	four, err := os.ReadFile(filepath.Join(proc, "net/sockstat"))
	if err != nil {
		return nil
	}
	six, err := os.ReadFile(filepath.Join(proc, "net/sockstat6"))
	if err != nil {
		six = nil // no IPv6
	}
	v4, v6 := sockstat(four), sockstat(six)
	s.TCP = v4["TCP inuse"] + v6["TCP6 inuse"]
	s.UDP = v4["UDP inuse"] + v6["UDP6 inuse"]
	s.TimeWait = v4["TCP tw"]
	return &s
}

// sockstat reads lines as "TCP: inuse 12 orphan 0 tw 3".
func sockstat(b []byte) map[string]int {
	m := map[string]int{}
	for sc := bufio.NewScanner(bytes.NewReader(b)); sc.Scan(); {
		proto, rest, _ := strings.Cut(sc.Text(), ":")
		f := strings.Fields(rest)
		for i := 0; i+1 < len(f); i += 2 {
			if n, err := strconv.Atoi(f[i+1]); err == nil {
				m[proto+" "+f[i]] = n
			}
		}
	}
	return m
}

// readLab reads the truth that a lab gives to its command, and returns nil where there is no lab.
func readLab(file string) *Lab {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var truth struct {
		Sockets   int               `json:"sockets"`
		Shape     string            `json:"shape"`
		Processes []json.RawMessage `json:"processes"`
	}
	if json.Unmarshal(b, &truth) != nil || truth.Sockets == 0 {
		return nil
	}
	return &Lab{truth.Sockets, truth.Shape, len(truth.Processes)}
}
