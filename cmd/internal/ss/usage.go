package ss

// version is what -V prints: the release whose output this is.
const version = "ss utility, iproute2-7.3.0 (sockeye)"

// usage is printed by -h, and to stderr where the command line is wrong.
const usage = `Usage: ss [ OPTIONS ]
       ss [ OPTIONS ] [ FILTER ]
   -h, --help          show this text
   -V, --version       show which ss this behaves like
   -n, --numeric       show numbers, do not name services
   -r, --resolve       name hosts, and the ports of RPC services
   -a, --all           sockets in all states
   -l, --listening     sockets that wait for peers
   -B, --bound-inactive TCP sockets that have an address and are not in use
   -o, --options       show timers
   -e, --extended      show user, inode, cookie, mark, cgroup
   -m, --memory        show memory
   -p, --processes     show who holds the socket
   -T, --threads       with -p, show the threads, too
   -i, --info          show what TCP knows about the connection
       --tos           show type of service, traffic class and priority
       --cgroup        show the cgroup
   -b, --bpf           show the filters of packet sockets
       --bpf-maps      show what BPF programs keep with the socket, in maps of type sk_storage
       --bpf-map-id=ID show what they keep in the map with a number
   -Z, --context       show security contexts of processes
   -z, --contexts      show security contexts of processes and sockets
       --tipcinfo      show what TIPC knows about the socket

   -4, --ipv4          IPv4 sockets
   -6, --ipv6          IPv6 sockets
   -0, --packet        packet sockets
   -t, --tcp           TCP sockets
   -M, --mptcp         MPTCP sockets
   -S, --sctp          SCTP sockets
   -d, --dccp          DCCP sockets
   -u, --udp           UDP sockets
   -w, --raw           raw sockets
   -x, --unix          unix sockets
       --tipc          TIPC sockets
       --vsock         vsock sockets
       --xdp           XDP sockets
   -f, --family=FAMILY sockets of a family
       FAMILY := {inet|inet6|link|unix|netlink|vsock|tipc|xdp|help}

   -s, --summary       count sockets
   -E, --events        show TCP and UDP sockets as they are closed
   -K, --kill          close IPv4 and IPv6 sockets, and show what was closed
   -N, --net=NAME      look into the network namespace with a name
   -D, --diag=FILE     write what the kernel says of sockets to a file, which TCPDIAG_FILE=FILE shows; - is stdout
   -F, --filter=FILE   read the filter, or the rest of it, from a file; - is stdin
       --explain       show what becomes of the filter, and no socket
       --output=FORMAT IPv4 and IPv6 sockets as json or ndjson, as in sockeye schema

   -H, --no-header     leave out the headings
   -Q, --no-queues     leave out the queues
   -O, --oneline       one line for each socket
       --inet-sockopt  show options of the socket

   -A, --query=QUERY, --socket=QUERY
       QUERY := [!]{all|inet|tcp|mptcp|udp|raw|dccp|sctp|unix|unix_dgram|unix_stream|unix_seqpacket|packet|packet_raw|packet_dgram|
                    netlink|tipc|vsock|vsock_stream|vsock_dgram|xdp}[,QUERY]

       FILTER := [ state STATE-FILTER ] [ exclude STATE-FILTER ] [ EXPRESSION ]
       STATE-FILTER := {all|connected|synchronized|bucket|big|TCP-STATES}
         TCP-STATES := {established|syn-sent|syn-recv|fin-wait-{1,2}|time-wait|closed|close-wait|last-ack|listening|closing|bound-inactive}
          connected := all but closed and listening
       synchronized := connected but syn-sent
             bucket := {syn-recv|time-wait}
                big := all but bucket
`
