package ss

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
)

// record writes the answer to -D's query to a file. Families, states and attributes are as asked for; the filter is not applied.
func record(env *cli.Env, o *options, conn *diag.Conn) (err error) {
	if o.tables&tableTCP == 0 {
		return &exit{text: "ss: tcpdiag dump requested and no tcp in filter.", status: exitNothing}
	}
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
	ext := (&show{o: o}).ext(diag.TCP)
	if o.render.Memory {
		ext |= diag.ExtMemInfo // ss asks for both
	}
	err = conn.Record(env.Ctx, diag.InetQuery{Protocol: diag.TCP, Family: o.oneFamily(), States: o.states, Ext: ext}, buf)
	return errors.Join(err, buf.Flush())
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
