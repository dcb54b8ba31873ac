package list

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
)

// The questions of a bad night: each over a scene that has the fault.

// tcp opens sockets in a namespace.
type tcp struct {
	t   *testing.T
	ns  *scene.NetNS
	fds []int
}

func newTCP(t *testing.T) *tcp {
	n := &tcp{t: t, ns: scene.NewNetNS(t)}
	t.Cleanup(func() {
		for _, fd := range n.fds {
			unix.Close(fd)
		}
	})
	return n
}

// in runs f in the namespace, and fails the test if it does.
func (n *tcp) in(f func() error) {
	n.t.Helper()
	var err error
	if e := n.ns.Do(func() { err = f() }); e != nil {
		err = e
	}
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *tcp) socket(addr string) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	n.fds = append(n.fds, fd)
	if addr != "" {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		err = unix.Bind(fd, sockaddr(addr))
	}
	return fd, err
}

func sockaddr(addr string) *unix.SockaddrInet4 {
	a, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		panic(err)
	}
	return &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(a.IP.To4())}
}

func (n *tcp) listen(addr string, backlog int) (int, error) {
	fd, err := n.socket(addr)
	if err == nil {
		err = unix.Listen(fd, backlog)
	}
	return fd, err
}

// pair connects from one address to a listener, and accepts.
func (n *tcp) pair(lfd int, from, to string) (client, server int, err error) {
	if client, err = n.socket(from); err != nil {
		return
	}
	if err = unix.Connect(client, sockaddr(to)); err != nil {
		return
	}
	server, _, err = unix.Accept4(lfd, unix.SOCK_CLOEXEC)
	n.fds = append(n.fds, server)
	return
}

// await waits for a socket to be in a state.
func await(fd int, state diag.State) error {
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(time.Millisecond) {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil || diag.State(info.State) == state {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("socket in %v, want %v", diag.State(info.State), state)
		}
	}
}

func self() string { return fmt.Sprint(os.Getpid()) }

func TestAnswerWhoLeaksCloseWait(t *testing.T) {
	n := newTCP(t)
	n.in(func() error {
		lfd, err := n.listen("127.0.0.1:8080", 16)
		for range 7 {
			var client, server int
			if err == nil {
				client, server, err = n.pair(lfd, "", "127.0.0.1:8080")
			}
			if err == nil {
				err = unix.Shutdown(client, unix.SHUT_WR) // the server does not close
			}
			if err == nil {
				err = await(server, diag.CloseWait)
			}
		}
		return err
	})
	rows := answer(t, n.ns, "state close-wait", "-g", "process,pid")
	if len(rows) != 1 || str(rows[0]["count"]) != "7" || str(rows[0]["pid"]) != self() || str(rows[0]["process"]) == "" {
		t.Errorf("%v", rows)
	}
}

func TestAnswerWhichAcceptQueueOverflows(t *testing.T) {
	n := newTCP(t)
	n.in(func() error {
		_, err := n.listen("127.0.0.1:8081", 16)
		if err == nil {
			_, err = n.listen("127.0.0.1:8080", 1)
		}
		for range 5 {
			var fd int
			if err == nil {
				fd, err = n.socket("")
			}
			if err == nil {
				err = unix.SetNonblock(fd, true)
			}
			if err == nil {
				if err = unix.Connect(fd, sockaddr("127.0.0.1:8080")); err == unix.EINPROGRESS {
					err = nil
				}
			}
		}
		return err
	})
	// What was sent may still be on its way.
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		rows := answer(t, n.ns, "state listen and (accept_full or drops > 0)", "-c", "+accept_q,backlog,drops")
		if len(rows) == 1 && str(rows[0]["local_port"]) == "8080" && str(rows[0]["backlog_connections"]) == "1" && rows[0]["recv_q_bytes"] == nil &&
			str(rows[0]["accept_q_connections"]) == "2" && str(rows[0]["drops_packets"]) != "0" && rows[0]["drops_packets"] != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v, want the queue of connections to port 8080, full, not in bytes, and drops", rows)
		}
	}
}

