// Package render_test replays a recording of a rich scene through the renderers, and compares what they print with golden files.
//
//	go test ./render -update   writes the golden files anew
//	go test ./render -record   records the scene anew, as root, before that
package render_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/render/names"
	"github.com/sockeye-tools/sockeye/render/netstat"
	"github.com/sockeye-tools/sockeye/render/ss"
	"github.com/sockeye-tools/sockeye/render/table"
)

var (
	update = flag.Bool("update", false, "write the golden files")
	record = flag.Bool("record", false, "record the scene")
)

const (
	recording = "../testdata/scene.nl"
	golden    = "../testdata/golden"
)

func recordScene(t *testing.T) {
	s := scene.New(t)
	var rec diagtest.Recording
	var err error
	if e := s.Do(func() { rec, err = diagtest.Record(diag.TCP, diag.UDP, diag.MPTCP) }); e != nil {
		err = e
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(recording, rec, 0o644); err != nil {
		t.Fatal(err)
	}
}

// holders: odd inodes are held by one process, those that 4 divides by two, the others by none.
type holders struct{}

func (holders) Owners(dst []owner.Owner, inode uint32) []owner.Owner {
	if inode%2 == 1 || inode%4 == 0 && inode != 0 {
		dst = append(dst, owner.Owner{PID: 100, FD: int32(inode % 10)})
	}
	if inode%4 == 0 && inode != 0 {
		dst = append(dst, owner.Owner{PID: 200, FD: 3})
	}
	return dst
}

func (holders) Process(pid int32) *owner.Process {
	return &owner.Process{PID: pid, Known: true, Comm: map[int32]string{100: "server", 200: "o\"d)d\x1b\xff"}[pid]}
}

func (holders) Denied() int { return 0 }

// toTable is the table of the list verb, with the columns that it has by default.
func toTable(w io.Writer, c *field.Context) *table.Printer {
	p := &table.Printer{W: w}
	for _, name := range table.DefaultNames {
		col, _ := table.Default(c, name)
		p.Columns = append(p.Columns, col)
	}
	return p
}

func program(inode uint32) (int32, string, bool) {
	os := holders{}.Owners(nil, inode)
	if len(os) == 0 {
		return 0, "", false
	}
	return os[0].PID, "/usr/sbin/server", true
}

func device(i uint32) (string, bool) { return fmt.Sprintf("dev%d", i), true }

func service(port uint16, proto string) (string, bool) {
	return "http", port == 80 && proto == "tcp"
}

func user(uid uint32) (string, bool) { return "root", uid == 0 }

func host(a netip.Addr) (string, bool) {
	return "a-rather-long-name.example.org", a == netip.MustParseAddr("192.0.2.10")
}

func TestReplay(t *testing.T) {
	if *record {
		recordScene(t)
	}
	all := []diag.Protocol{diag.TCP, diag.UDP, diag.MPTCP}
	inet := []diag.Protocol{diag.TCP, diag.UDP}
	interfaces := &names.Interfaces{ByIndex: func(i uint32) (string, error) { return fmt.Sprintf("dev%d", i), nil }}
	listen := diag.StatesOf(diag.Listen, diag.Close)
	toSS := func(o ss.Options) func(*bytes.Buffer) (func(*diag.InetSocket) error, func() error) {
		o.Interfaces, o.Numeric = interfaces, true
		o.Cgroups = &names.Cgroups{}
		return func(b *bytes.Buffer) (func(*diag.InetSocket) error, func() error) {
			w := ss.New(b, o)
			w.SetOwners(holders{})
			return w.Inet, w.Flush
		}
	}
	toNetstat := func(o netstat.Options) func(*bytes.Buffer) (func(*diag.InetSocket) error, func() error) {
		o.Program = program
		return func(b *bytes.Buffer) (func(*diag.InetSocket) error, func() error) {
			n := netstat.New(o)
			b.Write(n.AppendHeader(nil))
			return func(s *diag.InetSocket) error {
				b.Write(n.Append(nil, s))
				return nil
			}, func() error { return nil }
		}
	}
	for _, tt := range []struct {
		name      string
		protocols []diag.Protocol
		states    diag.States
		ext       diag.Ext
		open      func(*bytes.Buffer) (func(*diag.InetSocket) error, func() error)
	}{
		{"ss-tuMan", all, 0, 0, toSS(ss.Options{Netid: true, State: true})},
		{"ss-tuln", inet, listen, 0, toSS(ss.Options{Netid: true, State: true})},
		{"ss-tanp", all[:1], 0, 0, toSS(ss.Options{State: true, Processes: true})},
		{"ss-tuManoemip", all, 0, 0xff, toSS(ss.Options{
			Netid: true, State: true, Processes: true, Timers: true, Memory: true, Info: true, TOS: true, SockOpt: true,
		})},
		{"ss-tuManoemiO-80", all, 0, 0xff, toSS(ss.Options{
			Netid: true, State: true, OneLine: true, Timers: true, Memory: true, Info: true, NoHeader: true, Width: 80,
		})},
		{"ss-tanQ-132", all[:1], 0, 0, toSS(ss.Options{State: true, NoQueues: true, Width: 132})},
		{"netstat-tuan", inet, diag.ProcStates, 0, toNetstat(netstat.Options{Which: netstat.All})},
		{"netstat-tuln", inet, diag.ProcStates, 0, toNetstat(netstat.Options{Which: netstat.Servers})},
		{"netstat-tuanepo", inet, diag.ProcStates, diag.ExtInfo, toNetstat(netstat.Options{Which: netstat.All, Extend: true, Programs: true, Timers: true})},
		{"netstat-tuaepoW", inet, diag.ProcStates, diag.ExtInfo, toNetstat(netstat.Options{
			Which: netstat.All, Extend: true, Programs: true, Timers: true, Wide: true, Host: host, Service: service, User: user,
		})},
		{"list", inet, 0, 0, func(b *bytes.Buffer) (func(*diag.InetSocket) error, func() error) {
			p := toTable(b, &field.Context{Owners: holders{}, Device: device})
			return func(s *diag.InetSocket) error { return p.Row(p.AppendRow(nil, s)) }, p.Flush
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := diag.Dial(diagtest.Load(t, recording).Replay(t).Config())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			var got bytes.Buffer
			print, flush := tt.open(&got)
			for _, p := range tt.protocols {
				for s, err := range c.Inet(t.Context(), diag.InetQuery{Protocol: p, States: tt.states, Ext: tt.ext}) {
					if err != nil {
						t.Fatal(err)
					}
					if err := print(s); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := flush(); err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(golden, tt.name+".txt")
			if *update {
				if err := os.WriteFile(name, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				other := filepath.Join(t.ArtifactDir(), tt.name+".txt")
				os.WriteFile(other, got.Bytes(), 0o644)
				t.Errorf("differs from %s; what was printed:\n%s", name, got.Bytes())
			}
		})
	}
}
