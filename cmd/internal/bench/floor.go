package bench

import (
	"fmt"
	"strconv"

	"github.com/sockeye-tools/sockeye/bench/floor"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/getopt"
)

func parseNumber(s string) (uint64, error) { return strconv.ParseUint(s, 0, 64) }

// noInode is the inode of no socket, until the kernel has made four billion.
const noInode = 1<<32 - 1

const floorHelp = `Usage: sockeye bench floor [OPTIONS]

Sends the requests that ss sends for TCP sockets, receives the answers, and prints how many
sockets there were.

  --ext BITS       idiag_ext of struct inet_diag_req_v2 (0)
  --states BITS    idiag_states (0x3fff)
  --sport PORT     only this source port, asked for by bytecode
  --scan           and has the descriptors of all processes looked through, for a socket that
                   there is not
`

// floor is "sockeye bench floor", which the comparison runs.
func (f *face) floor(args []string) int {
	r, scan := floor.Request{States: 0x3fff}, false
	operands, err := parse(args, false, []option{
		{"ext", getopt.Required, number(&r.Ext, 0, 1<<8-1)},
		{"states", getopt.Required, number(&r.States, 0, 1<<32-1)},
		{"sport", getopt.Required, number(&r.SourcePort, 1, 1<<16-1)},
		{"scan", getopt.None, func(string) error {
			scan = true
			return nil
		}},
	})
	if err == nil && len(operands) > 0 {
		err = usagef("floor takes no operand, but got %q", operands[0])
	}
	if err != nil {
		return f.end(err, floorHelp)
	}
	n, err := floor.Run(r)
	if err == nil && scan {
		_, err = owner.Resolve(f.env.Ctx, &f.env.Owners, []uint32{noInode})
	}
	if err == nil {
		_, err = fmt.Fprintln(f.env.Stdout, n)
	}
	return f.end(err, "")
}
