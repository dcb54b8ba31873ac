package field

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
)

// Names are unique, can be typed, and programs get the unit with them.
func TestNames(t *testing.T) {
	plain := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	seen := map[string]string{}
	for _, f := range All {
		if f.Doc == "" || f.Key == "" || f.Kind == Flag && f.Unit != None {
			t.Errorf("%+v", f)
		}
		for _, name := range append([]string{f.Name}, f.Aliases...) {
			if !plain.MatchString(name) || seen[name] != "" {
				t.Errorf("%q of %s: odd, or of %s too", name, f.Name, seen[name])
			}
			seen[name] = f.Name
		}
		if f.Key != f.Name && seen[f.Key] != "" {
			t.Errorf("key %s of %s is the name of %s", f.Key, f.Name, seen[f.Key])
		}
		readers := 0
		for _, has := range []bool{f.number != nil, f.text != nil, f.word != nil, f.addr != nil, f.holder != nil || f.Many && f.Kind == Number} {
			if has {
				readers++
			}
		}
		if readers != 1 || f.Many != (f.holder != nil || f.Kind == Number && f.Group == Owner && f.Many) {
			t.Errorf("%s has %d readers", f.Name, readers)
		}
	}
	for name, key := range map[string]string{"rtt": "rtt_us", "last_send": "last_send_ms", "recv_q": "recv_q_bytes", "bytes_sent": "bytes_sent",
		"pacing_rate": "pacing_rate_bytes_per_second", "cwnd": "cwnd_segments", "expires": "expires_ms", "drops": "drops_packets", "uid": "uid"} {
		f, err := Lookup(name)
		if err != nil || f.Key != key {
			t.Errorf("%s: %v, key %q, want %q", name, err, f.Key, key)
		}
	}
}

func TestLookup(t *testing.T) {
	for alias, name := range map[string]string{"Recv-Q": "recv_q", "sendq": "send_q", "sport": "local_port", "dst": "peer", "comm": "process", "rtt_us": "rtt"} {
		if f, err := Lookup(alias); err != nil || f.Name != name {
			t.Errorf("%s: %v, %v", alias, f, err)
		}
	}
	_, err := Lookup("retrnas_total")
	if e, ok := errors.AsType[*UnknownError](err); !ok || e.Like != "retrans_total" {
		t.Errorf("%v", err)
	}
	for word, want := range map[string]string{"rtt_": "rtt", "zzzzzz": "", "delivery": "delivery_rate", "": ""} {
		if got := Nearest(word, slices.Collect(names)); got != want {
			t.Errorf("%q is near %q, want %q", word, got, want)
		}
	}
}

