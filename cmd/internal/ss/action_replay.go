package ss

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/render/ss"
)

// replay is a table of inet sockets that the environment has read from files instead of asking the kernel.
type replay struct {
	dump     string        // TCPDIAG_FILE, as ss has it
	answers  []diag.Answer // of TCPDIAG_FILE, for a protocol that ss does not record
	recorded bool          // there are answers, or might have been
	v4, v6   string        // or files like /proc/net/tcp; "" if the kernel has none for the protocol
	protocol diag.Protocol
}

// replayed returns what the environment puts in the place of a protocol's table, or nil.
func (s *show) replayed(p diag.Protocol) *replay {
	env := s.env
	name := map[diag.Protocol]string{
		diag.TCP: "TCP", diag.UDP: "UDP", diag.Raw: "RAW", diag.MPTCP: "MPTCP", diag.DCCP: "DCCP", diag.SCTP: "SCTP",
	}[p]
	if dump := env.Getenv("TCPDIAG_FILE"); p == diag.TCP && dump != "" {
		return &replay{dump: dump}
	}
	v4, has4 := s.answers(diag.IPv4, p)
	v6, has6 := s.answers(diag.IPv6, p)
	if has4 || has6 {
		return &replay{answers: append(slices.Clip(v4), v6...), recorded: true, protocol: p}
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
		r := s.replayed(q.Protocol)
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
	switch {
	case r.dump != "":
		list = s.readDump(r.dump)
	case r.recorded:
		list = s.readAnswers(r, q)
	default:
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
		if err := s.line(rec.socket, rec.row); err != nil {
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
	head := make([]byte, unix.SizeofNlMsghdr)
	for {
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

// readAnswers decodes what was recorded of a protocol.
func (s *show) readAnswers(r *replay, q diag.InetQuery) (list []recorded) {
	for _, a := range r.answers {
		if q.Family != diag.Unspec && q.Family != a.Family() {
			continue
		}
		sock, err := diag.ParseInet(a.Message, r.protocol)
		if err != nil {
			s.hint(fmt.Sprintf("$TCPDIAG_FILE: %v", err))
			break
		}
		list = append(list, recorded{sock, nil})
	}
	return list
}

// answers returns what TCPDIAG_FILE has of a family and, if that is one of IP, of a protocol, but TCP; ok tells whether it was recorded.
// ss records none of it.
func (s *show) answers(f diag.Family, p diag.Protocol) (list []diag.Answer, ok bool) {
	name := s.env.Getenv("TCPDIAG_FILE")
	if name == "" {
		return nil, false
	}
	if s.file == nil {
		s.file = map[answered][]diag.Answer{}
		if in, err := os.Open(name); err == nil { // else it is said of TCP, if that is wanted
			defer in.Close()
			for a, err := range diag.ReadAnswers(in) {
				if err != nil {
					break
				}
				key := answered{family: a.Family()}
				if key.family == diag.IPv4 || key.family == diag.IPv6 {
					key.protocol = a.Protocol()
				}
				if list := s.file[key]; a.Message == nil {
					s.file[key] = list
				} else {
					s.file[key] = append(list, a)
				}
			}
		}
	}
	list, ok = s.file[answered{f, p}]
	return list, ok
}

// answered is what was asked for.
type answered struct {
	family   diag.Family
	protocol diag.Protocol // 0: of another family than those of IP
}

// fromAnswers yields what was recorded of the family at hand, if it was.
func fromAnswers[S any](o *other, parse func([]byte) (*S, error), list iter.Seq2[*S, error]) iter.Seq2[*S, error] {
	answers, ok := o.answers(others[o.at].family, 0)
	if !ok {
		return list
	}
	return func(yield func(*S, error) bool) {
		for _, a := range answers {
			s, err := parse(a.Message)
			if !yield(s, err) || err != nil {
				return
			}
		}
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
