package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	mdlayher "github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// A familyCase is what is asked about one part of the scene of families.
type familyCase struct {
	part string
	// handler is the kernel's module that answers, and key what it is asked for.
	handler string
	key     dumpKey
	// live are command lines that ss and sockeye ss answer with the same lines over real sockets, and replay those that they answer
	// with the same bytes over a recording.
	live, replay string
	// netstat are command lines of netstat over real sockets.
	netstat string
}

var familyCases = []familyCase{
	{scene.FamilySCTP, "sctp_diag", dumpKey{unix.AF_INET, unix.IPPROTO_SCTP}, `
-San
-S
-Sl
-SaniO
-Sanoemip
-San6
-tSMan
-San state established
-San state close-wait
-San sport = 5001
-San not sport = 5001 and dst 127.0.0.1
-San src [::1]
-San dst 127.0.0.2
-San autobound
`, `
-San
-Sa
-S
-Sn
-Sl
-Sln
-SanH
-SanQ
-SanO
-Sane
-Sano
-Sanoe
-Sanm
-Sani
-SaniO
-Sanoemi
-SanoemiO
-SanoemiHQO
-San4
-San6
-San --tos
-San --cgroup
-San --inet-sockopt
-San --tos --cgroup --inet-sockopt -O
--sctp --all --numeric
-A sctp -an
-A inet -an
-tSan
-tuSan
-SMan
-SManoemi
-San state established
-San state listening
-San state unconnected
-San state close-wait
-San state syn-recv
-San state connected
-San exclude listening
-San exclude established
-San sport = 5001
-San sport = :5002
-San dport = 5002
-San sport gt 45000
-San sport <= 5003
-San not sport = 5001
-San ( sport = 5001 or dport = 5001 )
-San src 127.0.0.1
-San src 127.0.0.3
-San src 127.0.0.0/8
-San dst 127.0.0.1
-San dst 127.0.0.2
-San src [::1]
-San dst [::1]:5003
-San dst [::ffff:127.0.0.1]
-San autobound
-San not autobound
-San dev lo
-San dev != lo
-San src unix:*
-Sa sport = 5001 or src [::1] and dport = 5003
`, `
-San
-Sln
-SaneoW
-tuSan
-Slnpe
`},
	{scene.FamilyVSock, "vsock_diag", dumpKey{family: unix.AF_VSOCK}, `
--vsock
--vsock -a
--vsock -l
--vsock -anpemoi
-A v_str -a
-A v_dgr -a
--vsock -a src 1:9001
--vsock -a autobound
-a src vsock:1
`, `
--vsock
--vsock -a
--vsock -l
--vsock -n
--vsock -an
--vsock -aH
--vsock -aQ
--vsock -aO
--vsock -ae
--vsock -am
--vsock -ai
--vsock -ao
--vsock -aemoi
--vsock -aemoiO
-f vsock
-f vsock -a
-A vsock -a
-A vsock_stream -a
-A v_str -a
-A vsock_dgram -a
-A v_dgr -a
-A v_str,v_dgr -a
--vsock -a state established
--vsock -a state listening
--vsock -a state unconnected
--vsock exclude established
--vsock -a src vsock:1
--vsock -a src 1
--vsock -a src 1:9001
--vsock -a src *:9001
--vsock -a dst 1:9001
--vsock -a dst *:9001
--vsock -a sport = 9001
--vsock -a sport = :9001
--vsock -a sport ge 9002
--vsock -a sport gt 100000
--vsock -a dport = 9001
--vsock -a dport = 70000
--vsock -a not sport = 9001
--vsock -a src 1 and not sport = 9001
--vsock -a autobound
--vsock -a not autobound
-a src vsock:1
-a src vsock:*
-f vsock -a src *
--vsock -t -a
--vsock -A tcp -a
`, ``},
	{scene.FamilyTIPC, "tipc_diag", dumpKey{family: unix.AF_TIPC}, `
--tipc
--tipc -l
--tipc -a
--tipc -aep --tipcinfo
--tipc -apO --tipcinfo
`, `
--tipc
--tipc -a
--tipc -l
--tipc -n
--tipc -aH
--tipc -aQ
--tipc -aO
--tipc -ae
--tipc -am
--tipc -ai
--tipc -a --tipcinfo
--tipc -aO --tipcinfo
--tipc -ae --tipcinfo
--tipc -aeHO --tipcinfo
--tipc -l --tipcinfo
-f tipc
-f tipc -a
-A tipc
-A tipc -a
--tipc -a state established
--tipc -a state listening
--tipc -a state unconnected
--tipc exclude established
--tipc -a sport = 1
--tipc -t -a
--tipc --vsock --xdp -a
`, ``},
	{scene.FamilyXDP, "xsk_diag", dumpKey{family: unix.AF_XDP}, `
--xdp -a
--xdp -aemp
--xdp -aempO
--xdp -a dev veth7
--xdp -a not dev veth7
`, `
--xdp
--xdp -a
--xdp -l
--xdp -n
--xdp -aH
--xdp -aQ
--xdp -aO
--xdp -ae
--xdp -aeO
--xdp -am
--xdp -aem
--xdp -aemO
--xdp -ai
-f xdp
-f xdp -a
-A xdp -a
--xdp -a dev lo
--xdp -a not dev lo
--xdp -a state unconnected
--xdp state established
`, ``},
	{scene.FamilyTLS, "tcp_diag", dumpKey{unix.AF_INET, unix.IPPROTO_TCP}, `
-tanoemip
-tani
-taniO
`, `
-tan
-ta
-tani
-taniO
-tanie
-tanoemi
-tanoemiO
-tanib
-taiH
-tni
-tlni
-tani4
-tani6
-tni state established
`, `
-tanoe
`},
	{scene.FamilyMPTCP, "mptcp_diag", dumpKey{unix.AF_INET, 262}, `
-M
-Manoemip
-ManiO
-Man sport = 9104
-tani
`, `
-Man
-Ma
-M
-Mln
-Mane
-Mano
-Manm
-Mani
-ManiO
-Manoemi
-ManoemiO
-Man4
-Man6
-Man state established
-Man exclude listening
-tMan
-tMani
-tManoemiO
`, ``},
	{scene.FamilyCongestion, "tcp_diag", dumpKey{unix.AF_INET, unix.IPPROTO_TCP}, `
-tanoemi
-taniO
-tib
`, ``, ``},
	{scene.FamilyRaw, "raw_diag", dumpKey{unix.AF_INET, unix.IPPROTO_RAW}, `
-w
-wa
-wanoemip
-wan src 127.0.0.1
-wan sport = 253
-wuan
`, `
-wan
-wa
-w
-wl
-wln
-wane
-wanm
-waniO
-wanoemi
-wanoemiO
-wae
-wanH
-wanQ
-wan4
-wan6
-wan --tos --cgroup --inet-sockopt
-A raw -an
-wtan
-wta
-wSan
-wMan
-wan state established
-wa state unconnected
`, `
-wan
-wa
-wln
-wane
-wanp
`},
	{scene.FamilyUDPLite, "UDP-Lite", dumpKey{unix.AF_INET, unix.IPPROTO_UDPLITE}, ``, ``, `
-Uan
-Ua
-Uln
-U
-UaneW
-Uanp
-uUan
`},
	{scene.FamilyDCCP, "dccp_diag", dumpKey{unix.AF_INET, unix.IPPROTO_DCCP}, ``, ``, ``},
}

