package lab

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Churn is processes inside a lab whose sockets come and go: TCP connections, listeners and UDP sockets of both families. Other
// processes start all the time, and end while they hold sockets.
type Churn struct {
	workers []*exec.Cmd
	life    []*os.File
	reading sync.WaitGroup
	made    atomic.Int64
	mu      sync.Mutex
	err     error
}

// churnSpec is what a churning process is told. With a Rate of 0 it is the one that starts others, and has no sockets: what it had
// they would hold too until they are programs of their own.
type churnSpec struct{ Rate int }

// churnRing is how many connections of a churning process exist at a time.
const churnRing = 512

// StartChurn starts n processes, each of which opens and closes about rate sockets a second until Stop.
//
// Every one of their sockets is bound to an address that names the process that opened it: see [ChurnPID]. No other process ever
// holds it. The processes call themselves churn-PID.
func (l *Lab) StartChurn(n, rate int) (*Churn, error) {
	c := &Churn{}
	for i := range n + 1 {
		if i == n {
			rate = 0
		}
		if err := c.start(l, churnSpec{Rate: rate}); err != nil {
			c.Stop()
			return nil, fmt.Errorf("lab: start churn: %w", err)
		}
	}
	return c, nil
}

func (c *Churn) start(l *Lab, s churnSpec) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	in, life, err := os.Pipe()
	if err != nil {
		return err
	}
	defer in.Close()
	output, out, err := os.Pipe()
	if err != nil {
		life.Close()
		return err
	}
	defer out.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"churn"}
	cmd.Env = childEnv("churn")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := l.ns.do(cmd.Start); err != nil {
		life.Close()
		output.Close()
		return err
	}
	c.workers, c.life = append(c.workers, cmd), append(c.life, life)
	c.reading.Go(func() {
		defer output.Close()
		for dec := json.NewDecoder(output); ; {
			var m message
			if dec.Decode(&m) != nil {
				return
			}
			c.made.Add(int64(m.Made))
			if m.Err != "" {
				c.mu.Lock()
				c.err = errors.Join(c.err, errors.New("lab: churn: "+m.Err))
				c.mu.Unlock()
			}
		}
	})
	_, err = life.Write(b)
	return err
}

// Made returns how many sockets were opened so far, as last reported by the processes.
func (c *Churn) Made() int64 { return c.made.Load() }

// Stop ends the processes, and tells what went wrong in them.
func (c *Churn) Stop() error {
	for i, w := range c.workers {
		c.life[i].Close()
		w.Process.Kill()
	}
	for _, w := range c.workers {
		w.Wait()
	}
	c.workers, c.life = nil, nil
	c.reading.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// churnPrefix is where the addresses of churning processes are: behind it comes the pid.
var churnPrefix = [2]netip.Prefix{netip.MustParsePrefix("127.128.0.0/10"), netip.MustParsePrefix("fd50:0:0:3::/64")}

// churnAddr is the address of all sockets of a churning process. Linux has pids of up to 22 bits.
func churnAddr(f, pid int) netip.Addr {
	if f == 1 {
		return v6(0xfd50_0000_0000_0003, pid, 1)
	}
	b := churnPrefix[0].Addr().As4()
	binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])|uint32(pid))
	return netip.AddrFrom4(b)
}

// ChurnPID returns which process opened the socket that is bound to an address; ok is false where it is not one of a Churn.
func ChurnPID(a netip.Addr) (pid int, ok bool) {
	switch {
	case churnPrefix[0].Contains(a):
		b := a.As4()
		return int(binary.BigEndian.Uint32(b[:]) & (1<<22 - 1)), true
	case churnPrefix[1].Contains(a):
		b := a.As16()
		return int(binary.BigEndian.Uint32(b[8:])), true
	}
	return 0, false
}

// churner is one churning process.
type churner struct {
	listener [2]int
	at       [2]*sockaddr // where it listens
	from     [2]*sockaddr // the same address without a port
	pairs    [churnRing][2]int
	others   [64]int // UDP sockets and listeners
	n, made  int
}

