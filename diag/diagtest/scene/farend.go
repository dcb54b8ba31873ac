package scene

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const tunPath = "/dev/net/tun"

// openTUN makes the TUN device of that name in the calling thread's network namespace. The file gives and takes one IP
// packet a call and is closed to end a read.
func openTUN(name string) (*os.File, error) {
	fd, err := unix.Open(tunPath, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", tunPath, err)
	}
	ifr, err := unix.NewIfreq(name)
	if err == nil {
		ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("make TUN device %s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), tunPath), nil
}

// iss is the far end's initial sequence number: every connection's, since nothing attacks it.
const iss = 1000

// refreshEvery is how often a far end repeats its last acknowledgement to a TIME-WAIT socket: often enough that the
// 60 seconds of the state (TCP_TIMEWAIT_LEN) always start anew.
const refreshEvery = 20 * time.Second

// resendEvery is how often a far end looks for what it has to send again.
const resendEvery = 250 * time.Millisecond

// A farEnd is the other side of all connections over a TUN device. It answers what its flows say and nothing else, never with a
// reset.
type farEnd struct {
	tun  *os.File
	wg   sync.WaitGroup
	stop chan struct{}

	mu    sync.Mutex
	flows map[[2]netip.AddrPort]*flow
	err   error
}

func newFarEnd(tun *os.File) *farEnd {
	f := &farEnd{tun: tun, stop: make(chan struct{}), flows: make(map[[2]netip.AddrPort]*flow)}
	f.wg.Go(f.serve)
	f.wg.Go(f.again)
	return f
}

func (f *farEnd) Close() error {
	close(f.stop)
	err := f.tun.Close()
	f.wg.Wait()
	return errors.Join(err, f.err)
}

// flow adds a connection between the far end's address and the near one, which answers a SYN and acknowledges
// everything from then on. It must be added before the near end connects. The window is what it says of its own, always.
func (f *farEnd) flow(far, near netip.AddrPort, window uint16) *flow {
	f.mu.Lock()
	defer f.mu.Unlock()
	fl := &flow{end: f, far: far, near: near, window: window, answering: true}
	f.flows[[2]netip.AddrPort{far, near}] = fl
	return fl
}

func (f *farEnd) serve() {
	packet := make([]byte, 64<<10)
	var out []byte
	for {
		n, err := f.tun.Read(packet)
		if err != nil {
			if !errors.Is(err, os.ErrClosed) {
				f.err = fmt.Errorf("read TUN device: %w", err)
			}
			return
		}
		in, err := parseSegment(packet[:n])
		if err != nil {
			continue // router solicitations and the like
		}
		f.mu.Lock()
		if fl := f.flows[[2]netip.AddrPort{in.dst, in.src}]; fl != nil {
			if answer, ok := fl.receive(&in); ok {
				out = answer.append(out[:0])
				_, err = f.tun.Write(out)
			}
		}
		f.mu.Unlock()
		if err != nil && !errors.Is(err, os.ErrClosed) {
			f.err = fmt.Errorf("write TUN device: %w", err)
			return
		}
	}
}

// again keeps TIME-WAIT sockets from ending, whose time the kernel starts anew on a bare acknowledgement in sequence, and sends again
// what got lost: the queue of received packets that the device shares with the whole host can be full.
func (f *farEnd) again() {
	refresh, resend := time.NewTicker(refreshEvery), time.NewTicker(resendEvery)
	defer refresh.Stop()
	defer resend.Stop()
	for {
		select {
		case <-f.stop:
			return
		case <-refresh.C:
			f.repeat()
		case <-resend.C:
			f.resend()
		}
	}
}

// resend sends what is not acknowledged again. The near end only acknowledges what it has already.
func (f *farEnd) resend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fl := range f.flows {
		if fl.sent != nil {
			f.tun.Write(fl.sent.append(nil)) // after Close it has no one to reach
		}
	}
}

// repeat sends the last acknowledgement of the flows that are to be refreshed.
func (f *farEnd) repeat() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fl := range f.flows {
		if fl.refreshed {
			answer := fl.segment(flagACK, nil)
			f.tun.Write(answer.append(nil)) // after Close it has no one to reach
		}
	}
}