func TestAnswerWhoHoldsAPort(t *testing.T) {
	n := newTCP(t)
	n.in(func() error {
		_, err := n.listen("0.0.0.0:8080", 1)
		return err
	})
	rows := answer(t, n.ns, "sport = :8080", "-c", "state,local,process,pid,cmdline,process_user,process_cgroup,unit,container")
	if len(rows) != 1 {
		t.Fatalf("%v", rows)
	}
	owners, _ := rows[0]["owners"].([]any)
	if len(owners) != 1 {
		t.Fatalf("%v", rows)
	}
	o := owners[0].(map[string]any)
	if str(o["pid"]) != self() || !strings.HasPrefix(str(o["cmdline"]), os.Args[0]) || str(o["process_user"]) != "root" {
		t.Errorf("%v", o)
	}
	b, err := os.ReadFile("/proc/self/cgroup")
	if err == nil && !strings.Contains(string(b), ":"+str(o["process_cgroup"])+"\n") {
		t.Errorf("cgroup %v, /proc says %s", o["process_cgroup"], b)
	}
}

func TestAnswerWhichPeersAreWorst(t *testing.T) {
	n := newTCP(t)
	n.in(func() error {
		lfd, err := n.listen("127.0.0.1:8080", 16)
		for i := range 3 {
			var client, server int
			if err == nil {
				client, server, err = n.pair(lfd, fmt.Sprintf("127.0.0.%d:0", 10+i), "127.0.0.1:8080")
			}
			if err == nil {
				_, err = unix.Write(client, make([]byte, 100*(i+1)))
			}
			if err == nil {
				_, err = unix.Read(server, make([]byte, 1000))
			}
		}
		return err
	})
	rows := answer(t, n.ns, "state established and dst 127.0.0.0/28", "-g", "peer_addr", "-c", "count,p50(rtt),max(rtt),sum(retrans_total),sum(bytes_received)",
		"-s", "sum(bytes_received):desc", "-n", "2")
	if len(rows) != 2 || rows[0]["peer_addr"] != "127.0.0.12" || rows[1]["peer_addr"] != "127.0.0.11" || str(rows[0]["sum_bytes_received"]) != "300" {
		t.Fatalf("%v", rows)
	}
	if rows[0]["p50_rtt_us"] == nil || str(rows[0]["sum_retrans_total_segments"]) != "0" {
		t.Errorf("%v", rows[0])
	}
	// The worst by rtt first, for single sockets too.
	var last uint64 = 1 << 62
	for _, row := range answer(t, n.ns, "state established", "-s", "rtt:desc") {
		var v uint64
		fmt.Sscan(str(row["rtt_us"]), &v)
		if v > last || v == 0 {
			t.Errorf("%d behind %d", v, last)
		}
		last = v
	}
}

func TestAnswerWhatIsStuckBehindAWindow(t *testing.T) {
	n := newTCP(t)
	var local string
	n.in(func() error {
		lfd, err := n.listen("127.0.0.1:8080", 16)
		if err != nil {
			return err
		}
		if _, _, err = n.pair(lfd, "", "127.0.0.1:8080"); err != nil { // one that is well
			return err
		}
		client, server, err := n.pair(lfd, "", "127.0.0.1:8080")
		if err != nil {
			return err
		}
		_ = server // reads nothing
		sa, err := unix.Getsockname(client)
		if err != nil {
			return err
		}
		local = fmt.Sprint(sa.(*unix.SockaddrInet4).Port)
		if err := unix.SetNonblock(client, true); err != nil {
			return err
		}
		for until := time.Now().Add(60 * time.Second); time.Now().Before(until); {
			if _, err := unix.Write(client, make([]byte, 64<<10)); err == unix.EAGAIN {
				info, err := unix.GetsockoptTCPInfo(client, unix.IPPROTO_TCP, unix.TCP_INFO)
				if err != nil {
					return err
				}
				// All that was sent is acknowledged: only the window is in the way. One that is small, not 0, takes a probe with data.
				if info.Unacked == 0 && info.Notsent_bytes > 0 && info.Snd_wnd == 0 {
					return nil
				}
				time.Sleep(10 * time.Millisecond)
			} else if err != nil {
				return err
			}
		}
		return fmt.Errorf("the window does not close")
	})
	rows := answer(t, n.ns, "timer = persist or snd_wnd = 0 and sendq > 0", "-c", "+notsent,snd_wnd")
	if len(rows) != 1 || str(rows[0]["local_port"]) != local || str(rows[0]["notsent_bytes"]) == "0" {
		t.Errorf("%v, want the one from port %s", rows, local)
	}
}

