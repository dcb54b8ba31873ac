package peers

import (
	"bytes"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
)

var ssStates = map[scene.State]string{
	scene.Established: "ESTAB", scene.SynSent: "SYN-SENT", scene.SynRecv: "SYN-RECV", scene.FinWait1: "FIN-WAIT-1", scene.FinWait2: "FIN-WAIT-2",
	scene.TimeWait: "TIME-WAIT", scene.Close: "UNCONN", scene.CloseWait: "CLOSE-WAIT", scene.LastAck: "LAST-ACK", scene.Listen: "LISTEN",
	scene.Closing: "CLOSING", scene.BoundInactive: "UNCONN",
}

// ssRow is what ss -anOHe says of a socket, as far as the scene knows.
func ssRow(e *scene.Expect) []string {
	endpoint := func(ap netip.AddrPort, dev string) string {
		host := ap.Addr().String()
		if ap.Addr().Is6() {
			host = "[" + host + "]"
			if ap.Addr().IsUnspecified() && !e.V6Only {
				host = "*"
			}
		}
		if dev != "" {
			host += "%" + dev
		}
		if ap.Port() == 0 {
			return host + ":*"
		}
		return fmt.Sprintf("%s:%d", host, ap.Port())
	}
	send := e.SendQ
	if e.State == scene.Listen {
		send = e.Backlog
	}
	row := []string{ssStates[e.State], fmt.Sprint(e.RecvQ), fmt.Sprint(send), endpoint(e.Local, e.Device), endpoint(e.Remote, "")}
	if e.UID != 0 {
		row = append(row, fmt.Sprintf("uid:%d", e.UID))
	}
	row = append(row, fmt.Sprintf("ino:%d", e.Inode))
	if e.Mark != 0 && e.Inode != 0 {
		row = append(row, fmt.Sprintf("fwmark:%#x", e.Mark))
	}
	if e.Family == unix.AF_INET6 && (e.State == scene.Listen || e.State == scene.Close || e.State == scene.BoundInactive) {
		row = append(row, map[bool]string{false: "v6only:0", true: "v6only:1"}[e.V6Only])
	}
	if e.State != scene.TimeWait && e.State != scene.SynRecv && e.Name != "fin-wait-2 timewait v4" && e.Name != "fin-wait-2 timewait v6" {
		arrow := []byte("<->")
		if e.Shutdown&scene.ShutRead != 0 {
			arrow[0] = '-'
		}
		if e.Shutdown&scene.ShutWrite != 0 {
			arrow[2] = '-'
		}
		row = append(row, string(arrow))
	}
	return row
}

// ss knows of sockets what /proc/net does not (backlogs, devices, marks, shutdowns, bound and MPTCP sockets): the scene says the same.
func TestSceneByPeer(t *testing.T) {
	s := scene.New(t)
	ss := SS(t)
	for table, flag := range map[scene.Table]string{scene.TCP: "-t", scene.UDP: "-u", scene.MPTCP: "-M"} {
		var stdout bytes.Buffer
		cmd := exec.Command(ss, flag, "-anOHe")
		cmd.Stdout = &stdout
		if err := s.Run(cmd); err != nil {
			t.Fatal(err)
		}
		var got, want []string
		for line := range strings.Lines(stdout.String()) {
			fields := slices.DeleteFunc(strings.Fields(line), func(f string) bool {
				return strings.HasPrefix(f, "sk:") || strings.HasPrefix(f, "cgroup:") || strings.HasPrefix(f, "timer:")
			})
			got = append(got, strings.Join(fields, " "))
		}
		for i := range s.Sockets {
			if e := &s.Sockets[i]; e.Table == table {
				want = append(want, strings.Join(ssRow(e), " "))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := diffLines(want, got); diff != "" {
			t.Errorf("the scene (-) and ss %s (+):\n%s", flag, diff)
		}
	}
}
