package owner

import "fmt"

// A Backend is a way to find out which processes hold a socket.
type Backend uint8

const (
	// Auto picks BPF where many files are open and it is permitted, and Proc
	// otherwise.
	Auto Backend = iota
	// BPF runs an iter/task_file program. It needs Linux 5.11 with BTF, and
	// CAP_BPF with CAP_PERFMON, or CAP_SYS_ADMIN, in the initial user
	// namespace. It sees every process of the pid namespace of its reader.
	BPF
	// Proc reads the links in /proc/PID/fd. It needs no privilege, but sees
	// only processes that the caller may inspect as with ptrace(2),
	// PTRACE_MODE_READ_FSCREDS: see Table.Denied.
	Proc
	// None looks for no owners.
	None
)

var backendNames = [...]string{Auto: "auto", BPF: "bpf", Proc: "proc", None: "none"}

// String returns the name that ParseBackend takes.
func (b Backend) String() string {
	if int(b) < len(backendNames) {
		return backendNames[b]
	}
	return fmt.Sprintf("Backend(%d)", uint8(b))
}

// ParseBackend returns the backend with the given name: auto, bpf, proc or
// none.
func ParseBackend(s string) (Backend, error) {
	for b, name := range backendNames {
		if s == name {
			return Backend(b), nil
		}
	}
	return Auto, fmt.Errorf("owner: unknown backend %q, want auto, bpf, proc or none", s)
}
