package lab

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Lab is a network namespace full of sockets. Its methods may be called from any goroutine.
type Lab struct {
	truth     Truth
	truthFile *os.File // a memfd
	ns        *namespace
	workers   []*child
	sharers   []*os.Process // started by workers, but our children too
	stderr    tail
	stderrEnd *os.File

	closing   chan struct{}
	closeOnce sync.Once
	mu        sync.Mutex
	lost      error // what went wrong after Build
}

// child is a running worker.
type child struct {
	cmd    *exec.Cmd
	life   *os.File // its standard input: it ends when this is closed
	output *os.File
	// lastAct is set where there are handshakes to reset in the end.
	lastAct bool
}

// event is what a worker said, or that it is gone.
type event struct {
	worker int
	message
	gone bool
}

// Build makes the sockets that cfg asks for. When ctx is done before that, Build takes down what there
// is and returns ctx's error; afterwards ctx has no meaning.
//
// Errors match os.ErrPermission when a capability is missing.
func Build(ctx context.Context, cfg Config) (*Lab, error) {
	l, err := build(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	return l, nil
}

func build(ctx context.Context, cfg Config) (_ *Lab, err error) {
	if cfg, err = cfg.check(); err != nil {
		return nil, err
	}
	lim, err := readLimits()
	if err != nil {
		return nil, err
	}
	if err := lim.check(cfg); err != nil {
		return nil, err
	}
	p, err := newPlan(cfg, lim.perProc(), runtime.NumCPU())
	if err != nil {
		return nil, err
	}
	l := &Lab{closing: make(chan struct{})}
	defer func() {
		if err != nil {
			l.Close()
			if said := l.stderr.String(); said != "" {
				err = fmt.Errorf("%w\nworkers said: %s", err, said)
			}
		}
	}()
	hash := 0
	if cfg.SmallHash {
		hash = cmp.Or(cfg.HashSize, 16384)
	}
	if l.ns, err = newNamespace(hash); err != nil {
		return nil, err
	}
	if err := l.ns.do(func() error { return furnish(cfg.Sockets, cfg.IPv6 > 0) }); err != nil {
		return nil, err
	}
	base, err := l.start(ctx, p)
	if err != nil {
		return nil, err
	}
	tallies, err := l.watch(ctx, cfg)
	if err != nil {
		return nil, err
	}
	// Acknowledgments are delayed by up to 200 ms (TCP_DELACK_MAX); afterwards no queue moves any more.
	select {
	case <-time.After(500 * time.Millisecond):
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if err := l.tell(cfg, p, base, tallies); err != nil {
		return nil, err
	}
	return l, nil
}

// start starts the workers of a plan, with the listeners and pipes they inherit.
func (l *Lab) start(ctx context.Context, p *plan) (*tally, error) {
	var ours []*os.File // until all workers have them
	defer func() {
		for _, f := range ours {
			f.Close()
		}
	}()
	newPipe := func() (r, w *os.File, err error) {
		if r, w, err = os.Pipe(); err == nil {
			ours = append(ours, r, w)
		}
		return r, w, err
	}
	extra := make(map[*spec][]*os.File)
	give := func(s *spec, f *os.File) int {
		extra[s] = append(extra[s], f)
		return 2 + len(extra[s]) // the descriptor it will have: exec.Cmd.ExtraFiles
	}

	base := newTally()
	held := make([]map[*spec]int, len(p.shared))
	for i, s := range p.shared {
		var fd int
		err := l.ns.do(func() (err error) { fd, err = listen(s.addr, 1<<16, false); return err })
		if err != nil {
			return nil, err
		}
		f := os.NewFile(uintptr(fd), "listener")
		ours = append(ours, f)
		held[i] = map[*spec]int{}
		for _, h := range s.holders {
			held[i][h] = give(h, f)
		}
		base.Groups[Group{Protocol: "tcp", Family: familyName(s.v6), State: "LISTEN", Owned: true}]++
		if len(s.holders) > 1 {
			l.truth.Shared++
		}
	}
	for _, j := range p.joins {
		hear, say, err := newPipe()
		if err != nil {
			return nil, err
		}
		back, answer, err := newPipe()
		if err != nil {
			return nil, err
		}
		d, a := &j.from.Dial[j.dial], &j.to.Accept[j.accept]
		d.In, d.Out = give(j.from, back), give(j.from, say)
		a.In, a.Out = give(j.to, hear), give(j.to, answer)
		if j.shared >= 0 {
			a.Listener = held[j.shared][j.to]
		}
	}

	r, stderr, err := newPipe()
	if err != nil {
		return nil, err
	}
	ours = ours[:len(ours)-2] // the reading end stays
	l.stderrEnd = r
	defer stderr.Close()
	go io.Copy(&l.stderr, r)
	for _, s := range p.workers {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err := l.startWorker(s, stderr, extra[s]); err != nil {
			return nil, fmt.Errorf("start worker: %w", err)
		}
	}
	return base, nil
}

func (l *Lab) startWorker(s *spec, stderr *os.File, extra []*os.File) error {
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
	cmd.Args = []string{s.Comm}
	cmd.Env = childEnv("worker")
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = in, out, stderr, extra
	// A group of its own keeps the terminal's Ctrl-C from workers: the builder ends them.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := l.ns.do(cmd.Start); err != nil {
		life.Close()
		output.Close()
		return err
	}
	l.workers = append(l.workers, &child{cmd, life, output, s.SynRecv != [2]int{}})
	_, err = life.Write(b) // far less than a pipe holds
	return err
}

// watch waits until all workers are done, and leaves goroutines that notice when one ends.
func (l *Lab) watch(ctx context.Context, cfg Config) ([]*tally, error) {
	events := make(chan event)
	for i, w := range l.workers {
		go func() {
			dec := json.NewDecoder(w.output)
			for {
				e := event{worker: i}
				if err := dec.Decode(&e.message); err != nil {
					e.gone = true
				}
				select {
				case events <- e:
				case <-l.closing:
					return
				}
				if e.gone {
					return
				}
			}
		}()
	}
	tallies := make([]*tally, len(l.workers))
	begin, made, left := time.Now(), 0, len(l.workers)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for left > 0 {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-tick.C:
			if cfg.Progress != nil {
				fmt.Fprintf(cfg.Progress, "lab: %d of %d sockets, %d s\n", made, cfg.Sockets, int(time.Since(begin).Seconds()))
			}
		case e := <-events:
			made += e.Made
			switch {
			case e.Err != "":
				return nil, errors.New(e.Err)
			case e.gone:
				return nil, l.ended(e.worker)
			case e.Report != nil:
				tallies[e.worker] = e.Report
				left--
				if s := e.Report.Sharer; s != nil {
					p, err := os.FindProcess(s.PID)
					if err != nil {
						return nil, fmt.Errorf("find %s: %w", s.Comm, err)
					}
					l.sharers = append(l.sharers, p)
				}
			}
		}
	}
	go func() {
		for {
			select {
			case e := <-events:
				l.mu.Lock()
				l.lost = errors.Join(l.lost, l.ended(e.worker))
				l.mu.Unlock()
			case <-l.closing:
				return
			}
		}
	}()
	return tallies, nil
}

