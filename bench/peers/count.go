package main

import (
	"encoding/binary"
	"fmt"

	mdl "github.com/mdlayher/netlink"
	"github.com/prometheus/procfs"
	psnet "github.com/shirou/gopsutil/v4/net"
	vnl "github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

var families = []uint8{unix.AF_INET, unix.AF_INET6}

// vishvananda asks for INET_DIAG_INFO always.
func vishvananda() (int, error) {
	n := 0
	for _, f := range families {
		s, err := vnl.SocketDiagTCPInfo(f)
		if err != nil {
			return 0, err
		}
		n += len(s)
	}
	return n, nil
}

const (
	sockDiagByFamily = 20 // linux/sock_diag.h
	extInfo          = 1 << (2 - 1)
	allStates        = 0x3fff // as ss -a asks
)

// mdlayher sends the requests of ss -ta, and with extInfo those of ss -tai but for the congestion control.
func mdlayher(ext uint8) (int, error) {
	c, err := mdl.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	n := 0
	for _, f := range families {
		req := make([]byte, 56) // struct inet_diag_req_v2
		req[0], req[1], req[2] = f, unix.IPPROTO_TCP, ext
		binary.NativeEndian.PutUint32(req[4:], allStates)
		msgs, err := c.Execute(mdl.Message{
			Header: mdl.Header{Type: sockDiagByFamily, Flags: mdl.Request | mdl.Dump},
			Data:   req,
		})
		if err != nil {
			return 0, err
		}
		for _, m := range msgs {
			if m.Header.Type == sockDiagByFamily {
				n++
			}
		}
	}
	return n, nil
}

func procFS() (int, error) {
	fs, err := procfs.NewFS("/proc")
	if err != nil {
		return 0, err
	}
	v4, err := fs.NetTCP()
	if err != nil {
		return 0, err
	}
	v6, err := fs.NetTCP6()
	if err != nil {
		return 0, fmt.Errorf("IPv6: %w", err)
	}
	return len(v4) + len(v6), nil
}

// gopsutil looks for owners too: it has no call that leaves them out.
func gopsutil() (int, error) {
	s, err := psnet.Connections("tcp")
	return len(s), err
}
