package counters

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// File is one of the files below /proc/net that have counters.
type File string

// The files.
const (
	SNMP    File = "snmp"      // Ip, Icmp, IcmpMsg, Tcp, Udp, UdpLite
	Netstat File = "netstat"   // TcpExt, IpExt, and MPTcpExt where the kernel has MPTCP (Linux 5.7)
	SNMP6   File = "snmp6"     // Ip6, Icmp6, Udp6, UdpLite6; not there where IPv6 is not
	SCTP    File = "sctp/snmp" // Sctp; not there while sctp is not loaded
)

// Files are all files, in the order that [All] reads them in.
var Files = []File{SNMP, Netstat, SNMP6, SCTP}

// Dir is where the files of the calling thread's network namespace are.
const Dir = "/proc/thread-self/net"

// ErrFormat marks an error in what a file says.
var ErrFormat = errors.New("not in the format of the kernel")

// Section is a run of counters of one protocol. A file may have two of the same name: IcmpMsg has 16 counters in each.
type Section struct {
	File     File
	Name     string // such as "TcpExt"
	Counters []Counter
}

// Counter is one figure.
type Counter struct {
	Name  string // as the file has it: "TCPTimeouts", "Ip6InReceives"
	Value uint64
	// Negative: the kernel wrote a minus sign, and int64(Value) is the figure. Tcp's MaxConn is -1: there is no limit.
	Negative bool
}

// AppendValue appends the figure in decimal.
func (c Counter) AppendValue(dst []byte) []byte {
	if c.Negative {
		return strconv.AppendInt(dst, int64(c.Value), 10)
	}
	return strconv.AppendUint(dst, c.Value, 10)
}

// Short returns the name of the section's counter without the name of the section, which those of snmp6 and sctp/snmp begin
// with: "InReceives".
func (s *Section) Short(c Counter) string {
	if s.File == SNMP6 || s.File == SCTP {
		if short, ok := strings.CutPrefix(c.Name, s.Name); ok && short != "" {
			return short
		}
	}
	return c.Name
}

// Key returns the full name of the section's counter: "TcpExt.TCPTimeouts", "Ip6.InReceives".
func (s *Section) Key(c Counter) string { return s.Name + "." + s.Short(c) }

// Read reads one file in dir, or in [Dir] where that is "". With an error come the sections before it. errors.Is tells
// fs.ErrNotExist, fs.ErrPermission, and ErrFormat.
func Read(dir string, f File) ([]Section, error) {
	if dir == "" {
		dir = Dir
	}
	path := filepath.Join(dir, string(f))
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	var sections []Section
	if f == SNMP || f == Netstat {
		sections, err = parsePairs(text, f)
	} else {
		sections, err = parseLines(text, f)
	}
	if err != nil {
		err = fmt.Errorf("read counters: %s: %w", path, err)
	}
	return sections, err
}

// All reads all files in dir, or in [Dir] where that is "". A file that is not there is passed over, unless none is. With an error
// come the sections that could be read.
func All(dir string) ([]Section, error) {
	var all []Section
	var errs, missing []error
	for _, f := range Files {
		sections, err := Read(dir, f)
		all = append(all, sections...)
		if errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, err)
		} else if err != nil {
			errs = append(errs, err)
		}
	}
	if len(missing) == len(Files) {
		return nil, missing[0]
	}
	return all, errors.Join(errs...)
}
