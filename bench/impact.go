package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"
)

// ImpactConfig says what to measure the cost to the host of.
type ImpactConfig struct {
	Tools []Peer // what runs again and again, one tool after the other; its output is not kept
	// Time is how long each is watched, in each round. Requests and Connects are how many are begun in a second.
	Time     time.Duration
	Rounds   int
	Requests int
	Connects int
	Progress io.Writer
}

// Impact is what a server on the loopback device was like while a tool ran.
type Impact struct {
	Tool string  // "" is the host left alone
	Runs int     // those that came to their end
	CPU  float64 // that the tool took, in seconds a second
	// Request is from when a request was due until its answer of 64 bytes was read, on a connection that stays. Connect is the same
	// with a connection of its own, which also takes the kernel's tables of ports and connections.
	Request Latency
	Connect Latency
}

// Latency is a distribution, in seconds.
type Latency struct {
	Count int
	P50   float64
	P99   float64
	P999  float64
	Max   float64
}

func latencyOf(v []time.Duration) (l Latency) {
	if len(v) == 0 {
		return l
	}
	slices.Sort(v)
	at := func(permille int) float64 { return v[min(len(v)*permille/1000, len(v)-1)].Seconds() }
	return Latency{Count: len(v), P50: at(500), P99: at(990), P999: at(999), Max: v[len(v)-1].Seconds()}
}

// MeasureImpact serves and asks on the loopback device of the calling process's network namespace, left alone and beside each tool. The rounds
// alternate, and their requests count together.
func MeasureImpact(ctx context.Context, cfg ImpactConfig) ([]Impact, error) {
	server, err := newEcho()
	if err != nil {
		return nil, err
	}
	defer server.Close()
	tools := append([]Peer{{}}, cfg.Tools...)
	impacts := make([]Impact, len(tools))
	requests, connects := make([][]time.Duration, len(tools)), make([][]time.Duration, len(tools))
	watched := make([]time.Duration, len(tools))
	for round := range cfg.Rounds {
		for i, tool := range tools {
			im := &impacts[i]
			im.Tool = tool.Name
			if cfg.Progress != nil {
				fmt.Fprintf(cfg.Progress, "impact: round %d of %d, %s\n", round+1, cfg.Rounds, im.name())
			}
			ctx, cancel := context.WithTimeout(ctx, cfg.Time)
			done := make(chan error, 1)
			go func() { done <- im.run(ctx, tool.Command, cfg.Time) }()
			begin := time.Now()
			connected := make(chan error, 1)
			go func() {
				v, err := paced(ctx, cfg.Connects, server.connect)
				connects[i] = append(connects[i], v...)
				connected <- err
			}()
			v, err := server.requests(ctx, cfg.Requests)
			requests[i] = append(requests[i], v...)
			err = errors.Join(err, <-connected, <-done)
			watched[i] += time.Since(begin)
			cancel()
			if err != nil {
				return nil, err
			}
		}
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
	}
	for i := range impacts {
		impacts[i].CPU /= watched[i].Seconds()
		impacts[i].Request, impacts[i].Connect = latencyOf(requests[i]), latencyOf(connects[i])
	}
	return impacts, nil
}

func (im *Impact) name() string {
	if im.Tool == "" {
		return "nothing"
	}
	return im.Tool
}

// run runs a command again and again until the time is over. The last run is ended then: it counts for the CPU, not as a run.
func (im *Impact) run(ctx context.Context, argv []string, limit time.Duration) error {
	for len(argv) > 0 && ctx.Err() == nil {
		r, err := runChild(ctx, argv, 2*limit, false)
		if r != nil {
			im.CPU += r.CPU()
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		if f := r.failure(); f != "" {
			return fmt.Errorf("%s: %s", im.Tool, f)
		}
		im.Runs++
	}
	return nil
}

// paced calls f at even times, rate times a second, until ctx is done, and returns how long after it was due each call was over. A call that
// takes too long makes the next ones late, and that counts: whoever asked then has waited.
func paced(ctx context.Context, rate int, f func() error) (took []time.Duration, err error) {
	every := time.Second / time.Duration(rate)
	for due := time.Now(); ctx.Err() == nil; due = due.Add(every) {
		time.Sleep(time.Until(due))
		if err := f(); err != nil {
			return took, err
		}
		took = append(took, time.Since(due))
	}
	return took, nil
}

const echoSize = 64

// echo is a server that sends back what it is sent.
type echo struct{ net.Listener }

func newEcho() (*echo, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	return &echo{l}, nil
}

// requests asks rate times a second on one connection.
func (e *echo) requests(ctx context.Context, rate int) ([]time.Duration, error) {
	c, err := net.Dial("tcp", e.Addr().String())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return paced(ctx, rate, func() error { return ask(c) })
}

// connect asks once, on a connection of its own. Its end leaves no TIME_WAIT behind: the table should stay as it is.
func (e *echo) connect() error {
	c, err := net.Dial("tcp", e.Addr().String())
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.(*net.TCPConn).SetLinger(0); err != nil {
		return err
	}
	return ask(c)
}

func ask(c net.Conn) error {
	var b [echoSize]byte
	if _, err := c.Write(b[:]); err != nil {
		return err
	}
	_, err := io.ReadFull(c, b[:])
	return err
}

// ImpactTable writes a table of Markdown.
func ImpactTable(impacts []Impact) string {
	g := &grid{}
	g.add("beside", "runs", "CPU", "request p50", "p99", "p99.9", "max", "connect p50", "p99", "p99.9", "max")
	for _, im := range impacts {
		row := []string{im.name(), fmt.Sprint(im.Runs), fmt.Sprintf("%.2f", im.CPU)}
		for _, l := range []Latency{im.Request, im.Connect} {
			for _, s := range []float64{l.P50, l.P99, l.P999, l.Max} {
				row = append(row, formatSeconds(s))
			}
		}
		g.add(row...)
	}
	var b strings.Builder
	g.markdown(&b)
	return b.String()
}
