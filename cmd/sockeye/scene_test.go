package main

import (
	"fmt"
	"net/netip"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
	"github.com/sockeye-tools/sockeye/internal/release"
)

// row is what a face says of a socket, in one spelling for all faces.
type row struct {
	proto, state, local, remote, timer string
	recvQ, sendQ                       uint32
	owners                             string // PIDs, or the one PID that netstat tells
}

// Each face shows exactly the TCP and UDP sockets that the scene made, with state, queues, timer and owners.
func TestFacesShowTheScene(t *testing.T) {
	bin := peers.Sockeye(t)
	s := scene.New(t)
	tellsBound := release.Running() >= release.Of(6, 8)
	for _, face := range []struct {
		name   string
		args   []string
		read   func(line string) (row, bool)
		expect func(*scene.Expect, *row) bool // spells an expectation as the face does; false: it does not show it
	}{
		{"list", []string{"list", "--no-header"}, readList, func(e *scene.Expect, r *row) bool {
			r.state = map[scene.State]string{scene.BoundInactive: "BOUND"}[e.State] + r.state
			if e.Table == scene.UDP && e.State == scene.Close {
				r.state = "UNCONN"
			}
			r.timer = map[string]string{"off": "-", "probe": "persist"}[r.timer] + map[bool]string{true: r.timer}[r.timer != "off" && r.timer != "probe"]
			if e.State == scene.Listen {
				r.sendQ = e.Backlog
			}
			return true
		}},
		{"ss", []string{"ss", "-tuanopH"}, readSS, func(e *scene.Expect, r *row) bool {
			r.proto = strings.TrimSuffix(r.proto, "6")
			if e.State == scene.BoundInactive || e.State == scene.Close {
				r.state = "UNCONN"
			}
			r.timer = map[string]string{"off": "-", "probe": "persist"}[r.timer] + map[bool]string{true: r.timer}[r.timer != "off" && r.timer != "probe"]
			if e.State == scene.Listen {
				r.sendQ = e.Backlog
			}
			return true
		}},
		{"netstat", []string{"netstat", "-tuanpoW"}, readNetstat, func(e *scene.Expect, r *row) bool {
			r.state = map[string]string{"ESTAB": "ESTABLISHED", "UNCONN": "", "FIN-WAIT-1": "FIN_WAIT1", "FIN-WAIT-2": "FIN_WAIT2"}[r.state] +
				map[bool]string{true: strings.ReplaceAll(r.state, "-", "_")}[!slices.Contains([]string{"ESTAB", "UNCONN", "FIN-WAIT-1", "FIN-WAIT-2"}, r.state)]
			r.owners, _, _ = strings.Cut(r.owners, " ")
			return e.State != scene.BoundInactive // it is not in /proc/net/tcp
		}},
	} {
		t.Run(face.name, func(t *testing.T) {
			var want []row
			for i := range s.Sockets {
				e := &s.Sockets[i]
				if e.Table != scene.TCP && e.Table != scene.UDP || e.State == scene.BoundInactive && !tellsBound {
					continue
				}
				if r := expected(e, face.name); face.expect(e, &r) {
					want = append(want, r)
				}
			}
			cmd := exec.Command(bin, face.args...)
			var out, words strings.Builder
			cmd.Stdout, cmd.Stderr = &out, &words
			if err := s.Run(cmd); err != nil {
				t.Fatalf("%v: %s", err, words.String())
			}
			var got []row
			for line := range strings.Lines(out.String()) {
				if r, ok := face.read(strings.TrimRight(line, "\n")); ok {
					got = append(got, r)
				}
			}
			count := map[row]int{}
			for _, r := range want {
				count[r]++
			}
			for _, r := range got {
				count[r]--
			}
			for r, n := range count {
				if n > 0 {
					t.Errorf("not shown (%d times): %+v", n, r)
				} else if n < 0 {
					t.Errorf("not in the scene (%d times): %+v", -n, r)
				}
			}
			if len(want) < 60 {
				t.Errorf("the scene has only %d sockets", len(want))
			}
			if t.Failed() {
				t.Log(out.String())
			}
		})
	}
}

