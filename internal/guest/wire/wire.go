// Package wire is what a guest and its host say to each other: the job is a file in the guest, the answers come back as JSON values
// over a virtio port, one after the other.
package wire

import "time"

// Paths in the guest.
const (
	// JobPath is the job, a JSON [Job].
	JobPath = "/guest/job.json"
	// ModulesPath is the folder of the kernel modules, with a file "order".
	ModulesPath = "/guest/modules"
	// OutPath is the folder whose files are sent back at the end.
	OutPath = "/out"
	// PeerPath is the tree of the peer ss, which has its own dynamic loader.
	PeerPath = "/guest/peer"
)

// PortName is the name of the virtio port.
const PortName = "sockeye.guest"

// A Job is what a guest does between its start and its end.
type Job struct {
	Env      []string // of all programs, besides PATH and HOME
	Programs []Program
	// NoFile is the limit of open files of a process, soft and hard.
	NoFile uint64
}

// A Program is one command; it runs when the one before it has ended.
type Program struct {
	Name    string // for people
	Path    string
	Args    []string // without the program's name
	Dir     string
	Timeout time.Duration // after which it is killed with its process group; 0 is no limit
}

// A Message is what the guest says. One of its fields is set.
type Message struct {
	Boot   *Boot   `json:",omitempty"` // the first
	Output *Output `json:",omitempty"`
	Exit   *Exit   `json:",omitempty"`
	File   *File   `json:",omitempty"`
	Fault  string  `json:",omitempty"` // the guest itself is at fault; the last
	Done   bool    `json:",omitempty"` // the last
}

// Boot says that the guest is up.
type Boot struct {
	Release string // uname -r
	CPUs    int
	// Missing are the modules that could not be loaded, with the reason.
	Missing []string `json:",omitempty"`
}

// Output is a piece of what a program wrote, standard output and standard error in one.
type Output struct {
	Program int // its index in the job
	Data    []byte
}

// Exit says how a program ended.
type Exit struct {
	Program int
	Code    int    // the exit status; -1 where there is none
	Reason  string `json:",omitempty"` // why there is none: a signal, the time limit, a start that failed
	Seconds float64
}

// File is a piece of a file below OutPath. A file that is larger than one piece comes in several, in order.
type File struct {
	Name string // below OutPath
	Data []byte
}
