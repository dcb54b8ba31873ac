package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// netstatPrograms call netstat.
var netstatPrograms = []program{
	{
		name: "munin netstat", pkg: "munin-plugins-core and munin-common",
		files: []string{"usr/share/munin/plugins/netstat", "usr/share/munin/plugins/plugin.sh"}, needs: []string{"awk", "perl"},
		shows:  []string{"active.value ", "passive.value ", "failed.value ", "resets.value ", "established.value "},
		script: `MUNIN_LIBDIR=$PROGRAMS/usr/share/munin sh $PROGRAMS/usr/share/munin/plugins/netstat`,
	},
	{
		name: "logwatch zz-network", pkg: "logwatch", slow: true, files: []string{"usr/share/logwatch/scripts/services/zz-network"}, needs: []string{"perl", "ip"},
		shows: []string{"------------- Listening sockets", "Active Internet connections (only servers)", "------------- Network routes", "Kernel IP routing table"},
		script: `LOGWATCH_DETAIL_LEVEL=10 perl $PROGRAMS/usr/share/logwatch/scripts/services/zz-network |
			sed -n '/Listening sockets/,/Listening sockets/p;/Network routes/,/Network routes/p'`,
	},
	{
		name: "pt-summary", pkg: "percona-toolkit", slow: true, files: []string{"usr/bin/pt-summary"}, needs: []string{"awk", "perl", "bash"},
		shows: []string{"Connections from remote IP addresses", "127.0.0.1 ", "States of connections", "TIME_WAIT", "LISTEN"},
		script: `dir=$(mktemp -d); trap 'rm -rf $dir' EXIT; mkdir $dir/samples; netstat -antp > $dir/samples/netstat 2>/dev/null
			echo 'platform Linux' > $dir/samples/summary; printf '1: lo:\n' > $dir/samples/network
			bash $PROGRAMS/usr/bin/pt-summary --read-samples $dir/samples 2>/dev/null | sed -n '/^# Network Connections/,/^# [^N]/p'`,
	},
	{
		name: "systraq ff-netstat", pkg: "systraq", files: []string{"usr/share/systraq/ff-netstat"},
		shows: []string{"LISTEN", "TIME_WAIT", "udp6 "}, script: `sh $PROGRAMS/usr/share/systraq/ff-netstat`,
	},
	{
		name: "chkrootkit", pkg: "chkrootkit", slow: true, files: []string{"usr/sbin/chkrootkit"}, needs: []string{"ps", "find", "awk", "sed"},
		shows: []string{"Checking `bindshell'", "Checking `slapper'", "Checking `scalper'"},
		// Without ss among its tools it asks netstat.
		script: `dir=$(mktemp -d); trap 'rm -rf $dir' EXIT
			for c in awk cut echo grep find head id ls ps sed uname; do ln -s $(env which $c) $dir/$c; done; ln -s $(env which cat) $dir/strings
			ln -s $(command -v netstat) $dir/netstat
			sh $PROGRAMS/usr/sbin/chkrootkit -p $dir bindshell slapper scalper tcpdump 2>/dev/null`,
	},
	{
		name: "fusioninventory", pkg: "fusioninventory-agent, libnet-ip-perl, libfile-which-perl and libuniversal-require-perl",
		files: []string{"usr/share/fusioninventory/lib/FusionInventory/Agent/Tools/Unix.pm", "usr/share/perl5/Net/IP.pm"}, needs: []string{"perl"},
		shows: []string{"192.0.2.10 0.0.0.0\n", "198.51.100.10 0.0.0.0\n"},
		script: `perl -I $PROGRAMS/usr/share/fusioninventory/lib -I $PROGRAMS/usr/share/perl5 -MFusionInventory::Agent::Tools::Unix \
			-e 'my $r = getRoutingTable(command => "netstat -nr"); print "$_ $r->{$_}\n" for sort keys %$r'`,
	},
	{
		name: "ansible listen_ports_facts", pkg: "ansible-core and ansible", slow: true, needs: []string{"python3", "ps"},
		files: []string{"usr/lib/python3/dist-packages/ansible_collections/community/general/plugins/modules/listen_ports_facts.py",
			"usr/lib/python3/dist-packages/ansible/module_utils/basic.py"},
		shows: []string{`"tcp_listen": [`, `"udp_listen": [`, `"address": "127.0.0.1"`, `"port": 53,`},
		script: `dir=$PROGRAMS/usr/lib/python3/dist-packages
			echo '{"ANSIBLE_MODULE_ARGS":{"command":"netstat"}}' |
			PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$dir python3 -c 'import runpy, sys; runpy.run_path(sys.argv.pop(), run_name="__main__")' \
				$dir/ansible_collections/community/general/plugins/modules/listen_ports_facts.py |
			python3 -c 'import json, sys
answer = json.load(sys.stdin)
facts = answer.get("ansible_facts") or sys.exit(answer["msg"])
for rows in facts.values():
    for row in rows: row.update(stime="", name="".join(c if " " <= c <= "~" else "." for c in row["name"]))
    rows.sort(key=lambda row: json.dumps(row, sort_keys=True))
print(json.dumps(facts, indent=1, sort_keys=True))'`,
	},
	{
		name: "jc --netstat", pkg: "jc", slow: true, needs: []string{"python3"}, files: []string{"usr/lib/python3/dist-packages/jc/parsers/netstat.py"},
		shows: []string{`"state": "LISTEN"`, `"program_name": "`, `"kind": "route"`, `"kind": "interface"`, `"kind": "socket"`},
		script: `{ netstat -anp; printf '\0'; netstat -tuane; printf '\0'; netstat -rn; printf '\0'; netstat -i; } 2>/dev/null | tr -c '\0\n -~' . |
			PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$PROGRAMS/usr/lib/python3/dist-packages python3 -c 'import json, sys
import jc.parsers.netstat
for text in sys.stdin.read().split("\0"): print(json.dumps(jc.parsers.netstat.parse(text, quiet=True), indent=1, sort_keys=True))'`,
	},
	{
		// It binds every port that netstat does not tell of, and tells of those that are taken all the same.
		name: "unhide-tcp", pkg: "unhide", files: []string{"usr/sbin/unhide-tcp"}, needs: []string{"sed"}, slow: true,
		shows: []string{"Starting TCP checking", "Starting UDP checking"}, script: `$PROGRAMS/usr/sbin/unhide-tcp -n`,
	},
}