func expected(e *scene.Expect, face string) row {
	r := row{proto: e.Table.String(), recvQ: e.RecvQ, sendQ: e.SendQ, timer: e.Timer.String()}
	if e.Family == unix.AF_INET6 {
		r.proto += "6"
	}
	if r.state = e.State.String(); e.State == scene.Established {
		r.state = "ESTAB"
	}
	if e.State == scene.BoundInactive {
		r.state = ""
	}
	if e.State == scene.Close {
		r.state = "UNCONN"
	}
	r.local, r.remote = spell(e.Local, face, e, true), spell(e.Remote, face, e, false)
	var pids []int
	for _, o := range e.Owners {
		pids = append(pids, o.PID)
	}
	slices.Sort(pids)
	pids = slices.Compact(pids)
	if len(pids) > 4 && face == "list" {
		pids = pids[:4]
	}
	r.owners = strings.Trim(fmt.Sprint(pids), "[]")
	return r
}

// spell writes an address as a face does.
func spell(ap netip.AddrPort, face string, e *scene.Expect, local bool) string {
	port := strconv.Itoa(int(ap.Port()))
	if ap.Port() == 0 {
		port = "*"
	}
	addr := ap.Addr().String()
	device := ""
	if local && e.Device != "" {
		device = "%" + e.Device
	}
	switch face {
	case "netstat":
		if ap.Addr().Is4In6() {
			addr = ap.Addr().Unmap().String()
		}
	case "ss":
		if e.Family == unix.AF_INET6 {
			// v6only is told for sockets that have no peer.
			if ap.Addr().IsUnspecified() && !(e.V6Only && (e.State == scene.Listen || e.State == scene.Close || e.State == scene.BoundInactive)) {
				addr = "*" + device
			} else {
				addr = "[" + addr + "]" + device
			}
		} else {
			addr += device
		}
	case "list":
		if !local && ap.Addr().IsUnspecified() && ap.Port() == 0 {
			return "*"
		}
		addr += device
		if e.Family == unix.AF_INET6 {
			addr = "[" + addr + "]"
		}
	}
	return addr + ":" + port
}

var columns = regexp.MustCompile(`  +`)

func readList(line string) (r row, ok bool) {
	// PROTO STATE RECV-Q SEND-Q LOCAL PEER TIMER OWNER; numbers stand right, so blanks in front of them are folded.
	f := columns.Split(line, 8)
	if len(f) != 8 {
		return r, false
	}
	timer, _, _ := strings.Cut(f[6], " ")
	r = row{proto: f[0], state: f[1], recvQ: number(f[2]), sendQ: number(f[3]), local: f[4], remote: f[5], timer: timer}
	r.owners = pids(regexp.MustCompile(`\[(\d+)\](?: |$)`), f[7])
	return r, true
}

func readSS(line string) (r row, ok bool) {
	f := strings.Fields(line)
	if len(f) < 6 {
		return r, false
	}
	r = row{proto: f[0], state: f[1], recvQ: number(f[2]), sendQ: number(f[3]), local: f[4], remote: f[5], timer: "-"}
	if m := regexp.MustCompile(` timer:\((\w+),`).FindStringSubmatch(line); m != nil {
		r.timer = m[1]
	}
	r.owners = pids(regexp.MustCompile(`,pid=(\d+),fd=`), line)
	return r, true
}

func readNetstat(line string) (r row, ok bool) {
	f := strings.Fields(line)
	if len(f) < 6 || !strings.HasPrefix(f[0], "tcp") && !strings.HasPrefix(f[0], "udp") {
		return r, false
	}
	r = row{proto: f[0], recvQ: number(f[1]), sendQ: number(f[2]), local: f[3], remote: f[4]}
	rest := f[5:]
	if strings.HasPrefix(r.proto, "tcp") || rest[0] == "ESTABLISHED" {
		r.state, rest = rest[0], rest[1:]
	}
	r.timer = rest[len(rest)-2]
	if pid, _, ok := strings.Cut(rest[0], "/"); ok {
		r.owners = pid
	}
	return r, true
}

func number(s string) uint32 {
	n, _ := strconv.ParseUint(s, 10, 32)
	return uint32(n)
}

// pids returns the process ids that re finds, in order, each once.
func pids(re *regexp.Regexp, s string) string {
	var list []int
	for _, m := range re.FindAllStringSubmatch(s, -1) {
		n, _ := strconv.Atoi(m[1])
		list = append(list, n)
	}
	slices.Sort(list)
	return strings.Trim(fmt.Sprint(slices.Compact(list)), "[]")
}
