package scene

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Families is a network namespace with sockets of the protocols and families that many kernels lack, or have as modules: SCTP,
// DCCP, UDP-Lite, AF_VSOCK, AF_TIPC, AF_XDP, kernel TLS, MPTCP with several subflows, congestion controls that tell more than others, and
// raw sockets, of which only some kernels tell by netlink.
//
// Every part stands for itself: what the kernel has not is in [Scene.Missing], and the rest is there.
type Families struct {
	*Scene // Sockets has those of TCP, MPTCP (not the subflows), DCCP, UDP-Lite, and raw ones

	SCTP  []SCTPSocket
	VSock []VSockSocket
	TIPC  []TIPCSocket
	XDP   []XDPSocket
	TLS   []TLSSocket
}

// Parts of Families, as Missing names them and NewFamilies wants them.
const (
	FamilySCTP       = "SCTP"
	FamilyDCCP       = "DCCP"
	FamilyVSock      = "AF_VSOCK"
	FamilyTIPC       = "AF_TIPC"
	FamilyXDP        = "AF_XDP"
	FamilyTLS        = "kernel TLS"
	FamilyMPTCP      = "MPTCP"
	FamilyCongestion = "congestion control"
	FamilyRaw        = "raw"
	FamilyUDPLite    = "UDP-Lite"
)

// NewFamilies builds the parts of the scene that are named, all of them if none is. It skips the test where no network namespace
// can be had, and where the kernel has none of the parts. The scene ends with the test.
func NewFamilies(t testing.TB, parts ...string) *Families {
	t.Helper()
	f := &Families{Scene: &Scene{NetNS: NewNetNS(t), dir: t.TempDir()}}
	t.Cleanup(func() {
		if err := f.end(); err != nil {
			t.Error("scene:", err)
		}
	})
	built := 0
	for _, p := range []struct {
		name  string
		build func(*familyBuilder)
	}{
		{FamilySCTP, (*familyBuilder).sctp},
		{FamilyDCCP, (*familyBuilder).dccp},
		{FamilyVSock, (*familyBuilder).vsock},
		{FamilyTIPC, (*familyBuilder).tipc},
		{FamilyXDP, (*familyBuilder).xdp},
		{FamilyTLS, (*familyBuilder).tls},
		{FamilyMPTCP, (*familyBuilder).subflows},
		{FamilyCongestion, (*familyBuilder).congestions},
		{FamilyRaw, (*familyBuilder).rawSockets},
		{FamilyUDPLite, (*familyBuilder).udplite},
	} {
		if len(parts) != 0 && !slices.Contains(parts, p.name) {
			continue
		}
		var err error
		if e := f.Do(func() { err = f.part(p.name, p.build) }); e != nil {
			err = e
		}
		switch {
		case err != nil:
			t.Fatalf("scene: %s: %v", p.name, err)
		case f.Lacks(p.name):
			t.Log("scene:", f.Missing[len(f.Missing)-1])
		default:
			built++
		}
	}
	if built == 0 {
		t.Skipf("scene: this kernel lacks all that is needed: %s", strings.Join(f.Missing, "; "))
	}
	return f
}

// Lacks reports whether the kernel has none of a part.
func (s *Scene) Lacks(what string) bool {
	return slices.ContainsFunc(s.Missing, func(m string) bool { return strings.HasPrefix(m, what+": ") })
}

// familyBuilder makes the sockets of Families; the calling thread is in the namespace.
type familyBuilder struct {
	*builder
	f *Families
}

// part runs the builder of one part. One that finds the kernel to lack its family notes that, and does nothing.
func (f *Families) part(name string, build func(*familyBuilder)) (err error) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case buildError:
			err = e.err
		case lacking:
			f.Missing = append(f.Missing, fmt.Sprintf("%s: %s", name, e.what))
		default:
			panic(e)
		}
	}()
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		return err
	}
	f.comm = strings.TrimSuffix(string(comm), "\n")
	build(&familyBuilder{&builder{Scene: f.Scene}, f})
	return nil
}

// lacking is what a builder panics with where the kernel has none of its family.
type lacking struct{ what string }

// need ends the part without a failure where err says that the kernel does not have it, and with one for any other error.
func need(what string, err error) {
	for _, lacks := range []error{
		unix.EAFNOSUPPORT, unix.EPROTONOSUPPORT, unix.ESOCKTNOSUPPORT, unix.EOPNOTSUPP, unix.ENOPROTOOPT, unix.ENOENT, unix.ENODEV,
	} {
		if errors.Is(err, lacks) {
			panic(lacking{fmt.Sprintf("%s: %v", what, err)})
		}
	}
	check(what, err)
}

// try opens a socket of a family that the kernel may lack.
func (b *familyBuilder) try(what string, family, typ, proto int) int {
	fd, err := unix.Socket(family, typ|unix.SOCK_CLOEXEC, proto)
	need(what, err)
	b.fds = append(b.fds, fd)
	return fd
}

// patient opens a socket whose calls do not wait for ever, whatever its type.
func (b *familyBuilder) patient(family, typ, proto int) int {
	fd := b.socket(family, typ, proto)
	limit(fd)
	return fd
}

// await polls for a condition.
func await(what string, cond func() (bool, error)) { check(what, wait(patience, what, cond)) }
