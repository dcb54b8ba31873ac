package ss

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/sockets"
)

// record writes the answers to -D's queries to a file. Families, states and attributes are as asked for; the filter is not applied. TCP's
// come first, and without requests, as ss writes them: those of other tables stand behind the NLMSG_DONE at which it stops to read.
func record(env *cli.Env, o *options, conn *diag.Conn) (err error) {
	var w io.Writer = env.Stdout
	if !strings.HasPrefix(o.record, "-") {
		f, err := os.Create(o.record)
		if err != nil {
			return &exit{text: "fopen dump file: " + strerror(err), status: exitUsage}
		}
		defer func() {
			if e := f.Close(); err == nil {
				err = e
			}
		}()
		w = f
	}
	buf := bufio.NewWriterSize(w, 64<<10)
	ext := o.ext(diag.TCP)
	if o.render.Memory {
		ext |= diag.ExtMemInfo // ss asks for both
	}
	if o.tables&tableTCP != 0 {
		err = conn.Record(env.Ctx, diag.InetQuery{Protocol: diag.TCP, Family: o.oneFamily(), States: o.states, Ext: ext, BPFMaps: o.maps.descriptors()}, buf)
	} else {
		_, err = buf.Write(noTCP)
	}
	for _, q := range o.recorded() {
		if err != nil {
			break
		}
		if err = conn.RecordAnswer(env.Ctx, q, buf); sockets.Unsupported(err) {
			err = nil
		}
	}
	return errors.Join(err, buf.Flush())
}

// noTCP is NLMSG_DONE: the answer of a kernel without TCP sockets.
var noTCP = func() []byte {
	b := make([]byte, unix.SizeofNlMsghdr+4)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], unix.NLMSG_DONE)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_MULTI)
	return b
}()

// recorded returns the queries of the tables that are asked for, but for TCP's.
func (o *options) recorded() (list []diag.Query) {
	for _, t := range inetTables {
		if t.table&o.tables == 0 || t.table == tableTCP {
			continue
		}
		ext := o.ext(t.proto)
		if o.render.Memory {
			ext |= diag.ExtMemInfo
		}
		list = append(list, diag.InetQuery{Protocol: t.proto, Family: o.oneFamily(), States: o.states, Ext: ext})
	}
	for i, q := range []diag.Query{
		o.netlinkQuery(), o.packetQuery(), o.unixQuery(), diag.VSockQuery{States: o.states}, diag.TIPCQuery{States: o.states}, o.xdpQuery(),
	} {
		if others[i].tables&o.tables != 0 {
			list = append(list, q)
		}
	}
	return list
}

func (o *options) netlinkQuery() diag.NetlinkQuery {
	q := diag.NetlinkQuery{Protocol: diag.NetlinkAll, Show: diag.NetlinkShowMemInfo}
	if o.render.Extended {
		q.Show |= diag.NetlinkShowGroups
	}
	return q
}

func (o *options) packetQuery() diag.PacketQuery {
	q := diag.PacketQuery{Show: diag.PacketShowInfo | diag.PacketShowMemInfo}
	if o.render.Extended {
		q.Show |= diag.PacketShowRings | diag.PacketShowFanout
	}
	if o.render.Filters {
		q.Show |= diag.PacketShowFilter
	}
	return q
}

func (o *options) unixQuery() diag.UnixQuery {
	q := diag.UnixQuery{States: o.states, Show: diag.UnixShowName | diag.UnixShowPeer | diag.UnixShowQueues}
	if o.render.Memory {
		q.Show |= diag.UnixShowMemInfo
	}
	if o.render.Extended {
		q.Show |= diag.UnixShowVFS | diag.UnixShowPending
	}
	return q
}

func (o *options) xdpQuery() diag.XDPQuery {
	q := diag.XDPQuery{Show: diag.XDPShowInfo | diag.XDPShowMemInfo}
	if o.render.Extended {
		q.Show |= diag.XDPShowRings | diag.XDPShowUmem | diag.XDPShowStats
	}
	return q
}

// oneFamily returns the one family that was asked for, Unspec if it is both.
func (o *options) oneFamily() diag.Family {
	switch {
	case o.v4 == o.v6:
		return diag.Unspec
	case o.v4:
		return diag.IPv4
	}
	return diag.IPv6
}
