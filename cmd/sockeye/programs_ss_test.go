package main

import (
	"net"
	"regexp"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// ssPrograms call ss.
var ssPrograms = []program{
	{
		name: "jc --ss", pkg: "jc", slow: true, files: []string{"usr/lib/python3/dist-packages/jc/parsers/ss.py"}, needs: []string{"python3"},
		shows: []string{`"state": "LISTEN"`, `"netid": "u_str"`, `"local_port_num": 53`},
		script: `{ ss -a; printf '\0'; ss -tuan; printf '\0'; ss -tuanp; printf '\0'; ss -xa; printf '\0'; ss -tuanO; } | sed 's/^nl .*//' | tr -c '\0\n -~' . |
			PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$PROGRAMS/usr/lib/python3/dist-packages python3 -c 'import json, sys
import jc.parsers.ss
for text in sys.stdin.read().split("\0"): print(json.dumps(jc.parsers.ss.parse(text, quiet=True), indent=1, sort_keys=True))'`,
	},
	{
		name: "ansible listen_ports_facts", pkg: "ansible-core and ansible", slow: true, needs: []string{"python3", "ps"},
		files: []string{"usr/lib/python3/dist-packages/ansible_collections/community/general/plugins/modules/listen_ports_facts.py",
			"usr/lib/python3/dist-packages/ansible/module_utils/basic.py"},
		shows: []string{`"tcp_listen": [`, `"udp_listen": [`, `"address": "127.0.0.1"`, `"port": 53,`},
		script: `dir=$PROGRAMS/usr/lib/python3/dist-packages
			echo '{"ANSIBLE_MODULE_ARGS":{"command":"ss"}}' |
			PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$dir python3 -c 'import runpy, sys; runpy.run_path(sys.argv.pop(), run_name="__main__")' \
				$dir/ansible_collections/community/general/plugins/modules/listen_ports_facts.py |
			python3 -c 'import json, sys
answer = json.load(sys.stdin)
facts = answer.get("ansible_facts") or sys.exit(answer["msg"])
for rows in facts.values():
    for row in rows: row.update(stime="")
print(json.dumps(facts, indent=1, sort_keys=True))'`,
	},
	{
		name: "chkrootkit", pkg: "chkrootkit", slow: true, files: []string{"usr/sbin/chkrootkit"}, needs: []string{"ps", "find", "awk", "sed"},
		shows: []string{"Checking `bindshell'", "Checking `slapper'", "Checking `scalper'"},
		script: `dir=$(mktemp -d); trap 'rm -rf $dir' EXIT
			for c in awk cut echo grep find head id ls ps sed uname; do ln -s $(env which $c) $dir/$c; done; ln -s $(env which cat) $dir/strings
			ln -s $(command -v ss) $dir/ss
			sh $PROGRAMS/usr/sbin/chkrootkit -p $dir bindshell slapper scalper tcpdump 2>/dev/null`,
	},
	{
		// It binds every port, and asks ss about those that are taken.
		name: "unhide-tcp", pkg: "unhide", files: []string{"usr/sbin/unhide-tcp"}, needs: []string{"sed"}, slow: true,
		shows: []string{"Starting TCP checking", "Starting UDP checking"}, script: `$PROGRAMS/usr/sbin/unhide-tcp`,
	},
	{
		name: "ctdb functions", pkg: "ctdb", files: []string{"etc/ctdb/functions"}, needs: []string{"awk", "sed"},
		shows: []string{"127.0.0.1:", "[::1]:", "not listening on /no/such/socket", "listening on /"},
		script: `eval "$(sed -n '/^get_tcp_connections_for_ip ()/,/^}/p;/^ctdb_check_unix_socket()/,/^}/p' $PROGRAMS/etc/ctdb/functions)"
			service_name=it; get_tcp_connections_for_ip 127.0.0.1; get_tcp_connections_for_ip ::1; ctdb_check_unix_socket /no/such/socket
			for path in $(ss -xlH | awk '$5 ~ /^\// {print $5}'); do ctdb_check_unix_socket $path && echo listening on $path; done`,
	},
	{
		name: "ctdb tickles", pkg: "ctdb", files: []string{"etc/ctdb/functions"}, needs: []string{"awk", "sed", "tr"},
		shows: []string{"127.0.0.1:22"},
		// The command of update_tickles, as it is there.
		script: `_ip_filter='src [127.0.0.1] || src [192.0.2.1]'; _port_filter='sport == :22'; _my_connections=/dev/stdout
			eval "$(sed -n '/^\tss -tn state established \\/,/^\tsort >/p' $PROGRAMS/etc/ctdb/functions)"`,
	},
	{
		name: "resource-agents portblock", pkg: "resource-agents", files: []string{"usr/lib/ocf/resource.d/heartbeat/portblock"}, needs: []string{"awk", "sed"},
		shows: []string{"127.0.0.1:22\t127.0.0.1:"},
		script: `eval "$(sed -n '/^get_established_tcp_connections()/,/^}/p' $PROGRAMS/usr/lib/ocf/resource.d/heartbeat/portblock)"
			ss_or_netstat="ss -Htn"; OCF_RESKEY_ip=127.0.0.1; get_established_tcp_connections | sort; get_established_tcp_connections swap | sort`,
	},
	{
		name: "lynis NETW-3012", pkg: "lynis", files: []string{"usr/share/lynis/include/tests_networking"}, needs: []string{"awk", "sed", "tr"},
		shows: []string{"raw,ss,v1|tcp|", "raw,ss,v1|udp|", ":53|"},
		script: `SSBINARY=ss; AWKBINARY=awk; SEDBINARY=sed; TRBINARY=tr
			eval "$(sed -n 's/^ *\(DATA=$(${SSBINARY} .*\)/\1/p' $PROGRAMS/usr/share/lynis/include/tests_networking)"; echo "$DATA"`,
	},
}

// ssIdioms are what people type, and what scripts have: monitoring agents, self tests of the kernel, deployment and end-to-end tests.
const ssIdioms = `
ss -s | awk '/^UDP/ {print $2, $3, $4}'
ss -s | grep -c TCP:
ss -s | sed -n '/^Transport/,$p' | awk 'NF == 4 && !/Total/ {print $1, $2}'
ss -tan | awk 'NR>1 {++s[$1]} END {for (k in s) print k, s[k]}' | sort
ss -ant | awk '{print $1}' | sort | uniq -c | sort -rn
ss -H -tan | awk '{print $4}' | sort | uniq -c
ss -Htan state established | wc -l
ss -tan state time-wait | wc -l
ss -tan state close-wait | tail -n +2 | awk '{print $4}' | sort | uniq -c
ss -tln | awk 'NR>1 {n = split($4, a, ":"); print a[n]}' | sort -nu
ss -lnt | grep -q ':22 ' && echo up || echo down
ss -lntu | grep -E ':(53|80|443)\b' | awk '{print $1, $5}' | sort
ss -tlnp | grep -oP 'pid=\K[0-9]+' | sort -nu
ss -tlnp 'sport = :22' | sed -n 's/.*pid=\([0-9]*\).*/\1/p'
ss -lptn 'sport = :80' | awk 'NR>1 {print $NF}'
ss -tulpn | grep LISTEN | awk '{print $5, $7}'
ss -tulpn | tr -s ' ' | cut -d' ' -f1,2,5 | sort -u
ss -ltn sport = :22 | grep -c LISTEN
ss -ltnH "( sport = :22 or sport = :80 )" | wc -l
ss -o state established '( dport = :http or sport = :http )' | awk 'NR>1 {print $1, $4, $5}'
ss -nt dst 127.0.0.1 | awk 'NR>1 {print $5}' | cut -d: -f1 | sort | uniq -c | sort -rn | head -5
ss -tn src :22 | tail -n +2 | wc -l
ss -tn | awk '$2 > 0 || $3 > 0'
ss -tni | grep -o 'cwnd:[0-9]*' | sort | uniq -c
ss -ti | grep -oE '(cubic|reno|bbr)' | sort | uniq -c
ss -tinH | awk '/ESTAB/ {peer=$5} /rtt:/ {n++} END {print n}'
ss -tin state established | grep -c 'rto:'
ss -tmn | grep -o 'skmem:([^)]*)' | head -5
ss -tn -o | grep -c 'timer:(keepalive'
ss -tane | grep -o 'uid:[0-9]*' | sort | uniq -c
ss -tnp | grep -o 'users:((.*' | sort | uniq -c
ss -xlp | awk '/u_str/ {print $5, $6}' | sort
ss -x src '*stream' | wc -l
ss -xa | awk 'NR>1 {print $1, $2}' | sort | uniq -c
ss -an | awk '/^(tcp|udp)/ {print $1, $2, $5}' | sort
ss -wan | tail -n +2
ss -uanp | awk 'NR>1 {print $4}' | sort
ss -lun | grep -q ':53' && echo dns
ss -ntu | awk '{print $6}' | cut -d: -f1 | sort | uniq -c | sort -n
ss --no-header --tcp --listening --numeric | wc -l
ss --tcp --udp --listening --numeric --processes | awk '{print $1, $5}'
ss -4tln | awk 'NR>1 {print $4}'
ss -6tln | awk 'NR>1 {print $4}'
ss -inmHM | grep -c token:
ss -inmlHMO | wc -l
ss -inmHM | grep -o 'token:[0-9a-f]*' | sort
ss -inmHM | grep -o 'remote_key' | wc -l
ss -nlt -o "sport = :22" | grep -q 22 && echo listening
ss -ti dport = :22 | grep -E -o 'bytes_acked:[0-9]+' | sort
ss -Htnl src '*:80' | awk '{print $4}'
ss -tuna | awk 'NR==1 {print NF}'
ss -tan 'sport != :22' | awk 'NR>1 {print $4}' | sort | uniq -c
ss -tanH 'dport >= :1024' | awk '{print $1}' | sort | uniq -c
ss -tan exclude time-wait exclude listening | awk '{print $1}' | sort | uniq -c
ss -A tcp,udp -lnH | awk '{print $1}' | sort | uniq -c
ss -A inet -an | awk '{print $1}' | sort | uniq -c
ss -f inet -tln | awk '{print $4}'
ss -0 -a | awk 'NR>1 {print $1, $5}' | sort
ss -tlnpe | grep -o 'ino:[0-9]*' | sort
ss -tlnpZ; echo $?
ss -tan bogus; echo $?
ss -tan state bogus; echo $?
ss -tnp 2>/dev/null | perl -ne 'print "$1\n" if /users:\(\("([^"]+)"/' | sort | uniq -c
ss -tan | while read state rq sq here there rest; do case $state in ESTAB) echo "${here##*:}";; esac; done | sort | uniq -c
ss -tlnH | while read -r _ _ _ addr _; do echo "${addr%:*}"; done | sort | uniq -c
ss -tan | python3 -c 'import sys; rows = [l.split() for l in sys.stdin][1:]; print(sorted({r[0] for r in rows}), len(rows))'
ss -Htnp 2>/dev/null | grep -c '^ESTAB.*pid='
ss -apn | awk '/tcp.*LISTEN.*:22/ {sub(".*pid=", "", $7); sub(",fd=.*", "", $7); print $7}'
ss -tuwx -peaonmi | wc -l
ss -K dst 203.0.113.1 dport = 9; echo $?
`

// What each program makes of the answer of sockeye is what it makes of that of ss.
func TestProgramsCallSS(t *testing.T) {
	newSockets(t).test(t, ssPrograms)
}

func TestSSIdioms(t *testing.T) {
	newSockets(t).testLines(t, ssIdioms)
}

func newSockets(t *testing.T) *callers {
	t.Helper()
	return newCallers(t, "ss", peers.SS(t), beforeUsage)
}

// A ban of fail2ban's (action.d/ufw.conf: kill=ss) closes the connections of an address, and those alone.
func TestFail2banKills(t *testing.T) {
	w := newSockets(t)
	for _, dir := range []string{w.theirs, w.ours} {
		var banned, other net.Conn
		var l net.Listener
		err := w.Do(func() {
			l, _ = net.Listen("tcp", "127.0.0.1:0")
			dial := func(from string) net.Conn {
				d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
				c, err := d.Dial("tcp", l.Addr().String())
				if err != nil {
					t.Error(err)
				}
				return c
			}
			banned, other = dial("127.0.0.66"), dial("127.0.0.67")
		})
		if err != nil || t.Failed() {
			t.Fatal(err)
		}
		defer l.Close()
		defer banned.Close()
		defer other.Close()
		answer, status := w.run(t, dir, `ss -K dst "[127.0.0.66]"`)
		port := regexp.MustCompile(`127\.0\.0\.66:\d+`)
		if status != 0 || len(port.FindAllString(answer, -1)) != 1 {
			t.Errorf("%s: status %d: %s", dir, status, answer)
		}
		state := func(c net.Conn) (s diag.State) {
			raw, err := c.(*net.TCPConn).SyscallConn()
			if err == nil {
				err = raw.Control(func(fd uintptr) {
					info, e := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
					if e != nil {
						t.Error(e)
						return
					}
					s = diag.State(info.State)
				})
			}
			if err != nil {
				t.Error(err)
			}
			return s
		}
		for end := time.Now().Add(time.Minute); state(banned) != diag.Close && time.Now().Before(end); {
			time.Sleep(time.Millisecond) // the reset is on its way
		}
		if state(banned) != diag.Close || state(other) != diag.Established {
			t.Errorf("%s: the banned one is in %v, the other in %v", dir, state(banned), state(other))
		}
	}
}
