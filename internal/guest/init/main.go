// Command init is process 1 of a guest: it mounts the file systems, loads the modules, runs the programs of the job one after the other,
// sends what they wrote to the host, and switches the machine off. Called as ss, it is the peer ss under its own dynamic loader.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/guest/wire"
)

func main() {
	if filepath.Base(os.Args[0]) == "ss" {
		fmt.Fprintln(os.Stderr, "ss:", runPeer())
		os.Exit(127)
	}
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "init: not process 1")
		os.Exit(2)
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, "init:", err) // on the console, which the host keeps
	}
	unix.Sync()
	fmt.Fprintln(os.Stderr, "init: power off:", unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF))
	select {} // process 1 may not end; the host's time limit does
}

// work prepares the machine and does the job.
func work() error {
	if err := mountAll(); err != nil {
		return err
	}
	missing, err := loadModules(wire.ModulesPath)
	if err != nil {
		return err
	}
	port, err := openPort(wire.PortName)
	if err != nil {
		return err
	}
	h := &host{enc: json.NewEncoder(port)}
	last := wire.Message{Done: true}
	if err := h.job(missing); err != nil {
		last = wire.Message{Fault: err.Error()}
	}
	h.send(last)
	if h.err != nil {
		return h.err
	}
	// What is still on its way when the machine is switched off would be lost: the host answers when it has all.
	_, err = port.Read(make([]byte, 1))
	return err
}

// host is the port to the host. Its methods may be called from several goroutines.
type host struct {
	mu  sync.Mutex
	enc *json.Encoder
	err error // the first
}

func (h *host) send(m wire.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.err = h.enc.Encode(m)
	}
}