func churnMain() error {
	var s churnSpec
	if err := json.NewDecoder(os.Stdin).Decode(&s); err != nil {
		return fmt.Errorf("churn: %w", err)
	}
	go outlive(func() {})
	enc := json.NewEncoder(os.Stdout)
	fail := func(err error) { enc.Encode(message{Err: err.Error()}) }
	if s.Rate == 0 {
		failed := make(chan error, 1)
		for tick := time.Tick(25 * time.Millisecond); ; {
			var err error
			select {
			case <-tick:
				err = startFleeting(failed)
			case err = <-failed:
			}
			if err != nil {
				fail(err)
				return err
			}
		}
	}
	c, err := newChurner()
	if err != nil {
		fail(err)
		return err
	}
	const tick = 5 * time.Millisecond
	next := time.NewTicker(tick)
	for i := 0; ; i++ {
		<-next.C
		for range max(1, s.Rate/2*int(tick/time.Millisecond)/1000) {
			if err := c.step(); err != nil {
				fail(err)
				return err
			}
		}
		if i%10 == 0 {
			enc.Encode(message{Made: c.made})
			c.made = 0
		}
	}
}

func newChurner() (*churner, error) {
	c := &churner{}
	pid := os.Getpid()
	if err := setComm("churn-" + strconv.Itoa(pid)); err != nil {
		return nil, err
	}
	for i := range c.pairs {
		c.pairs[i] = [2]int{-1, -1}
	}
	for i := range c.others {
		c.others[i] = -1
	}
	for f := range 2 {
		at := netip.AddrPortFrom(churnAddr(f, pid), 9)
		fd, err := listen(at, 64, false)
		if err != nil {
			return nil, err
		}
		c.listener[f], c.at[f], c.from[f] = fd, newSockaddr(at), newSockaddr(netip.AddrPortFrom(at.Addr(), 0))
	}
	return c, nil
}

// step opens a connection, and closes the oldest if there are many. Now and then it does so with another socket.
func (c *churner) step() error {
	c.n++
	v6 := c.n%3 == 0
	f := 0
	if v6 {
		f = 1
	}
	p := &c.pairs[c.n%churnRing]
	if p[0] >= 0 {
		if c.n%4 == 0 { // in order: leaves a TIME_WAIT behind
			for _, fd := range p {
				unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{})
			}
		}
		unix.Close(p[0])
		unix.Close(p[1])
		*p = [2]int{-1, -1}
	}
	fd, err := stream(v6, 0)
	if err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return os.NewSyscallError("setsockopt IP_BIND_ADDRESS_NO_PORT", err)
	}
	if err := bind(fd, c.from[f]); err != nil {
		return err
	}
	if err := connect(fd, c.at[f]); err != nil {
		unix.Close(fd)
		if errors.Is(err, unix.EADDRNOTAVAIL) { // all ports are in TIME_WAIT
			return nil
		}
		return err
	}
	peer, err := accept(c.listener[f], nil)
	if err != nil {
		return err
	}
	*p = [2]int{fd, peer}
	c.made += 2
	if c.n%8 == 0 {
		return c.other(f)
	}
	return nil
}

// other opens a UDP socket or a listener in place of the oldest one.
func (c *churner) other(f int) error {
	o := &c.others[c.n/8%len(c.others)]
	if *o >= 0 {
		unix.Close(*o)
		*o = -1
	}
	typ := unix.SOCK_DGRAM
	if c.n%16 == 0 {
		typ = unix.SOCK_STREAM
	}
	fd, err := unix.Socket(family(f == 1), typ|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	*o = fd
	c.made++
	if err := bind(fd, c.from[f]); err != nil {
		return err
	}
	if typ == unix.SOCK_STREAM {
		return os.NewSyscallError("listen", unix.Listen(fd, 1))
	}
	return nil
}

// startFleeting starts a process that ends while it holds sockets. If it fails, failed is told, and it has said why.
func startFleeting(failed chan<- error) error {
	pid, err := syscall.ForkExec("/proc/self/exe", []string{"fleeting"}, &syscall.ProcAttr{
		Files: []uintptr{0, 1, 2},
		Env:   childEnv("fleeting"),
		Sys:   &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return os.NewSyscallError("fork", err)
	}
	go func() {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(pid, &status, 0, nil)
		for err == syscall.EINTR {
			_, err = syscall.Wait4(pid, &status, 0, nil)
		}
		if err != nil {
			err = os.NewSyscallError("wait4", err)
		} else if status.Exited() && status.ExitStatus() == exitLab {
			err = fmt.Errorf("short process %d: exit status %d", pid, exitLab)
		}
		if err != nil {
			select {
			case failed <- err:
			default: // one is enough
			}
		}
	}()
	return nil
}

func fleetingMain() error {
	c, err := newChurner()
	for i := 0; i < 16 && err == nil; i++ {
		err = c.step()
	}
	if err != nil {
		return fmt.Errorf("churn: %w", err)
	}
	time.Sleep(20 * time.Millisecond) // long enough to be seen sometimes
	os.Exit(0)
	return nil
}