func (l *Lab) ended(worker int) error {
	w := l.workers[worker]
	return fmt.Errorf("worker %s (pid %d) ended by itself", w.cmd.Args[0], w.cmd.Process.Pid)
}

// tell makes the truth of what the workers reported.
func (l *Lab) tell(cfg Config, p *plan, base *tally, tallies []*tally) error {
	t := &l.truth
	t.Sockets, t.Shape, t.NetNS = cfg.Sockets, cfg.Shape, l.ns.inode
	for i, w := range l.workers {
		held := tallies[i].Held
		for _, s := range p.shared {
			for _, h := range s.holders {
				if h == p.workers[i] {
					held["tcp"]++
				}
			}
		}
		t.Processes = append(t.Processes, Process{PID: w.cmd.Process.Pid, Comm: p.workers[i].Comm, Held: held})
	}
	t.sum(base, tallies)
	if n := t.Owned + t.Ownerless; n != cfg.Sockets {
		return fmt.Errorf("made %d sockets, wanted %d", n, cfg.Sockets)
	}
	b, err := t.json()
	if err != nil {
		return err
	}
	fd, err := unix.MemfdCreate("sockeye-lab.json", unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("memfd: %w", err)
	}
	l.truthFile = os.NewFile(uintptr(fd), "sockeye-lab.json")
	_, err = l.truthFile.Write(b)
	return err
}

// Truth returns what is in the lab. The caller must not change its slices and maps.
func (l *Lab) Truth() Truth { return l.truth }

// TruthPath names a JSON file of the Truth that other processes of the same user
// can read until Close. It is also in the environment of commands, as SOCKEYE_LAB.
func (l *Lab) TruthPath() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), l.truthFile.Fd())
}

// NetNSPath names the namespace, for setns(2) by any process of the same user until Close.
func (l *Lab) NetNSPath() string { return l.ns.path() }

// Command returns a command that will run inside the namespace, with
// SOCKEYE_LAB in its environment. It is this program that starts, enters the namespace
// and then becomes the command, so cmd.Env must be kept: add to it.
// A name without slash is looked up in PATH; cmd.Err tells when it is not found.
func (l *Lab) Command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	path := cmd.Path
	cmd.Path = "/proc/self/exe"
	cmd.Env = append(os.Environ(), envChild+"=exec", envNetNS+"="+l.ns.path(), envExec+"="+path, envTruth+"="+l.TruthPath())
	return cmd
}

// Close ends the workers, and what else runs in the namespace but for the calling process, and with them the namespace. It
// returns when no process of the lab is left, and tells when a worker had ended before.
func (l *Lab) Close() error {
	l.closeOnce.Do(func() {
		close(l.closing)
		for _, w := range l.workers {
			w.life.Close()
			if w.lastAct {
				// It ends by itself; the bound is for a worker that hangs.
				defer time.AfterFunc(grace, func() { w.cmd.Process.Kill() }).Stop()
			} else {
				w.cmd.Process.Kill()
			}
		}
		for _, p := range l.sharers {
			p.Kill()
		}
		for _, w := range l.workers {
			w.cmd.Wait()
			w.output.Close()
		}
		for _, p := range l.sharers {
			p.Wait()
		}
		if l.ns != nil {
			l.ns.end()
			l.ns.close()
		}
		if l.stderrEnd != nil {
			l.stderrEnd.Close()
		}
		if l.truthFile != nil {
			l.truthFile.Close()
		}
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost != nil {
		return fmt.Errorf("lab: %w", l.lost)
	}
	return nil
}

// tail keeps the end of what workers write to their standard error.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const most = 8 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - most; over > 0 {
		t.buf = t.buf[over:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}