// netstatIdioms are what people type, and what scripts have.
const netstatIdioms = `
netstat -ant | awk '/^tcp/ {print $6}' | sort | uniq -c | sort -rn
netstat -nat | awk 'NR>2 {++s[$6]} END {for (k in s) print k, s[k]}' | sort
netstat -n | awk '/^tcp/ {++state[$NF]} END {for (key in state) print key, "\t", state[key]}' | sort
netstat -ntu | awk 'NR>2 {print $5}' | cut -d: -f1 | sort | uniq -c | sort -n
netstat -ntu | awk '{print $5}' | grep -vE '(Address|servers|127.0.0.1)' | cut -d: -f1 | sort | uniq -c | sort -nr | head
netstat -tuna | awk '{print $5}' | sed 's/:[^:]*$//' | sort | uniq -c | sort -rn | head -20
netstat -anp | grep 'tcp\|udp' | awk '{print $5}' | cut -d: -f1 | sort | uniq -c | sort -n
netstat -an | grep LISTEN
netstat -an | grep LISTEN | grep -v LISTENING
netstat -an | grep -c ESTABLISHED
netstat -an | grep ':80 ' | wc -l
netstat -an | grep -w 443
netstat -tlnp | grep -w 22 | awk '{print $7}' | cut -d/ -f1
netstat -tulpn | grep LISTEN
netstat -tulpn | awk '$6 == "LISTEN" {n = split($4, a, ":"); print a[n]}' | sort -nu
netstat -tulpen | awk 'NR>2 {print $1, $4, $7, $8}'
netstat -lntu | grep -E '^(tcp|udp)' | awk '{print $1 "/" $4}' | sort -u
netstat -lnt | awk '$6 == "LISTEN" && $4 ~ /:22$/'
netstat -plant | awk '/LISTEN/ {n = split($4, p, ":"); print p[n], $7}' | sort
netstat -antp 2>/dev/null | grep TIME_WAIT | wc -l
netstat -antp 2>/dev/null | awk '$6 == "CLOSE_WAIT" {print $7}' | sort | uniq -c
netstat -ant | awk '$2 > 0 {print $2, $4}'
netstat -ant | grep -i syn_recv | awk '{print $5}' | cut -d: -f1 | sort | uniq -c
netstat -an | awk '/^unix/ {print $NF}' | sort | uniq -c | sort -rn | head -5
netstat -lx | grep -c STREAM
netstat -xlnp | awk 'NR>2 && NF>8 {print $NF}' | sort
netstat -an | grep "tcp.*:22.*LISTEN" > /dev/null && echo up || echo down
netstat -tln | perl -lane 'print $1 if $F[3] =~ /:(\d+)$/' | sort -nu
netstat -tn | sed -n 's/^tcp *\([0-9]*\) *\([0-9]*\) .*ESTABLISHED.*/\1 \2/p' | sort | uniq -c
netstat -ant | while read proto rq sq here there state; do case $proto in tcp*) echo "$state ${here##*:}";; esac; done | sort | uniq -c
netstat -rn | awk '/^[0-9]/ {print $1, $3, $8}'
netstat -nr | awk 'NR>2 {print $4}' | sort | uniq -c
netstat -rn -A inet6 | awk '/^fe80/ {print $NF}' | sort -u
netstat -i | awk 'NR>2 {print $1, $2, $NF}'
netstat -i | tail -n +3 | awk '{print $1}'
netstat -ie | grep -c UP
netstat -s | grep -i retrans
netstat -s | awk '/segments received/ {print $1}'
netstat -s -t | sed -n '/^Tcp:/,/^[A-Z]/p'
netstat -su | awk '/packet receive errors/ {print $1}'
netstat -g | awk 'NR>3 {print $1, $3}'
netstat -V | head -1 | grep -o 2.10
netstat -T >/dev/null 2>&1 || netstat -antuW
netstat -n | grep -c tcp
netstat -n | grep tcp | grep -c ESTABLISHED
netstat -ltn | perl -ne 'print "$1\n" if /:(\d+)\s.*LISTEN/' | sort -nu
netstat -an 2>/dev/null | perl -ne 'print "$1 $2\n" if /^(tcp|udp)\s+\d+\s+\d+\s+\S+:(\d+)\s/' | sort -u
netstat -avptn 2>/dev/null | grep ":70[0-9]*\b.*LISTEN"
`

