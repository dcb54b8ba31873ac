package list

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/diag/owner"
)

func TestRedraw(t *testing.T) {
	for _, tt := range []struct {
		text, words string
		rows        uint16
		want        string
	}{
		{"a\nb\n", "", 3, "\x1b[H\x1b[Ka\n\x1b[Kb\n\x1b[J"},
		{"a\nb\nc\n", "", 3, "\x1b[H\x1b[Ka\n\x1b[K... and 2 more\n\x1b[J"},
		{"a\nb\nc\n", "hint\n", 4, "\x1b[H\x1b[Ka\n\x1b[K... and 2 more\n\x1b[Khint\n\x1b[J"},
		{"a\nb\n", "", 1, "\x1b[H\x1b[K... and 2 more\n\x1b[J"},
		{"a\nb\n", "", 0, "\x1b[H\x1b[Ka\n\x1b[Kb\n\x1b[J"},
		{"", "", 24, "\x1b[H\x1b[J"},
		// Lines that take two rows of 20.
		{"12345678901234567890\nb\n", "", 3, "\x1b[H\x1b[K12345678901234567890\n\x1b[Kb\n\x1b[J"},
		{"12345678901234567890\x1b[31m1\x1b[0m\nb\n", "", 4, "\x1b[H\x1b[K12345678901234567890\x1b[31m1\x1b[0m\n\x1b[Kb\n\x1b[J"},
		{"123456789012345678901\nb\n", "", 3, "\x1b[H\x1b[K... and 2 more\n\x1b[J"},
		{"a\n123456789012345678901\nb\n", "", 3, "\x1b[H\x1b[Ka\n\x1b[K... and 2 more\n\x1b[J"},
		{"a\nb\nc\n", "a hint of two lines or so\n", 5, "\x1b[H\x1b[Ka\n\x1b[K... and 2 more\n\x1b[Ka hint of two lines or so\n\x1b[J"},
	} {
		if got := string(redraw([]byte(tt.text), []byte(tt.words), unix.Winsize{Row: tt.rows, Col: 20})); got != tt.want {
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

// A filter on what has changed is asked of all sockets in every round, whether they were shown or not; so are groups of rates. Between
// the first and the third round, one socket sends, one goes, and one comes.
func TestWatchFilters(t *testing.T) {
	const head = "local_port,change\n"
	for _, tt := range []struct{ args, filter, want string }{
		{"-o csv -c local_port,change", "change = new", head + "3,new\n"},
		{"-o csv -c local_port,change", "change in (new, gone)", head + "3,new\n1,gone\n"},
		{"-o csv -c local_port,change", "change = gone", head + "1,gone\n"},
		{"-o csv -c local_port,change", "change = gone and not peer_port = 22", head},
		{"-o csv -c local_port,change", "out_rate > 1Mbps", head + "2,\n2,\n"},
		{"-o csv -c local_port,change", "out_rate > 1Mbps or change = gone", head + "2,\n2,\n1,gone\n"},
		{"-o json -c local_port", "state established", "[\n{\"local_port\":1},\n{\"local_port\":2}\n]\n[\n{\"local_port\":1},\n"},
		{"-o tsv -c local_port", "state established", "local_port\n1\n2\n1\n2\n3\n2\n3\n"},
		{"-o csv -c local_port,change -n 1", "", head + "1,\n1,\n2,\n"}, // which is not new
		{"-o csv -c local_port,change -n 1 -s local_port:desc", "change", head + "3,new\n"},
		{"-H -g local_port --having max(out_rate)>1Mbps", "", "2  1\n2  1\n"},
		{"-H -g local_port", "out_rate > 1Mbps", "2  1\n2  1\n"},
		{"-H -g change -c count -s change -o ndjson", "", "{\"count\":2}\n{\"change\":\"new\",\"count\":1}\n{\"count\":2}\n{\"count\":2}\n"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		var asked atomic.Int32
		kernel := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
			var d diagtest.Datagram
			if r.States().Has(diag.Established) {
				round := asked.Add(1)
				if round == 4 {
					cancel()
				}
				add := func(port byte, acked uint64) {
					b := connection("192.0.2.1:"+strconv.Itoa(int(port)), "192.0.2.2:22")
					b[44] = port // the cookie
					info := make([]byte, 232)
					binary.NativeEndian.PutUint64(info[unsafe.Offsetof(diag.TCPInfo{}.BytesAcked):], acked)
					b = binary.NativeEndian.AppendUint16(b, uint16(4+len(info)))
					b = binary.NativeEndian.AppendUint16(b, uint16(diag.AttrInfo))
					d = d.Append(r, byFamily, 2, append(b, info...))
				}
				if round < 3 {
					add(1, 5)
				}
				add(2, uint64(min(round, 3))<<40)
				if round > 1 {
					add(3, 5)
				}
			}
			return []diagtest.Datagram{d.Done(r)}
		})
		var out bytes.Buffer
		args := append(append([]string{"list", "-4t", "-w", "100ms"}, strings.Fields(tt.args)...), tt.filter)
		env := &cli.Env{Ctx: ctx, Args: args, Stdout: &out, Stderr: io.Discard, Getenv: func(string) string { return "" }, Kernel: kernel.Config(),
			Owners: owner.Config{Backend: owner.None}}
		Main(env)
		got := out.String()
		rest, ok := strings.CutPrefix(got, tt.want)
		if strings.Contains(tt.args+tt.filter, "rate") || strings.Contains(tt.filter, "change") { // nothing changes in the fourth round
			ok = ok && rest == ""
		}
		if asked.Load() < 4 || !ok {
			t.Errorf("%s %q: %d rounds\n%s\nwant\n%s", tt.args, tt.filter, asked.Load(), got, tt.want)
		}
	}
}

// A round that is not whole does not tell which sockets are gone, and those that it left out are not new in the next.
func TestWatchOfPartialAnswers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var asked atomic.Int32
	kernel := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		var d diagtest.Datagram
		if !r.States().Has(diag.Established) {
			return []diagtest.Datagram{d.Done(r)}
		}
		round := asked.Add(1)
		if round == 4 {
			cancel()
		}
		for port := byte(1); port <= 2; port++ {
			b := connection("192.0.2.1:"+strconv.Itoa(int(port)), "192.0.2.2:22")
			b[44] = port
			if d = d.Append(r, byFamily, 2, b); round == 2 {
				return []diagtest.Datagram{d, diagtest.Datagram{}.Error(r, syscall.ENOMEM)}
			}
		}
		return []diagtest.Datagram{d.Done(r)}
	})
	var out bytes.Buffer
	env := &cli.Env{Ctx: ctx, Args: []string{"list", "-4t", "-w", "100ms", "-o", "csv", "-c", "local_port,change"}, Stdout: &out, Stderr: io.Discard,
		Getenv: func(string) string { return "" }, Kernel: kernel.Config(), Owners: owner.Config{Backend: owner.None}}
	Main(env)
	if got := out.String(); !strings.HasPrefix(got, "local_port,change\n1,\n2,\n1,\n1,\n2,\n") || strings.Contains(got, "gone") {
		t.Errorf("%d rounds: %s", asked.Load(), got)
	}
}
