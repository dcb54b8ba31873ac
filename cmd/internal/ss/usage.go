package ss

// version is what -V prints: the release whose output this is.
const version = "ss utility, iproute2-7.3.0 (sockeye)"

// usage is printed by -h, and to stderr where the command line is wrong.
const usage = `Usage: ss [ OPTIONS ]
       ss [ OPTIONS ] [ FILTER ]
   -h, --help          show this text
   -V, --version       show which ss this behaves like
   -n, --numeric       show numbers, do not name services
   -r, --resolve       name hosts
   -a, --all           sockets in all states
   -l, --listening     sockets that wait for peers
   -B, --bound-inactive TCP sockets that have an address and are not in use
   -o, --options       show timers
   -e, --extended      show user, inode, cookie, mark, cgroup
   -m, --memory        show memory
   -p, --processes     show who holds the socket
   -i, --info          show what TCP knows about the connection
       --tos           show type of service, traffic class and priority
       --cgroup        show the cgroup

   -4, --ipv4          IPv4 sockets
   -6, --ipv6          IPv6 sockets
   -t, --tcp           TCP sockets
   -M, --mptcp         MPTCP sockets
   -S, --sctp          SCTP sockets
   -d, --dccp          DCCP sockets
   -u, --udp           UDP sockets
   -w, --raw           raw sockets
   -f, --family=FAMILY sockets of a family
       FAMILY := {inet|inet6|help}

   -H, --no-header     leave out the headings
   -Q, --no-queues     leave out the queues
   -O, --oneline       one line for each socket
       --inet-sockopt  show options of the socket

   -A, --query=QUERY, --socket=QUERY
       QUERY := [!]{all|inet|tcp|mptcp|udp|raw|dccp|sctp}[,QUERY]

       FILTER := [ state STATE-FILTER ] [ exclude STATE-FILTER ] [ EXPRESSION ]
       STATE-FILTER := {all|connected|synchronized|bucket|big|TCP-STATES}
         TCP-STATES := {established|syn-sent|syn-recv|fin-wait-{1,2}|time-wait|closed|close-wait|last-ack|listening|closing|bound-inactive}
          connected := all but closed and listening
       synchronized := connected but syn-sent
             bucket := {syn-recv|time-wait}
                big := all but bucket

Not supported yet: unix, packet, netlink, vsock, tipc and xdp sockets, -b -D -E -F -K -N -s -T -Z -z --bpf-maps --bpf-map-id.
`