// Programs that read what netstat prints get the same answers from net-tools' and from sockeye's.
func TestProgramsCallNetstat(t *testing.T) {
	newNetstats(t).test(t, netstatPrograms)
}

func TestNetstatIdioms(t *testing.T) {
	if os.Getenv("SOCKEYE_SLOW_TESTS") != "1" {
		t.Skip("slow: SOCKEYE_SLOW_TESTS=1 runs it")
	}
	newNetstats(t).testLines(t, netstatIdioms)
}

func newNetstats(t *testing.T) *callers {
	t.Helper()
	return newCallers(t, "netstat", peers.Netstat(t), printable)
}

// What a parser of macOS's text reads from --bsd is what there is in the scene.
func TestProgramsReadBSD(t *testing.T) {
	w := newNetstats(t)
	parser := "usr/lib/python3/dist-packages/jc/parsers/netstat.py"
	if _, err := os.Stat(filepath.Join(w.programs, parser)); err != nil {
		t.Skip("needs Debian's jc in .peers/programs")
	}
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("needs python3")
	}
	answer, status := w.run(t, w.ours, `netstat --bsd -anW |
		PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$PROGRAMS/usr/lib/python3/dist-packages python3 -c 'import json, sys
import jc.parsers.netstat
print(json.dumps(jc.parsers.netstat.parse(sys.stdin.read(), quiet=True)))'`)
	if status != 0 {
		t.Fatalf("exit status %d: %s", status, answer)
	}
	var rows []struct {
		Proto   string
		RecvQ   *uint32 `json:"recv_q"`
		SendQ   *uint32 `json:"send_q"`
		Local   string  `json:"local_address"`
		LPort   string  `json:"local_port"`
		Foreign string  `json:"foreign_address"`
		FPort   string  `json:"foreign_port"`
		State   string
	}
	if err := json.Unmarshal([]byte(answer), &rows); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	var got, want []string
	for _, r := range rows {
		if (strings.HasPrefix(r.Proto, "tcp") || strings.HasPrefix(r.Proto, "udp")) && r.RecvQ != nil && r.SendQ != nil {
			got = append(got, fmt.Sprint(r.Proto, " ", *r.RecvQ, " ", *r.SendQ, " ", r.Local, " ", r.LPort, " ", r.Foreign, " ", r.FPort, " ", r.State))
		}
	}
	for i := range w.Sockets {
		if e := &w.Sockets[i]; e.Table == scene.TCP || e.Table == scene.UDP {
			want = append(want, bsdExpect(e))
		}
	}
	if len(want) < 60 {
		t.Errorf("the scene has only %d sockets", len(want))
	}
	count := map[string]int{}
	for _, r := range want {
		count[r]++
	}
	for _, r := range got {
		count[r]--
	}
	for r, n := range count {
		if n != 0 {
			t.Errorf("missing %d times (less than 0: not in the scene): %s", n, r)
		}
	}
}

