package teach

// topic is a text of the help verb.
type topic struct{ name, what, text string }

var topics = []topic{
	{"states", "what each state means, and who has to act", helpStates},
	{"timers", "what each timer waits for, and what timer:(...) and keepalive (6176.47/0/0) say", helpTimers},
	{"queues", "what Recv-Q and Send-Q count", helpQueues},
	{"fields", "how fields are named, and what absent ones do", helpFields},
	{"filters", "the filter language, with answers for bad nights", helpFilters},
}

const helpStates = `
STATE        MEANS                                              WHO HAS TO ACT
listen       waits for connections                              peers
syn-sent     our SYN was sent, no answer yet                    the peer: many of them mean that it is
                                                                down, or that a firewall drops the SYN
syn-recv     a SYN came and was answered; no descriptor yet     the peer: many of them mean that our
                                                                answers are lost, or a SYN flood
established  data flows both ways                               -
fin-wait-1   we closed first; our FIN is not acknowledged       the peer's system: it is gone, or data in
                                                                front of the FIN waits for its window
fin-wait-2   our FIN is acknowledged, the peer's is to come     the peer's program, which has to close; once
                                                                ours has closed its descriptor, the kernel
                                                                waits for net.ipv4.tcp_fin_timeout only
closing      both closed at once; our FIN is not acknowledged   the peer's system
time-wait    closed on both sides; kept for 60 s to catch late  nobody: it ends by itself. No process holds
             segments and to answer a FIN that comes again      it. It is on the side that closed first; it
                                                                costs a source port towards that peer
close-wait   the peer closed, our program has not               our program: it must close(2). Many that
                                                                stay are a descriptor leak: see the owner
last-ack     the peer closed first, then we; our FIN is not     the peer's system
             acknowledged
bound        TCP, bound to a port, and nothing else (Linux 6.8) our program: listen(2) or connect(2)
unconnected  UDP without a peer: it receives from all           -

ss writes these ESTAB, SYN-SENT, ...; ss calls bound and unconnected UNCONN. netstat writes ESTABLISHED,
SYN_SENT, FIN_WAIT1, ... and leaves the state of an unconnected UDP socket blank.
A socket in syn-recv or time-wait has no owner, no inode and no tcp_info: the kernel keeps a small record
instead of a socket. So has a fin-wait-2 whose timer is timewait.
An established socket without an owner is in a listener's accept queue: its program has not accepted it yet.
`

const helpTimers = `
ss --options prints timer:(KIND,TIME,COUNT); netstat --timers prints KIND (TIME/RETRANSMISSIONS/PROBES):

  keepalive (6176.47/0/0)
  |          |       | +-- keepalive or zero window probes without an answer
  |          |       +---- retransmissions without an answer
  |          +------------ seconds until the timer fires
  +----------------------- what it is

ss's COUNT is the one of both that belongs to the kind; so is the field retransmits.

KIND       WAITS FOR                                       WHEN IT FIRES
on         an acknowledgement of data, SYN or FIN          the segment is sent again, and the time doubles;
                                                           after net.ipv4.tcp_retries2 (15) times, some
                                                           15 minutes, the connection ends with ETIMEDOUT
keepalive  a sign of life of an idle connection            a probe is sent (SO_KEEPALIVE: after 2 hours, then
           (SO_KEEPALIVE); in fin-wait-2 without an        every 75 s, 9 times; then ETIMEDOUT). In
           owner: the end of net.ipv4.tcp_fin_timeout      fin-wait-2 without an owner, the socket ends
timewait   the end of time-wait                            the record is gone, the port is free
persist    a window: the peer reads nothing, its receive   one probe asks again, and the time doubles. It
(probe)    buffer is full                                  goes on for as long as the peer answers: look at
                                                           the peer's program
delack     data to carry an acknowledgement (recent        the acknowledgement is sent alone
           kernels only)
off, -     nothing

netstat writes probe where ss writes persist, off (0.00/0/0) where there is none, and "unkn-5" for a kind, here 5, that it has no
word for. UDP has no timers.
`

