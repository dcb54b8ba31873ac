// Command peers counts the TCP sockets of the calling network namespace with one of the Go libraries that others use for it, the
// way their documentation says to. "sockeye bench --go-peers" runs it beside sockeye.
package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"
)

// peer is one library and what to do with it.
type peer struct {
	module string
	count  func() (int, error)
}

var peers = map[string]peer{
	"vishvananda":   {"github.com/vishvananda/netlink", vishvananda},
	"mdlayher":      {"github.com/mdlayher/netlink", func() (int, error) { return mdlayher(0) }},
	"mdlayher-info": {"github.com/mdlayher/netlink", func() (int, error) { return mdlayher(extInfo) }},
	"procfs":        {"github.com/prometheus/procfs", procFS},
	"gopsutil":      {"github.com/shirou/gopsutil/v4", gopsutil},
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "peers: %v\n", err)
		os.Exit(1)
	}
}

// run prints the number of sockets that the peer found, or the version of each peer.
func run(args []string, w io.Writer) error {
	names := slices.Sorted(maps.Keys(peers))
	if len(args) != 1 {
		return errors.New("usage: peers version|" + strings.Join(names, "|"))
	}
	if args[0] == "version" {
		for _, name := range names {
			fmt.Fprintf(w, "%s %s %s\n", name, peers[name].module, version(peers[name].module))
		}
		return nil
	}
	p, ok := peers[args[0]]
	if !ok {
		return fmt.Errorf("there is no peer %q: want one of %s", args[0], strings.Join(names, ", "))
	}
	n, err := p.count()
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	_, err = fmt.Fprintln(w, n)
	return err
}

func version(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == module {
				return d.Version
			}
		}
	}
	return "unknown"
}
