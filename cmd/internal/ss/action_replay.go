package ss

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/render/ss"
)

// replay is a table of inet sockets that the environment has read from files instead of asking the kernel.
type replay struct {
	dump     string // TCPDIAG_FILE
	v4, v6   string // or files like /proc/net/tcp; "" if the kernel has none for the protocol
	protocol diag.Protocol
}

// replayed returns what the environment puts in the place of a protocol's table, or nil.
func replayed(env *cli.Env, p diag.Protocol) *replay {
	name := map[diag.Protocol]string{
		diag.TCP: "TCP", diag.UDP: "UDP", diag.Raw: "RAW", diag.MPTCP: "MPTCP", diag.DCCP: "DCCP", diag.SCTP: "SCTP",
	}[p]
	if dump := env.Getenv("TCPDIAG_FILE"); p == diag.TCP && dump != "" {
		return &replay{dump: dump}
	}
	if procRoot(env) == "" && env.Getenv("PROC_NET_"+name) == "" {
		return nil
	}
	r := &replay{protocol: p}
	if p == diag.TCP || p == diag.UDP || p == diag.Raw {
		r.v4 = procPath(env, "PROC_NET_"+name, "net/"+p.String())
		r.v6 = procPath(env, "PROC_NET_"+name+"6", "net/"+p.String()+"6")
	}
	return r
}

// inet prints the sockets of the inet tables, in order.
func (s *show) inet(ctx context.Context, queries []diag.InetQuery) (failed bool, err error) {
	var live []diag.InetQuery
	flush := func() error {
		if len(live) == 0 {
			return nil
		}
		f, err := s.print(ctx, live)
		failed, live = failed || f, nil
		return err
	}
	for _, q := range queries {
		r := replayed(s.env, q.Protocol)
		if r == nil {
			live = append(live, q)
			continue
		}
		if err := flush(); err != nil {
			return failed, err
		}
		if err := s.replay(r, q); err != nil {
			return failed, err
		}
	}
	err = flush()
	if err == nil && s.kill != nil {
		err = s.killRest(ctx)
	}
	return failed, err
}

// recorded is a socket of a file, with what its line tells beyond that.
type recorded struct {
	socket *diag.InetSocket
	row    *ss.ProcRow // nil: it comes from a dump
}

