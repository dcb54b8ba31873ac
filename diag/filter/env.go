package filter

import (
	"net/netip"

	"github.com/sockeye-tools/sockeye/diag"
)

// Env is what a filter depends on beyond its words. A look-up that is nil finds nothing. SystemEnv returns the system's.
type Env struct {
	// Preferred is the family of an operand that does not name one: ss's last -4, -6, -f or -x. Unspec: IPv4 and IPv6.
	Preferred diag.Family
	// TCP and UDP say which tables are wanted: the protocols whose services a name of a port is looked for in.
	TCP, UDP bool
	// Ops are the instructions that the kernel can be given.
	Ops Ops

	// Service returns the port of a service; proto is "tcp" or "udp".
	Service func(name, proto string) (port uint16, ok bool)
	// Hosts returns the addresses of a host: IPv4, IPv6, or both if the family is Unspec.
	Hosts func(name string, family diag.Family) ([]netip.Addr, error)
	// Device returns the index of a network device.
	Device func(name string) (index uint32, ok bool)
	// Cgroup returns the id of a cgroup (v2).
	Cgroup func(path string) (id uint64, err error)
	// PortRange returns the range that the kernel chooses local ports from. nil: 1024 to 4999, as ss takes where it cannot be
	// read.
	PortRange func() (lo, hi uint16)
}

// Ops is a set of instructions of INET_DIAG_REQ_BYTECODE that not every kernel takes, or not from everybody.
type Ops uint8

// Instructions.
const (
	OpDevice Ops = 1 << iota // INET_DIAG_BC_DEV_COND, Linux 4.8
	OpMark                   // INET_DIAG_BC_MARK_COND, Linux 4.9; needs CAP_NET_ADMIN
	OpEqual                  // INET_DIAG_BC_S_EQ and D_EQ, Linux 4.16
	OpCgroup                 // INET_DIAG_BC_CGROUP_COND, Linux 5.8; where it lacks, sockets tell no cgroup either

	AllOps = OpDevice | OpMark | OpEqual | OpCgroup
)

func (e *Env) service(name, proto string) (uint16, bool) {
	if e.Service == nil {
		return 0, false
	}
	return e.Service(name, proto)
}

func (e *Env) hosts(name string, family diag.Family) ([]netip.Addr, error) {
	if e.Hosts == nil {
		return nil, nil
	}
	return e.Hosts(name, family)
}

func (e *Env) device(name string) (uint32, bool) {
	if e.Device == nil {
		return 0, false
	}
	return e.Device(name)
}

func (e *Env) cgroup(path string) (uint64, error) {
	if e.Cgroup == nil {
		return 0, errNoCgroup2
	}
	return e.Cgroup(path)
}

func (e *Env) portRange() (lo, hi uint16) {
	if e.PortRange == nil {
		return fallbackLo, fallbackHi
	}
	return e.PortRange()
}

// The range that ss takes for net.ipv4.ip_local_port_range if it cannot be read.
const fallbackLo, fallbackHi = 1024, 4999
