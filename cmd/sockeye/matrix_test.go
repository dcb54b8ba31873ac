package main

import (
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// ssLines are command lines that ss and sockeye ss must answer with the same lines, in the same order, over the scene.
var ssLines = `
-tan
-tanH
-tln
-tn
-ta
-tl
-t
-uan
-uln
-un
-ua
-wan
-wln
-wn
-wa
-Man
-Mln
-Mn
-tuan
-tun
-tuln
-tuwan
-tuwMan
-4tan
-6tan
-4tuan
-6tuan
-4uln
-6uln
-4 -t -a -n
-6 -t -l -n
-f inet -tan
-f inet6 -tan
-A tcp -an
-A udp -an
-A tcp,udp -an
-A inet -an
-A inet,!tcp -an
--tcp --all --numeric
--udp --all --numeric
--raw --all --numeric
--mptcp --all --numeric
--tcp --listening --numeric
--tcp --numeric --all --no-header
-tano
-tono
-tlno
-uano
-tane
-tlne
-uane
-wane
-Mane
-tuane
-tanm
-tlnm
-uanm
-tuanm
-tani
-tlni
-tni
-uani
-Mani
-tanp
-tlnp
-tnp
-uanp
-ulnp
-wanp
-Manp
-tuanp
-tuwanp
-tanoe
-tanoem
-tanoemi
-tanoemip
-tlnoemip
-uanoemip
-Manoemip
-tuwanoemip
-tanO
-tanpO
-tanoemiO
-tanoemipO
-uanoemO
-tanoemipHO
-tanHO
-tanQ
-tanpQ
-tanHQ
-tuanQ
-taoe
-tae
-taop
-tuap
-tanr
-tBn
-tBne
-tBnp
-tan --tos
-uan --tos
-tan --cgroup
-tan --inet-sockopt
-uan --inet-sockopt
-tanO --inet-sockopt
-tan --tos --cgroup --inet-sockopt -O
-tanoemi --tos --cgroup --inet-sockopt -O
-tan state established
-tan state established state time-wait
-tn state listening
-tan state syn-sent
-tan state syn-recv
-tan state fin-wait-1
-tan state fin-wait-2
-tano state time-wait
-tan state close-wait
-tan state last-ack
-tan state closing
-tan state unconnected
-tan state connected
-tan state synchronized
-tan state bucket
-tan state big
-tan state all
-tan exclude listening
-tan exclude time-wait exclude listening
-tan excl established
-tn state bound-inactive
-uan state unconnected
-uan state established
-tuan state established
-tan sport = :22
-tan sport = 22
-tan sport 22
-tan dport = :443
-tan sport eq 80 or dport eq 80
-tan ( sport = :80 or dport = :80 )
-tan sport gt 1024
-tan sport >= 7000 and sport <= 8000
-tan sport < 100
-tan ! sport < 100
-tan not dport = 80
-tan src 127.0.0.1
-tan src 127.0.0.0/8
-tan dst 127.0.0.1
-tan dst 127.0.0.1:80
-tan src [::1]
-tan dst [::1]
-tan dst [::ffff:127.0.0.1]
-tan src fe80::/64
-tan src [fe80::]/64
-tan sport = :ssh
-tan sport = http
-uan sport = :domain
-uan src 127.0.0.1
-tan autobound
-tan not autobound
-tan dev lo
-tan dev != lo
-tan fwmark = 7
-tan fwmark = 0x7/0xff
-tan state established dport 80 src 127.0.0.1
-tan sport = 80 or sport = 443 and src 127.0.0.1
-t -a -n -o -e -p
-anpt
-panotu
-nat
-tan -- state established
state established -tn
-n state listening -t
-t -n -a -4 sport != :80
`

// netstatLines are command lines that netstat and sockeye netstat must answer with the same bytes over the scene.
var netstatLines = `
-tan
-tln
-tn
-ta
-tl
-t
-uan
-uln
-un
-ua
-u
-Uan
-Uln
-Ua
-wan
-wln
-wn
-wa
-tuan
-tuln
-tun
-tuwan
-tuUwan
-tuUwln
-tuUwn
-tuUwa
-4tan
-6tan
-4an
-6an
-46an
-4ln
-6ln
-4n
-6n
-4tuan
-6tuan
-4 -t -a -n
-6 -u -l -n
-A inet -an
-A inet6 -an
-A inet,inet6 -tan
-A ip -tan
-A tcpip -tan
--protocol=inet -tan
--inet -tan
--inet6 -tan
--ip -tan
--tcp --all --numeric
--udp --listening --numeric
--raw --all --numeric
--udplite --all --numeric
--tcp --numeric-h
--list -tn
-tano
-tlno
-tno
-uano
-wano
-Uano
-tuUwano
-tao
-tane
-tlne
-tne
-uane
-wane
-Uane
-tae
-tee
-tanee
-tuUwane
-tanp
-tlnp
-tnp
-uanp
-ulnp
-wanp
-tuanp
-tuUwanp
-tap
-tanpo
-tlnpo
-uanpo
-tuanpo
-tuUwanpo
-tanep
-taneo
-tanepo
-tuUwanepo
-tuUwalnepo
-tanW
-uanW
-tuanW
-tanpW
-taneW
-tanepoW
-tuUwanepoW
-taW
-tlW
-ta --numeric-hosts
-ta --numeric-ports
-tae --numeric-users
-tae --numeric-hosts --numeric-ports
-uae --numeric-hosts
-tanl
-lant
-natp
-nap -t
-t foo -a bar -n
-tan4W
-tan6W
-tan6pe
-uan6
-uan4
-wan4
-wan6
-tanN
-tanv
`

func split(lines string) (list [][]string) {
	for line := range strings.Lines(strings.TrimSpace(lines)) {
		list = append(list, strings.Fields(line))
	}
	return list
}

func TestMatrixSS(t *testing.T) {
	peer, ours := peers.SS(t), peers.Sockeye(t)
	s := scene.New(t)
	for _, args := range split(ssLines) {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			peers.Compare(t, s, append([]string{peer}, args...), append([]string{ours, "ss"}, args...), peers.Options{})
		})
	}
}

func TestMatrixNetstat(t *testing.T) {
	peer, ours := peers.Netstat(t), peers.Sockeye(t)
	s := scene.New(t)
	for _, args := range split(netstatLines) {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			peers.Compare(t, s, append([]string{peer}, args...), append([]string{ours, "netstat"}, args...), peers.Options{Peer: printable})
		})
	}
}

// printable is where sockeye netstat is meant to differ: bytes of a program's name that could reach a terminal are dots.
func printable(stdout string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && (r < ' ' || r == 0x7f) {
			return '.'
		}
		return r
	}, stdout)
}