func TestAnswerWhichPeersHoldManyConnections(t *testing.T) {
	n := newTCP(t)
	const many = 1005
	n.in(func() error {
		lfd, err := n.listen("127.0.0.1:8080", 64)
		for i := range many + 3 {
			from := "127.0.0.2:0"
			if i >= many {
				from = "127.0.0.3:0"
			}
			if err == nil {
				_, _, err = n.pair(lfd, from, "127.0.0.1:8080")
			}
		}
		return err
	})
	rows := answer(t, n.ns, "proto tcp and not state listen and sport 8080", "-g", "peer_addr", "--having", "count > 1000")
	if len(rows) != 1 || rows[0]["peer_addr"] != "127.0.0.2" || str(rows[0]["count"]) != fmt.Sprint(many) {
		t.Errorf("%v", rows)
	}
	out, _, _ := verb(t, n.ns, "--summary")
	for _, want := range []string{"most connections", "127.0.0.2", "127.0.0.1:8080", "established"} {
		if !strings.Contains(out, want) {
			t.Errorf("the summary lacks %q:\n%s", want, out)
		}
	}
}

func TestAnswerSourcePorts(t *testing.T) {
	n := newTCP(t)
	n.in(func() error {
		if err := scene.Sysctl("net/ipv4/ip_local_port_range", "40000 40099"); err != nil {
			return err
		}
		lfd, err := n.listen("127.0.0.1:8080", 64)
		for range 75 {
			if err == nil {
				_, _, err = n.pair(lfd, "", "127.0.0.1:8080")
			}
		}
		return err
	})
	rows := answer(t, n.ns, "proto tcp and autobound", "-g", "local_addr,peer", "-n", "1")
	if len(rows) != 1 || rows[0]["peer"] != "127.0.0.1:8080" || str(rows[0]["count"]) != "75" {
		t.Errorf("%v", rows)
	}
	out, _, _ := verb(t, n.ns, "--summary")
	if !strings.Contains(out, "(40000 to 40099)") || !slices.ContainsFunc(strings.Split(out, "\n"), func(l string) bool {
		return strings.Join(strings.Fields(l), " ") == "127.0.0.1 127.0.0.1:8080 75 100 75%"
	}) {
		t.Errorf("the summary does not tell:\n%s", out)
	}
}

// An hour cannot be waited for: the same question with a time that has passed, and one that has not.
func TestAnswerWhatIsIdle(t *testing.T) {
	n := newTCP(t)
	var client int
	n.in(func() error {
		lfd, err := n.listen("127.0.0.1:8080", 16)
		for range 2 {
			if err == nil {
				client, _, err = n.pair(lfd, "", "127.0.0.1:8080")
			}
		}
		return err
	})
	for idle := 300 * time.Millisecond; ; idle *= 2 {
		time.Sleep(idle + 20*time.Millisecond) // the kernel counts ticks, of up to 10 ms
		wrote := time.Now()
		if _, err := unix.Write(client, []byte("x")); err != nil {
			t.Fatal(err)
		}
		rows := answer(t, n.ns, fmt.Sprintf("state established and idle >= %dms", idle.Milliseconds()), "-c", "+idle", "-s", "idle:desc")
		if time.Since(wrote) >= idle-20*time.Millisecond && idle < time.Minute { // the other may be as idle by now
			continue
		}
		if len(rows) != 2 || rows[0]["idle_ms"] == nil {
			t.Errorf("%v, want both ends of the connection that is idle", rows)
		}
		break
	}
	if rows := answer(t, n.ns, "state established and idle > 1h"); len(rows) != 0 {
		t.Errorf("%v", rows)
	}
	if rows := answer(t, n.ns, "state established and idle < 1h"); len(rows) != 4 {
		t.Errorf("%v", rows)
	}
}