// A flow is the far end of one connection.
type flow struct {
	end       *farEnd
	far, near netip.AddrPort

	// Guarded by end.mu.
	window    uint16
	answering bool     // answers and acknowledges
	refreshed bool     // repeats its acknowledgement from time to time
	next      uint32   // sequence number of the next byte to send
	acked     uint32   // what is acknowledged: the next byte wanted, while answering
	sent      *segment // the last one that the near end has to acknowledge, until it does
	synSeen   bool
	finSeen   bool
}

// silence lets the flow acknowledge nothing more.
func (fl *flow) silence() {
	fl.end.mu.Lock()
	defer fl.end.mu.Unlock()
	fl.answering = false
}

// refreshing lets the flow repeat its last acknowledgement from time to time.
func (fl *flow) refreshing() {
	fl.end.mu.Lock()
	defer fl.end.mu.Unlock()
	fl.refreshed = true
}

// open sends a SYN, as the connecting side.
func (fl *flow) open() error {
	fl.end.mu.Lock()
	fl.next = iss
	fl.end.mu.Unlock()
	return fl.send(flagSYN, nil)
}

// send sends a segment with what has been acknowledged so far, also when silent. It is sent again until it is acknowledged.
func (fl *flow) send(flags uint8, payload []byte) error {
	fl.end.mu.Lock()
	defer fl.end.mu.Unlock()
	s := fl.segment(flags, payload)
	if s.length() > 0 {
		fl.next += s.length()
		fl.sent = &s
	}
	_, err := fl.end.tun.Write(s.append(nil))
	if err != nil {
		return fmt.Errorf("send to %v: %w", fl.near, err)
	}
	return nil
}

func (fl *flow) segment(flags uint8, payload []byte) segment {
	s := segment{src: fl.far, dst: fl.near, seq: fl.next, flags: flags, window: fl.window, payload: payload}
	if flags&flagACK != 0 {
		s.ack = fl.acked
	}
	if flags&flagSYN != 0 {
		s.mss = 1400
	}
	return s
}

// receive takes a segment in and says what to answer, if anything.
func (fl *flow) receive(in *segment) (segment, bool) {
	fl.synSeen = fl.synSeen || in.flags&flagSYN != 0
	fl.finSeen = fl.finSeen || in.flags&flagFIN != 0
	if in.flags&flagACK != 0 && in.ack == fl.next {
		fl.sent = nil
	}
	if !fl.answering || in.flags&flagRST != 0 {
		return segment{}, false
	}
	if in.flags&flagSYN != 0 {
		fl.acked = in.seq + 1
		answer := fl.segment(flagACK, nil)
		if in.flags&flagACK == 0 {
			fl.next = iss
			answer = fl.segment(flagSYN|flagACK, nil)
			fl.next++
		}
		return answer, true
	}
	if in.length() == 0 {
		// A probe has a sequence number from before the window and is to be answered; a bare acknowledgement is not.
		return fl.segment(flagACK, nil), in.seq != fl.acked
	}
	if in.seq == fl.acked && fl.window != 0 {
		fl.acked += in.length()
	}
	return fl.segment(flagACK, nil), true
}

// fin waits until the near end has sent its FIN.
func (fl *flow) fin(timeout time.Duration) error {
	return wait(timeout, fmt.Sprintf("FIN from %v", fl.near), func() (bool, error) {
		fl.end.mu.Lock()
		defer fl.end.mu.Unlock()
		return fl.finSeen, nil
	})
}

// wait polls until done reports true or the time is over.
func wait(timeout time.Duration, what string, done func() (bool, error)) error {
	for end := time.Now().Add(timeout); ; time.Sleep(2 * time.Millisecond) {
		ok, err := done()
		if err != nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		if ok {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("wait for %s: nothing after %v", what, timeout)
		}
	}
}