// familyMasks are for figures that move while nobody does anything.
var familyMasks = []peers.Mask{
	// SCTP probes the window of a peer that does not read, again and again.
	{Pattern: regexp.MustCompile(`( timer:\(T3_RTX,)(?:\d+min)?(?:\d+(?:\.\d{3})?sec)?(?:\d+ms)?,\d+\)`), With: "${1}TIME,N)"},
	{Pattern: regexp.MustCompile(`( overerr:)\d+`), With: "${1}N"},
}

// requireHandler skips the test where the kernel does not tell of the sockets of its scene. It is asked before the scene is made: a kernel
// without a way to connect two AF_VSOCK sockets says so after seconds.
func requireHandler(t *testing.T, c *familyCase) {
	t.Helper()
	conn, err := mdlayher.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err == nil {
		defer conn.Close()
		_, err = conn.Execute(mdlayher.Message{
			Header: mdlayher.Header{Type: typeDump, Flags: mdlayher.Request | mdlayher.Dump}, Data: c.key.request(),
		})
	}
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EINVAL):
		t.Skipf("this kernel has no %s", c.handler)
	case err != nil:
		t.Fatal(err)
	}
}

// What ss says of the families that many kernels lack, sockeye ss says in the same lines, and so it is with netstat.
func TestGuestFamilies(t *testing.T) {
	for _, c := range familyCases {
		t.Run(strings.ReplaceAll(c.part, " ", "-"), func(t *testing.T) {
			ss, netstat, ours := peers.SS(t), peers.Netstat(t), peers.Sockeye(t)
			requireHandler(t, &c)
			s := scene.NewFamilies(t, c.part)
			options := peers.Options{Masks: familyMasks}
			for _, args := range split(c.live) {
				t.Run("ss "+strings.Join(args, " "), func(t *testing.T) {
					peers.Compare(t, s, append([]string{ss}, args...), append([]string{ours, "ss"}, args...), options)
				})
			}
			for _, args := range split(c.netstat) {
				t.Run("netstat "+strings.Join(args, " "), func(t *testing.T) {
					if c.part != scene.FamilySCTP {
						options := peers.Options{Peer: printable}
						peers.Compare(t, s, append([]string{netstat}, args...), append([]string{ours, "netstat"}, args...), options)
						return
					}
					want := netstatRecords(runCommand(t, s, nil, append([]string{netstat}, args...)...))
					got := netstatRecords(runCommand(t, s, nil, append([]string{ours, "netstat"}, args...)...))
					if !slices.Equal(got, want) || len(want) < 4 {
						t.Errorf("\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
					}
				})
			}
		})
	}
}

// association is the beginning of a row of netstat for an SCTP association: its addresses, and its state.
var association = regexp.MustCompile(`^(sctp +\d+ +\d+ +\S+:\d+ +\S+:\d+ +)[A-Z_]+\b *`)

// netstatRecords returns what netstat said of SCTP, a socket with all of its lines in one string, in order: the families are mixed in
// /proc/net/sctp. Of associations the state is left out: netstat shows the endpoint's.
func netstatRecords(r result) (list []string) {
	for line := range strings.Lines(r.stdout) {
		if strings.HasPrefix(line, " ") {
			list[len(list)-1] += line
			continue
		}
		list = append(list, association.ReplaceAllString(line, "${1}STATE "))
	}
	slices.Sort(list)
	return append(list, "stderr "+r.stderr, "status "+strconv.Itoa(r.status))
}

// oldLines are command lines whose rows Debian's own ss prints too, however old it is: the fields of families that have not changed
// between iproute2 6.1 and 7.3.
var oldLines = map[string]string{
	scene.FamilySCTP:  "-SanH\n-SlnH\n-SaniHO\n-SanmHO",
	scene.FamilyVSock: "--vsock -aH\n--vsock -lH\n-A v_str -aH",
	scene.FamilyTIPC:  "--tipc -aH\n--tipc -lH\n--tipc -aHO --tipcinfo",
	scene.FamilyXDP:   "--xdp -aH",
	scene.FamilyDCCP:  "-danH\n-dlnH\n-dnH",
	scene.FamilyTLS:   "-tanH",
	scene.FamilyMPTCP: "-ManH",
}

// The ss of the system, whatever its age, shows the same rows.
func TestGuestFamiliesByTheSystemsSS(t *testing.T) {
	const system = "/usr/bin/ss" // in PATH there is one of the tests' own
	if _, err := os.Stat(system); err != nil {
		t.Skip(err)
	}
	ours := peers.Sockeye(t)
	for _, c := range familyCases {
		lines := oldLines[c.part]
		if lines == "" {
			continue
		}
		t.Run(strings.ReplaceAll(c.part, " ", "-"), func(t *testing.T) {
			requireHandler(t, &c)
			s := scene.NewFamilies(t, c.part)
			run := func(argv ...string) (rows []string) {
				cmd := exec.Command(argv[0], argv[1:]...)
				var stdout, stderr bytes.Buffer
				cmd.Stdout, cmd.Stderr = &stdout, &stderr
				if err := s.Run(cmd); err != nil {
					t.Fatalf("%v: %v: %s", argv, err, stderr.String())
				}
				for line := range strings.Lines(stdout.String()) {
					rows = append(rows, strings.Join(strings.Fields(line), " "))
				}
				slices.Sort(rows)
				return rows
			}
			for _, args := range split(lines) {
				var want, got []string
				for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) { // something may happen in between
					want, got = run(append([]string{system}, args...)...), run(append([]string{ours, "ss"}, args...)...)
					if slices.Equal(got, want) || slices.Equal(want, run(append([]string{system}, args...)...)) || time.Now().After(end) {
						break
					}
				}
				if len(want) == 0 {
					t.Skipf("%s shows nothing: it or this kernel has no %s", system, c.handler)
				}
				if !slices.Equal(got, want) {
					t.Errorf("%v:\n%s\nwant\n%s", args, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
		})
	}
}
