package list

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/diag/owner"
)

func TestRedraw(t *testing.T) {
	for _, tt := range []struct {
		text, words string
		rows        int
		want        string
	}{
		{"a\nb\n", "", 3, "\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J"},
		{"a\nb\nc\n", "", 3, "\x1b[Ha\x1b[K\n... and 2 more\x1b[K\n\x1b[J"},
		{"a\nb\nc\n", "hint\n", 4, "\x1b[Ha\x1b[K\n... and 2 more\x1b[K\nhint\x1b[K\n\x1b[J"},
		{"a\nb\n", "", 1, "\x1b[H... and 2 more\x1b[K\n\x1b[J"},
		{"a\nb\n", "", 0, "\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J"},
		{"", "", 24, "\x1b[H\x1b[J"},
	} {
		if got := string(redraw([]byte(tt.text), []byte(tt.words), tt.rows)); got != tt.want {
			t.Errorf("%q, %q in %d rows: %q, want %q", tt.text, tt.words, tt.rows, got, tt.want)
		}
	}
}

// Rounds follow each other on a pipe: a connection that sends has a rate, one that comes is new, one that goes is gone.
func TestWatchTellsRatesAndChanges(t *testing.T) {
	n := newTCP(t)
	var lfd, client, server int
	n.in(func() (err error) {
		if lfd, err = n.listen("127.0.0.1:8080", 16); err == nil {
			client, server, err = n.pair(lfd, "127.0.0.1:40001", "127.0.0.1:8080")
		}
		return err
	})
	b, err := json.Marshal([]string{"--watch", "200ms", "-o", "ndjson", "state established and dport = 8080"})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), argsEnv+"="+string(b))
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := n.ns.Start(cmd); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	stop := time.AfterFunc(60*time.Second, func() { cmd.Process.Kill() })
	defer stop.Stop()
	lines := bufio.NewScanner(pipe)
	await := func(what string, is func(map[string]any) bool) {
		t.Helper()
		for lines.Scan() {
			var row map[string]any
			if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
				t.Fatalf("%v: %s", err, lines.Bytes())
			}
			if is(row) {
				return
			}
		}
		t.Fatalf("%s: it is not told", what)
	}
	from := func(row map[string]any, port float64) bool { return row["local_port"] == port }
	await("the first round", func(r map[string]any) bool { return from(r, 40001) && r["change"] == nil && r["time_unix_ms"] != nil })
	n.in(func() error {
		_, err := unix.Write(client, make([]byte, 20_000))
		if err == nil {
			_, err = unix.Read(server, make([]byte, 65536))
		}
		return err
	})
	await("a rate", func(r map[string]any) bool {
		v, _ := r["out_rate_bytes_per_second"].(float64)
		return from(r, 40001) && v >= 1000
	})
	var late int
	n.in(func() (err error) {
		late, _, err = n.pair(lfd, "127.0.0.1:40002", "127.0.0.1:8080")
		return err
	})
	await("a new one", func(r map[string]any) bool { return from(r, 40002) && r["change"] == "new" })
	if err := unix.Shutdown(late, unix.SHUT_RDWR); err != nil {
		t.Fatal(err)
	}
	await("one that is gone", func(r map[string]any) bool { return from(r, 40002) && r["change"] == "gone" })
}

// first closes itself when something is written.
type first chan struct{}

func (f first) Write(b []byte) (int, error) {
	select {
	case <-f:
	default:
		close(f)
	}
	return len(b), nil
}

// The verb ends when its context does, between two rounds.
func TestWatchEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wrote, ended := make(first), make(chan error)
	go func() {
		env := &cli.Env{Ctx: ctx, Args: []string{"list"}, Stdout: wrote, Stderr: io.Discard, Getenv: os.Getenv}
		ended <- run(env, Options{Watch: time.Hour, Filter: "state listen"})
	}()
	<-wrote
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(60 * time.Second):
		t.Error("it goes on")
	}
}

// rounds cancels a context when the third round is written.
type rounds struct {
	bytes.Buffer
	cancel func()
	n      int
}

func (r *rounds) Write(b []byte) (int, error) {
	if r.n++; r.n == 3 {
		r.cancel()
	}
	return r.Buffer.Write(b)
}

// An answer that is not whole does not end it: that is said, and the next one may be. Another error does.
func TestWatchAndErrors(t *testing.T) {
	for _, whole := range []bool{true, false} {
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		out, words := &rounds{cancel: cancel}, &bytes.Buffer{}
		var asked atomic.Int32
		kernel := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
			if !r.States().Has(diag.Established) {
				return []diagtest.Datagram{diagtest.Datagram{}.Done(r)}
			}
			nth := asked.Add(1)
			switch {
			case !whole:
				return []diagtest.Datagram{diagtest.Datagram{}.Error(r, syscall.EPERM)}
			case nth == 1:
				return []diagtest.Datagram{twoConnections(r), diagtest.Datagram{}.Error(r, syscall.ENOMEM)}
			}
			return []diagtest.Datagram{twoConnections(r).Done(r)}
		})
		env := &cli.Env{Ctx: ctx, Args: []string{"list", "-4t", "-o", "ndjson", "-c", "peer_port", "-w", "100ms"}, Stdout: out, Stderr: words,
			Getenv: func(string) string { return "" }, Kernel: kernel.Config(), Owners: owner.Config{Backend: owner.None}}
		status := Main(env)
		if !whole {
			if status != cli.ExitFailed || out.n != 0 || !strings.Contains(words.String(), "not permitted") {
				t.Errorf("an error: status %d, %d rounds, %q", status, out.n, words)
			}
			continue
		}
		row := "{\"peer_port\":22}\n{\"peer_port\":23}\n"
		if status != cli.ExitOK || !strings.HasPrefix(out.String(), row+row+row) || strings.Count(words.String(), "partial") != 1 {
			t.Errorf("status %d, %q, %q", status, out, words)
		}
	}
}