// Every field reads every socket of the recorded scene without allocating, and agrees with the decoder of tcp_info.
func TestFieldsOverTheRecording(t *testing.T) {
	c, err := diag.Dial(diagtest.Load(t, "../../testdata/scene.nl").Replay(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := &Context{Device: func(uint32) (string, bool) { return "eth0", true }, User: func(uint32) (string, bool) { return "root", true }}
	got := map[string]int{}
	var dst []byte
	read := func(s *diag.InetSocket, f *Field) (ok bool) {
		switch {
		case f.Many:
		case f.Kind == Number || f.Kind == Flag:
			_, ok = f.Number(ctx, s)
		case f.Kind == Address:
			ok = f.Addr(s).IsValid()
		default:
			dst, ok = f.AppendText(ctx, dst[:0], s)
		}
		return ok
	}
	n := 0
	for _, p := range []diag.Protocol{diag.TCP, diag.UDP} {
		for s, err := range c.Inet(t.Context(), diag.InetQuery{Protocol: p, Ext: 0xff}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			for _, f := range All {
				if read(s, f) {
					got[f.Name]++
					if f.Values != "" && !slices.Contains(strings.Fields(f.Values), string(dst)) {
						t.Errorf("%s is %q, and said to be one of %s", f.Name, dst, f.Values)
					}
				}
				if n%20 == 0 || got[f.Name] == 1 {
					if a := testing.AllocsPerRun(5, func() { read(s, f) }); a != 0 {
						t.Errorf("%s: %v allocations", f.Name, a)
					}
				}
				if f.Group == TCP && (s.State == diag.Listen || s.State == diag.TimeWait || s.State == diag.SynRecv) && f.Kind != Text && read(s, f) {
					t.Errorf("%s of a socket in %v", f.Name, s.State)
				}
			}
			var info diag.TCPInfo
			if s.TCPInfo(&info) && s.State == diag.Established {
				for name, want := range map[string]uint64{"rtt": uint64(info.RTT), "cwnd": uint64(info.SndCwnd), "bytes_received": info.BytesReceived,
					"rto": uint64(info.RTO), "segs_in": uint64(info.SegsIn), "snd_wnd": uint64(info.SndWnd), "retrans_total": uint64(info.TotalRetrans),
					"idle": uint64(min(info.LastDataSent, info.LastDataRecv))} {
					f, err := Lookup(name)
					if err != nil {
						t.Fatal(err)
					}
					if v, ok := f.Number(ctx, s); !ok || v != want {
						t.Errorf("%s: %d, %v, want %d", name, v, ok, want)
					}
				}
			}
			if dst, _ = AppendOwners(ctx, dst[:0], s, 4); !bytes.Equal(dst, nil) && len(dst) > 0 {
				t.Error("owners that were not looked up")
			}
		}
	}
	for _, name := range []string{"netid", "state", "local", "peer", "local_addr", "timer", "expires", "retransmits", "uid", "inode", "cookie", "mark", "rtt", "cong",
		"rcvbuf", "drops", "tos", "rcv_shutdown", "v6only", "dev", "no_owner", "accept_q", "backlog", "accept_full", "sack", "fastopen", "min_rtt"} {
		if got[name] == 0 || got[name] == n && (name == "rtt" || name == "peer" || name == "timer") {
			t.Errorf("%s: %d of %d sockets have it", name, got[name], n)
		}
	}
}

// What a field says without attributes is what it says with them, unless it has said that it needs one: Attr, or Ext.
func TestAttr(t *testing.T) {
	c, err := diag.Dial(diagtest.Load(t, "../../testdata/scene.nl").Replay(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := &Context{
		Device: func(uint32) (string, bool) { return "eth0", true },
		User:   func(uint32) (string, bool) { return "root", true },
		Cgroup: func(uint64) (string, bool) { return "/system.slice/x.socket", true },
		Owners: fake{},
	}
	read := func(s *diag.InetSocket, f *Field) string {
		switch {
		case f.Many:
			return "" // of the holders
		case f.Kind == Number || f.Kind == Flag:
			return fmt.Sprint(f.Number(ctx, s))
		case f.Kind == Address:
			return f.Addr(s).String()
		}
		b, ok := f.AppendText(ctx, nil, s)
		return fmt.Sprint(string(b), ok)
	}
	differ := map[string]bool{}
	for s, err := range c.Inet(t.Context(), diag.InetQuery{Ext: 0xff}) {
		if err != nil {
			t.Fatal(err)
		}
		bare := &diag.InetSocket{Family: s.Family, Protocol: s.Protocol, State: s.State, Timer: s.Timer, Retrans: s.Retrans, Local: s.Local, Remote: s.Remote,
			Interface: s.Interface, Cookie: s.Cookie, Expires: s.Expires, RQueue: s.RQueue, WQueue: s.WQueue, UID: s.UID, Inode: s.Inode, Source: s.Source}
		for _, f := range All {
			if read(s, f) != read(bare, f) {
				differ[f.Name] = true
				if !f.Attr && f.Ext == 0 {
					t.Fatalf("%s is %s, and %s without attributes", f.Name, read(s, f), read(bare, f))
				}
			}
		}
	}
	for _, name := range []string{"mark", "cgroup", "cgroup_id", "socket_unit", "v6only", "rtt"} {
		if !differ[name] {
			t.Errorf("%s does not need an attribute in the recording", name)
		}
	}
}