// replay prints the sockets of the files that stand for q.
func (s *show) replay(r *replay, q diag.InetQuery) error {
	var list []recorded
	if r.dump != "" {
		list = s.readDump(r.dump)
	} else {
		list = readTables(r, q)
	}
	want := []uint32{}
	n := 0
	for _, rec := range list {
		if s.filter.Match(rec.socket) {
			list[n] = rec
			n++
			want = append(want, rec.socket.Inode)
		}
	}
	if s.kill != nil { // these are not the kernel's
		if n > 0 {
			s.kill.others["they come from a file"] += n
		}
		return nil
	}
	if s.owners != nil {
		t, err := owner.Resolve(s.env.Ctx, s.owners, want)
		if err != nil && (procRoot(s.env) == "" || !errors.Is(err, os.ErrNotExist)) {
			return err
		}
		s.use(t)
	}
	for _, rec := range list[:n] {
		var err error
		if rec.row != nil {
			err = s.out.InetProc(rec.socket, rec.row)
		} else {
			err = s.out.Inet(rec.socket)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxMessage is the longest netlink message that a dump is believed to have: no kernel sends longer ones.
const maxMessage = 1 << 16

// readDump reads a file of netlink messages, such as -D writes, up to the first NLMSG_DONE. That is where ss stops, so the sockets of
// IPv6 in a dump of both families are not seen. What is wrong with the file is reported in ss's words; the sockets in front of it
// count.
func (s *show) readDump(name string) (list []recorded) {
	say := func(text string) { io.WriteString(s.env.Stderr, text) }
	f, err := os.Open(name)
	if err != nil {
		say("fopen($TCPDIAG_FILE): " + strerror(err) + "\n")
		return nil
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, maxMessage)
	// fill reads b, and reports in ss's words why it could not.
	fill := func(b []byte, what string) bool {
		switch _, err := io.ReadFull(in, b); {
		case err == nil:
			return true
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			say("Unexpected EOF reading $TCPDIAG_FILE")
		default:
			say(what + ": " + strerror(err) + "\n")
		}
		return false
	}
	for {
		head := make([]byte, unix.SizeofNlMsghdr)
		if !fill(head, "Reading header from $TCPDIAG_FILE") {
			return list
		}
		size := int(binary.NativeEndian.Uint32(head))
		if size < len(head) || size > maxMessage {
			say("ss: $TCPDIAG_FILE is no dump of netlink messages\n")
			return list
		}
		size -= len(head)
		m := make([]byte, (size+3)&^3)
		if !fill(m, "Reading $TCPDIAG_FILE") {
			return list
		}
		switch m = m[:size]; binary.NativeEndian.Uint16(head[4:]) {
		case unix.NLMSG_DONE:
			return list
		case unix.NLMSG_ERROR:
			if len(m) < unix.SizeofNlMsgerr {
				say("ERROR truncated\n")
			} else {
				say("TCPDIAG answered: " + strerror(unix.Errno(-int32(binary.NativeEndian.Uint32(m)))) + "\n")
			}
			return list
		}
		sock, err := diag.ParseInet(m, diag.TCP)
		if err != nil {
			say(fmt.Sprintf("ss: $TCPDIAG_FILE: %v\n", err))
			return list
		}
		if p, ok := sock.RawProtocol(); ok {
			sock.Protocol = p
		}
		list = append(list, recorded{sock, nil})
	}
}

// readTables reads the files like /proc/net/tcp. As in ss, the one of IPv6 is not read where that of IPv4 cannot be.
func readTables(r *replay, q diag.InetQuery) (list []recorded) {
	for _, t := range []struct {
		path   string
		family diag.Family
	}{{r.v4, diag.IPv4}, {r.v6, diag.IPv6}} {
		if t.path == "" || q.Family != diag.Unspec && q.Family != t.family {
			continue
		}
		f, err := os.Open(t.path)
		if err != nil {
			return list
		}
		lines := bufio.NewScanner(f)
		lines.Scan() // headings
		for lines.Scan() {
			sock, err := diag.ParseProcInet(lines.Bytes(), r.protocol, t.family)
			if err == nil && q.States.Has(sock.State) {
				list = append(list, recorded{sock, procRow(lines.Bytes(), sock)})
			}
		}
		f.Close()
		if lines.Err() != nil {
			return list
		}
	}
	return list
}

// procRow reads what ss shows of a line beyond the socket:
//
//	sl: local remote st tx:rx tr:when retrnsmt uid probes inode ref sk [rto [ato qack cwnd ssthresh [opt]]]
func procRow(line []byte, sock *diag.InetSocket) *ss.ProcRow {
	w := bytes.Fields(line)
	number := func(i, base, bits int) (v uint64) {
		if i < len(w) {
			v, _ = strconv.ParseUint(string(w[i]), base, bits)
		}
		return v
	}
	if sock.Timer != diag.TimerOn {
		sock.Retrans = uint8(min(number(8, 10, 32), 255))
	}
	row := &ss.ProcRow{SK: number(11, 16, 64)}
	if len(w) < 13 { // TimeWait and SynRecv
		row.Cwnd = 2
		return row
	}
	row.RTO, row.ATO, row.QAck = uint32(number(12, 10, 32)), uint32(number(13, 10, 32)), uint32(number(14, 10, 32))
	row.Cwnd, row.SSThresh = uint32(number(15, 10, 32)), uint32(number(16, 10, 32)) // -1: not known
	if len(w) > 17 {
		row.Opt = bytes.Join(w[17:], []byte{' '})
	}
	return row
}