const helpQueues = `
                 RECV-Q                                       SEND-Q
listen           connections that wait for accept(2)          how many may wait: the smaller of listen(2)'s
                 (field accept_q)                             backlog and net.core.somaxconn (backlog)
other TCP        bytes received that the program has not      bytes that the peer has not acknowledged, or
                 read; a FIN counts 1                         that are not sent yet (see notsent); a SYN or FIN
                                                              counts 1
UDP              memory that unread packets take, which is    memory that packets take which the device has
                 more than their bytes                        not sent yet

RECV-Q that stays: our program does not read. Who: the owner.
SEND-Q that stays: the peer or the network does not take it. With timer persist, or snd_wnd 0, the peer's program does not
read; with timer on and retransmits, packets are lost.
In listen, RECV-Q above SEND-Q is a full queue: the kernel drops new connections, and the client sends its SYN again after 1 s, 2 s, ...
The program accepts too slowly. drops counts what was lost: sockeye list -c +accept_q,backlog,drops 'state listen and drops > 0'.
netstat shows 0 in place of a listener's limit.
`

const helpFields = `
A field is something that can be said of a socket: sockeye fields lists them all, sockeye fields rtt explains one.

  - In --columns, --sort, --group-by and filters they have one name: rtt. Hyphens count as underscores (recv-q).
  - In JSON and CSV the name carries the unit: rtt_us, last_send_ms, pacing_rate_bytes_per_second. sockeye schema prints
    the JSON Schema.
  - What the kernel did not tell is absent: no key in JSON, an empty value in CSV, "-" in a table. It is never 0. A socket in
    time-wait has no rtt; nor has any on a connection that was not measured yet; fields that came with a later Linux are
    absent on an older one.
  - Where several processes hold a socket (fork, SCM_RIGHTS), pid, process, unit, ... have a value for each.
  - no_owner says why a socket has no owner: time-wait, syn-recv, unaccepted (in an accept queue), orphan (closed, with data or a
    FIN still to bring home), unseen (held by no process that can be seen: the kernel, io_uring, another pid namespace),
    unknown (some processes could not be looked into).
  - An answer that may not be whole says so on stderr and by exit status 1, in every format; JSON and CSV are whole by their
    own rules all the same.
  - unit, container, runtime and pod are read from the path of the owner's control group.
`

const helpFilters = `
sockeye list [OPTIONS] FILTER

  state established and dport = :443         all words of ss: state, exclude, src, dst, sport, dport, dev, fwmark,
                                             cgroup, autobound; not, and, or (and binds tighter than or)
  rtt > 100ms      last_recv > 1h            times: us ms s m h d
  sendq >= 64K     bytes_sent > 1.5G         bytes: K M G T (1024), kB MB GB TB (1000)
  delivery_rate < 10Mbps                     rates: bps kbps Mbps Gbps in bits, B/s kB/s MB/s GB/s in bytes
  sport in (80, https, 8000-8999)            sets and ranges
  dst in (10.0.0.0/8, [2001:db8::1]:443)     addresses and prefixes; port and addr are either end
  process = nginx  cmdline ~ --port=80       texts: =, !=, ~ and !~ (regular expressions, RE2), in
  pid              not pid                   a name alone: the socket has it
  ecn              not app_limited           flags

A comparison with what the socket does not have picks nothing: "cong != cubic" picks sockets with another algorithm, "not
cong = cubic" those without any too. ss's own words are as in ss: "dev != eth0" picks sockets that are bound to no device.
Quote filters from the shell: > ( ) ! ~ and * are the shell's too. sockeye explain FILTER shows who evaluates what.

Answers:
  which process leaks close-wait           sockeye list 'state close-wait' -g process,pid
  which listener's accept queue overflows  sockeye list 'state listen and (accept_full or drops > 0)' -c +accept_q,backlog,drops
  who holds port 8080, and where           sockeye list 'sport = :8080' -c state,local,process,pid,cmdline,unit,container
  which peers are far, or lose most        sockeye list 'state established' -g peer_addr -c 'count,p50(rtt),max(rtt),sum(retrans_total)' -s 'sum(retrans_total):desc' -n 20
  what is stuck behind a closed window     sockeye list 'timer = persist or snd_wnd = 0 and sendq > 0' -c +notsent,snd_wnd
  which peers hold over 1,000 connections  sockeye list 'proto tcp and not state listen' -g peer_addr --having 'count > 1000'
  how near are source ports to their end   sockeye list 'proto tcp and autobound' -g local_addr,peer -n 10      (of net.ipv4.ip_local_port_range; --summary shows the share)
  what has been idle for an hour           sockeye list 'state established and idle > 1h' -c +idle -s idle:desc
`
