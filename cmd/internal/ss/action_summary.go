package ss

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/render/ss"
)

// summarize prints the table of -s, from the kernel's own counters.
func summarize(env *cli.Env) error {
	var s ss.Summary
	if b, err := os.ReadFile(procPath(env, "PROC_NET_SOCKSTAT", "net/sockstat")); err != nil {
		fmt.Fprintln(env.Stderr, "ss: get_sockstat: "+strerror(err))
	} else {
		readSockstat(&s, b)
		if b, err := os.ReadFile(procPath(env, "PROC_NET_SOCKSTAT6", "net/sockstat6")); err == nil {
			readSockstat(&s, b)
		}
	}
	if b, err := os.ReadFile(procPath(env, "PROC_NET_SNMP", "net/snmp")); err != nil {
		fmt.Fprintln(env.Stderr, "ss: get_snmpstat: "+strerror(err))
	} else {
		s.TCPEstab = snmp(b, "Tcp:", "CurrEstab")
	}
	_, err := env.Stdout.Write(s.Append(nil))
	return err
}

// readSockstat reads /proc/net/sockstat or sockstat6: lines of "NAME: KEY VALUE KEY VALUE ...", which ss reads by their order.
func readSockstat(s *ss.Summary, text []byte) {
	for line := range bytes.Lines(text) {
		words := bytes.Fields(line)
		if len(words) < 3 {
			continue
		}
		var to []*int
		switch string(words[0]) {
		case "sockets:":
			to = []*int{&s.Sockets}
		case "TCP:":
			to = []*int{&s.TCP4, &s.TCPOrphaned, &s.TCPTimeWait, &s.TCPAllocated}
		case "TCP6:":
			to = []*int{&s.TCP6}
		case "UDP:":
			to = []*int{&s.UDP4}
		case "UDP6:":
			to = []*int{&s.UDP6}
		case "RAW:":
			to = []*int{&s.Raw4}
		case "RAW6:":
			to = []*int{&s.Raw6}
		case "FRAG:":
			to = []*int{&s.Frag4}
		case "FRAG6:":
			to = []*int{&s.Frag6}
		}
		for i, v := range to {
			if 2*i+2 >= len(words) {
				break
			}
			n, err := strconv.Atoi(string(words[2*i+2]))
			if err != nil {
				break
			}
			*v = n
		}
	}
}

// snmp returns a counter of /proc/net/snmp, which has a line of names and one of values for each protocol; 0 if there is none.
func snmp(text []byte, protocol, name string) int {
	var names [][]byte
	for line := range bytes.Lines(text) {
		words := bytes.Fields(line)
		if len(words) == 0 || string(words[0]) != protocol {
			continue
		}
		if names == nil {
			names = words
			continue
		}
		for i, n := range names {
			if string(n) == name && i < len(words) {
				v, _ := strconv.Atoi(string(words[i]))
				return v
			}
		}
	}
	return 0
}
