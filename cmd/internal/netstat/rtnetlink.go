package netstat

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// patience is how often a table is asked for that changes while the kernel writes it.
const patience = 10

// dump calls each with the messages of a table of rtnetlink(7), and their attributes. The head is that of the request, and as long as
// those of the messages. A table that never stays the same is taken as it came last, and that is said.
func (r *run) dump(what string, request int, answer uint16, head nl.NetlinkRequestData, each func(m []byte, attrs []syscall.NetlinkRouteAttr) error) error {
	var msgs [][]byte
	var err error
	for range patience {
		req := nl.NewNetlinkRequest(request, unix.NLM_F_DUMP)
		req.AddData(head)
		if msgs, err = req.Execute(unix.NETLINK_ROUTE, answer); !errors.Is(err, nl.ErrDumpInterrupted) {
			break
		}
	}
	if errors.Is(err, nl.ErrDumpInterrupted) {
		r.hint(fmt.Sprintf("the %s changed each time that they were read: some may be missing, or be shown twice", what))
		r.partial, err = true, nil
	}
	if err != nil {
		return fmt.Errorf("list %s: %w", what, err)
	}
	for _, m := range msgs {
		if len(m) < head.Len() {
			return fmt.Errorf("list %s: %w", what, unix.EBADMSG)
		}
		attrs, err := nl.ParseRouteAttr(m[head.Len():])
		if err == nil {
			err = each(m, attrs)
		}
		if err != nil {
			return fmt.Errorf("list %s: %w", what, err)
		}
	}
	return nil
}

// word reads an attribute of 32 bits.
func word(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(b)
}