// bsdExpect spells an expectation as BSD does.
func bsdExpect(e *scene.Expect) string {
	local, remote := e.Local.Addr(), e.Remote.Addr()
	alone := e.State == scene.Listen || e.State == scene.Close || e.State == scene.BoundInactive
	proto := e.Table.String()
	switch {
	case e.Family != unix.AF_INET6 || local.Is4In6() || remote.Is4In6():
		proto += "4"
	case alone && local.IsUnspecified() && !e.V6Only:
		proto += "46"
	default:
		proto += "6"
	}
	state := strings.ReplaceAll(e.State.String(), "-", "_")
	switch e.State {
	case scene.Established:
		state = "ESTABLISHED"
	case scene.SynRecv:
		state = "SYN_RCVD"
	case scene.FinWait1, scene.FinWait2: // as they are
	case scene.BoundInactive, scene.Close:
		state = "CLOSED"
	}
	recv, send := e.RecvQ, e.SendQ
	if e.Table == scene.UDP {
		state = ""
	} else if e.State == scene.Listen {
		recv, send = 0, 0
	}
	end := func(ap netip.AddrPort) string {
		host, port := ap.Addr().Unmap().String(), strconv.Itoa(int(ap.Port()))
		if ap.Addr().IsUnspecified() {
			host = "*"
		} else if ap.Addr().Is6() && ap.Addr().IsLinkLocalUnicast() && e.Device != "" {
			host += "%" + e.Device
		}
		if ap.Port() == 0 {
			port = "*"
		}
		return host + " " + port
	}
	return fmt.Sprint(proto, " ", recv, " ", send, " ", end(e.Local), " ", end(e.Remote), " ", state)
}

// The one-liners of macOS, on --bsd.
func TestBSDIdioms(t *testing.T) {
	w := newNetstats(t)
	var listening []string
	closeWait := 0
	for i := range w.Sockets {
		e := &w.Sockets[i]
		if e.Table == scene.TCP && e.State == scene.Listen {
			listening = append(listening, strconv.Itoa(int(e.Local.Port())))
		}
		if e.Table == scene.TCP && e.State == scene.CloseWait {
			closeWait++
		}
	}
	slices.SortFunc(listening, func(a, b string) int { // as sort -n
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	})
	listening = slices.Compact(listening)
	if len(listening) < 3 || closeWait == 0 {
		t.Fatalf("the scene has listeners %q and %d sockets in CLOSE_WAIT", listening, closeWait)
	}
	for script, want := range map[string]string{
		`netstat --bsd -an -p tcp | awk '/LISTEN/ {sub(/.*\./, "", $4); print $4}' | sort -nu`: strings.Join(listening, "\n") + "\n",
		`netstat --bsd -Lan | awk 'NR > 2 {sub(/.*\./, "", $2); print $2}' | sort -nu`:         strings.Join(listening, "\n") + "\n",
		`netstat --bsd -an | grep -c CLOSE_WAIT`:                                               strconv.Itoa(closeWait) + "\n",
		`netstat --bsd -an -f inet | awk '$1 ~ /6$/ && $1 !~ /46$/' | wc -l | tr -d ' '`:       "0\n",
		`netstat --bsd -rn -f inet | awk '$4 == "lo" && $1 == "default"' | wc -l | tr -d ' '`:  "0\n",
	} {
		if got, status := w.run(t, w.ours, script); got != want || status != 0 && !strings.Contains(script, "grep -c") {
			t.Errorf("%s\nstatus %d, got\n%s\nwant\n%s", script, status, got, want)
		}
	}
}
