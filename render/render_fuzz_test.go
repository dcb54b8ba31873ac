package render_test

import (
	"bytes"
	encoding "encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/counters"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/check"
	"github.com/sockeye-tools/sockeye/render/json"
	"github.com/sockeye-tools/sockeye/render/names"
	"github.com/sockeye-tools/sockeye/render/netstat"
	"github.com/sockeye-tools/sockeye/render/ss"
)

// called is a process with any name, which holds all sockets.
type called string

func (called) Owners(dst []owner.Owner, inode uint32) []owner.Owner {
	return append(dst, owner.Owner{PID: 1, FD: 2}, owner.Owner{PID: 1, FD: 3}, owner.Owner{PID: 300, FD: 2})
}

func (c called) Process(pid int32) *owner.Process {
	return &owner.Process{PID: pid, Known: pid == 1, Comm: string(c)}
}

func (called) Denied() int { return 0 }

// messages returns the payloads of some sockets of the recording.
func messages(f *testing.F) (list [][]byte) {
	b, err := os.ReadFile(recording)
	if err != nil {
		f.Fatal(err)
	}
	kinds := map[[4]byte]bool{}
	for len(b) >= 16 {
		n := int(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)
		if m := b[16:n]; b[6]&1 == 0 && len(m) >= 72 { // no request
			kind := [4]byte{m[0], m[1], m[2], byte(n)}
			if !kinds[kind] {
				list = append(list, slices.Clone(m))
			}
			kinds[kind] = true
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return list
}

// FuzzInet: each renderer prints any socket, of any process, in text that is fit for a terminal, in one line where the format is one of lines.
func FuzzInet(f *testing.F) {
	for i, m := range messages(f) {
		f.Add(m, []byte{6, 17, 1, 132}[i%4], "a name", byte(i))
	}
	f.Add(messages(f)[0], byte(6), "\x1b]0;x\a\u009b\u202e\xff\n", byte(255))
	f.Fuzz(func(t *testing.T, m []byte, proto byte, name string, how byte) {
		p := diag.Protocol(proto)
		if proto == 1 {
			p = diag.MPTCP
		}
		s, err := diag.ParseInet(m, p)
		if err != nil || len(name) > 5000 {
			return
		}
		holders := called(name)
		interfaces := &names.Interfaces{ByIndex: func(uint32) (string, error) { return name, nil }}
		bit := func(n int) bool { return how>>n&1 != 0 }
		var out bytes.Buffer

		w := ss.New(&out, ss.Options{
			Netid: true, State: true, OneLine: bit(0), Numeric: bit(1), Timers: true, Extended: bit(2), Memory: bit(3), Info: bit(4), Processes: true,
			TOS: bit(5), Cgroup: bit(5), SockOpt: bit(6), Width: int(how), Interfaces: interfaces, Cgroups: &names.Cgroups{Root: "/proc/self/ns"},
			Services: &names.Services{File: "/dev/null"}, Protocols: &names.Protocols{File: "/dev/null"},
		})
		w.SetOwners(holders)
		if err := w.Inet(s); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if why := check.Terminal(out.Bytes(), '\t'); why != "" {
			t.Errorf("ss: %s", why)
		}
		if n := bytes.Count(out.Bytes(), []byte("\n")); n < 2 || bit(0) && n != 2 {
			t.Errorf("ss: %d lines: %q", n, out.Bytes())
		}

		n := netstat.New(netstat.Options{
			Which: netstat.All, Extend: bit(0), Programs: true, Timers: bit(1), Wide: bit(2),
			Program: func(uint32) (int32, string, bool) { return 300, name, true },
		})
		row := n.Append(nil, s)
		if why := check.Terminal(row); why != "" {
			t.Errorf("netstat: %s", why)
		}
		if len(row) > 0 && (row[len(row)-1] != '\n' || bytes.Count(row, []byte("\n")) != 1) {
			t.Errorf("netstat: %q", row)
		}

		c := &field.Context{
			Owners: holders, Device: interfaces.Lookup, User: func(uint32) (string, bool) { return name, true },
			Cgroup: func(uint64) (string, bool) { return name, true }, Proc: "/proc/self/ns", NetNS: name,
		}

		out.Reset()
		pr := toTable(&out, c)
		pr.Width = int(how)
		if err := pr.Row(pr.AppendRow(nil, s)); err != nil {
			t.Fatal(err)
		}
		if err := pr.Flush(); err != nil {
			t.Fatal(err)
		}
		if why := check.Terminal(out.Bytes()); why != "" {
			t.Errorf("table: %s", why)
		}
		if n := bytes.Count(out.Bytes(), []byte("\n")); n != 2 {
			t.Errorf("table: %d lines: %q", n, out.Bytes())
		}

		object := json.NewEncoder(c, field.All).Append(nil, s)
		if why := check.Terminal(object); why != "" {
			t.Errorf("json: %s", why)
		}
		if !encoding.Valid(object) || bytes.Contains(object, []byte("\n")) {
			t.Errorf("json: %q", object)
		}
		var parsed map[string]any
		if err := encoding.Unmarshal(object, &parsed); err != nil {
			t.Errorf("json: %v: %q", err, object)
		}
	})
}

// FuzzFamilies: so it is with sockets of the other families.
func FuzzFamilies(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456789abcdef0123456789abcdef"), "name", byte(0))
	m := make([]byte, 16)
	m = append(m, 12, 0, 0, 0)
	m = append(m, "\x00a\x1b[1mb\xff"...)
	f.Add(m, "\x1b\u202e", byte(255))
	f.Fuzz(func(t *testing.T, m []byte, name string, how byte) {
		if len(name) > 5000 {
			return
		}
		var out bytes.Buffer
		bit := func(n int) bool { return how>>n&1 != 0 }
		w := ss.New(&out, ss.Options{
			Netid: true, State: true, OneLine: bit(0), Numeric: bit(1), Extended: true, Memory: bit(3), Info: bit(4), Processes: true, Filters: true,
			TIPCInfo: true, Width: int(how), Cgroups: &names.Cgroups{Root: "/proc/self/ns"},
			Interfaces:       &names.Interfaces{ByIndex: func(uint32) (string, error) { return name, nil }},
			NetlinkProtocols: map[uint8]string{0: "rtnl"},
			Process:          func(int32) (string, bool) { return name, !bit(5) },
		})
		w.SetOwners(called(name))
		var err error
		if s, e := diag.ParseUnix(m); e == nil {
			err = w.Unix(s)
		}
		if s, e := diag.ParseNetlink(m); e == nil && err == nil {
			err = w.Netlink(s)
		}
		if s, e := diag.ParsePacket(m); e == nil && err == nil {
			err = w.Packet(s)
		}
		if s, e := diag.ParseVSock(m); e == nil && err == nil {
			err = w.VSock(s)
		}
		if s, e := diag.ParseXDP(m); e == nil && err == nil {
			err = w.XDP(s)
		}
		if s, e := diag.ParseTIPC(m); e == nil && err == nil {
			err = w.TIPC(s)
		}
		if err == nil {
			err = w.Flush()
		}
		if err != nil {
			t.Fatal(err)
		}
		if why := check.Terminal(out.Bytes(), '\t'); why != "" {
			t.Errorf("ss: %s", why)
		}
	})
}

// FuzzStatistics: netstat -s of any counters.
func FuzzStatistics(f *testing.F) {
	f.Add("TcpExt", "SyncookiesSent", uint64(3), false)
	f.Add("Ip", "Forwarding", uint64(1), false)
	f.Add("Tcp", "RtoAlgorithm", ^uint64(0), true)
	f.Add("Icmp6", "Icmp6InType129", uint64(2), false)
	f.Add("x\x1b", "y\n", uint64(1), false)
	f.Fuzz(func(t *testing.T, section, name string, v uint64, negative bool) {
		var s netstat.Statistics
		out := s.Append(nil, &counters.Section{
			Name: section, Counters: []counters.Counter{{Name: name, Value: v, Negative: negative}, {Name: "InErrors", Value: 1}},
		})
		if len(out) > 8*(len(section)+len(name))+4000 {
			t.Errorf("%q %q: %s", section, name, fmt.Sprintf("%.200q", out))
		}
		if check.Terminal([]byte(section+name)) == "" && check.Terminal(out) != "" {
			t.Errorf("%q %q: %s", section, name, check.Terminal(out))
		}
	})
}
