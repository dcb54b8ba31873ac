package main

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// familyLines are command lines for unix, packet, netlink, vsock, TIPC and XDP sockets, and for all tables at once.
var familyLines = `
-x
-xa
-xl
-xan
-xaH
-xaQ
-xaHQ
-xaO
-xap
-xae
-xam
-xao
-xai
-xaemp
-xaemopi
-xaempHO
-xpl
-f unix
-f unix -a
-A unix
-A unix -a
-A u_str -a
-A u_dgr -a
-A u_seq -a
-A u_str,u_seq -ap
-A unix,!u_dgr -a
-A unix_stream,unix_dgram,unix_seqpacket -ae
-xa state listening
-xa state established
-xa state unconnected
-x exclude established
-xa --cgroup --tos --inet-sockopt
-xa src *
-xa src /*
-xa src @*
-xa src @SOCKEYE*
-xa src *stream
-xa not src @*
-xa src @* or src *datagram
-xa dst *
-xa dst x
-xa autobound
-xa not autobound
-xa sport ge 1
-xa sport = *stream
-a src unix:*stream
-xa src [@/]*[!y]
-xa dev lo
-xa not dev lo
-tx src unix:*
-t src unix:*
-0
-0a
-0an
-0ae
-0am
-0ap
-0aempO
-0aemp
-0ab
-0aeb
-0aembO
-0aepbm
-0l
-f link -a
-A packet
-A packet -a
-A p_raw -a
-A p_dgr -an
-0a src ip
-0a src *:lo
-0a sport = lo
-0a dst *
-0a not src ip
-0a autobound
-0a dev lo
-a src link:ip
-a src link:all
-f netlink -a src rtnl
-f netlink -an src rtnl
-f netlink -ae src rtnl
-f netlink -aep src rtnl
-f netlink -amp src rtnl
-f netlink -aempHO src genl
-f netlink src rtnl
-A netlink src rtnl
-A netlink -a src genl
-f netlink -a src :kernel
-f netlink -a sport = 2147483633
-f netlink -a sport gt 2147483632
-f netlink -a not src tcpdiag and not src uevent
-a src netlink:rtnl
-f netlink -l src rtnl
-A all,!netlink
-A all,!netlink -a
-A all,!netlink -an
-A all,!netlink -anep
-A all,!netlink -anoemip
-A all,!netlink -l
-A unix,tcp -an
-A packet,udp -an
-x -t -a -n
-0 -x -u -an
-0xua src unix:*
-4 -x -an
-6xan
-x -6 -an src [::1]
-x -A tcp -an
-A tcp -x -an
--vsock
--vsock -a
--vsock -A v_str
--xdp -a
--xdp -aep
--tipc
--tipc -aep --tipcinfo
--vsock --xdp --tipc -a
-f vsock -l
-f tipc -a
-f xdp -a
-x -a state all
-0 state established
-xan state foo
`

// furnish adds sockets to the scene whose details are worth a look.
func furnish(t *testing.T, s *scene.Scene) {
	t.Helper()
	var fds []int
	t.Cleanup(func() {
		for _, fd := range fds {
			unix.Close(fd)
		}
	})
	dir := t.TempDir()
	var errs []error
	check := func(err error) { errs = append(errs, err) }
	err := s.Do(func() {
		open := func(family, typ, proto int) int {
			fd, err := unix.Socket(family, typ|unix.SOCK_CLOEXEC, proto)
			check(err)
			fds = append(fds, fd)
			return fd
		}
		local := func(typ int, name string) int {
			fd := open(unix.AF_UNIX, typ, 0)
			check(unix.Bind(fd, &unix.SockaddrUnix{Name: name}))
			return fd
		}
		for _, name := range []string{`quote"d`, "col:on", "(paren)", "grüße", "*", "%s%n", "two  blanks ", "-x"} {
			local(unix.SOCK_DGRAM, dir+"/"+name)
			local(unix.SOCK_STREAM, "\x00"+name)
		}
		fd := open(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
		check(unix.Bind(fd, &unix.SockaddrUnix{})) // the kernel chooses a name
		for how := range 3 {
			ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
			check(err)
			fds = append(fds, ends[:]...)
			check(unix.Shutdown(ends[0], how))
			unix.Write(ends[1], []byte("unread")) // EPIPE where it is shut down
		}
		// Listeners with several connections that wait.
		fd = local(unix.SOCK_STREAM, dir+"/busy")
		check(unix.Listen(fd, 9))
		for range 3 {
			check(unix.Connect(open(unix.AF_UNIX, unix.SOCK_STREAM, 0), &unix.SockaddrUnix{Name: dir + "/busy"}))
		}

		// Nothing that passes is kept, so that queues stay empty.
		drop := unix.SockFprog{Len: 2, Filter: &[]unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_IMM}, {Code: unix.BPF_RET | unix.BPF_A}}[0]}
		packet := func(typ, proto int) int {
			fd := open(unix.AF_PACKET, typ, 0)
			check(unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &drop))
			check(unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: uint16(proto)<<8 | uint16(proto)>>8, Ifindex: 1}))
			return fd
		}
		fd = packet(unix.SOCK_RAW, unix.ETH_P_IPV6)
		check(unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1))
		check(unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_ORIGDEV, 1))
		fd = packet(unix.SOCK_RAW, unix.ETH_P_LLDP)
		check(unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1))
		fd = packet(unix.SOCK_DGRAM, 0x1234)
		check(unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3))
		check(unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING,
			&unix.TpacketReq3{Block_size: 8192, Block_nr: 2, Frame_size: 2048, Frame_nr: 8, Retire_blk_tov: 60, Feature_req_word: 1}))
		fd = packet(unix.SOCK_RAW, unix.ETH_P_ARP)
		check(unix.SetsockoptTpacketReq(fd, unix.SOL_PACKET, unix.PACKET_TX_RING,
			&unix.TpacketReq{Block_size: 4096, Block_nr: 1, Frame_size: 2048, Frame_nr: 2}))
		for i, mode := range []int{unix.PACKET_FANOUT_HASH, unix.PACKET_FANOUT_LB, unix.PACKET_FANOUT_CPU, unix.PACKET_FANOUT_RND, unix.PACKET_FANOUT_QM} {
			fd = packet(unix.SOCK_DGRAM, unix.ETH_P_IP)
			check(unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_FANOUT, i+70|mode<<16))
		}

		netlink := func(proto int, port, groups uint32) int {
			fd := open(unix.AF_NETLINK, unix.SOCK_RAW, proto)
			check(unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: port, Groups: groups}))
			return fd
		}
		fd = netlink(unix.NETLINK_ROUTE, 1<<31+5, 0x80000001)
		check(unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: 77, Groups: 8}))
		fd = netlink(unix.NETLINK_ROUTE, 1<<30, 0)
		check(unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, 33)) // beyond what ss shows
		netlink(unix.NETLINK_USERSOCK, uint32(os.Getpid()), 1)
	})
	if err = errors.Join(append(errs, err)...); err != nil {
		t.Fatal(err)
	}
}

// The lines are equal, but for the netlink socket that each program asks with.
func TestMatrixFamilies(t *testing.T) {
	peer, ours := peers.SS(t), peers.Sockeye(t)
	s := scene.New(t)
	furnish(t, s)
	lines := split(familyLines)
	for _, args := range lines {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			peers.Compare(t, s, append([]string{peer}, args...), append([]string{ours, "ss"}, args...), peers.Options{DropOwn: true})
		})
	}
	if len(lines) < 60 {
		t.Errorf("only %d command lines", len(lines))
	}
}
