package ss

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/sockeye-tools/sockeye/render/names"
	"github.com/sockeye-tools/sockeye/render/ss"
)

// Where rpcbind(8) listens, and rpc(5).
const (
	rpcbindSocket = "/run/rpcbind.sock"
	rpcFile       = "/etc/rpc"
)

// rpcTimeout is how long rpcbind may take.
const rpcTimeout = 2 * time.Second

// rpcPorts asks rpcbind which services have which ports: RPCBPROC_DUMP of version 3 (RFC 1833, 2.2.1). Those on any address, over TCP and
// UDP, are returned, named as in a file like rpc(5).
func rpcPorts(socket, file string) (map[ss.RPCPort]string, error) {
	conn, err := net.DialTimeout("unix", socket, rpcTimeout)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(rpcTimeout))
	const (
		xid              = 0x736f636b
		call, rpcVersion = 0, 2
		program, version = 100000, 3
		dump             = 4
	)
	words := []uint32{1<<31 | 40, xid, call, rpcVersion, program, version, dump, 0, 0, 0, 0} // a record of one part; no credentials
	var b []byte
	for _, w := range words {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	if _, err := conn.Write(b); err != nil {
		return nil, err
	}
	answer, err := readRPCRecord(conn)
	if err != nil {
		return nil, err
	}
	return parseRPCPorts(answer, readRPCNames(file))
}

// maxRPCRecord is the longest answer that is read, in bytes.
const maxRPCRecord = 1 << 20

var errRPC = errors.New("rpcbind's answer is not understood")

// readRPCRecord reads a record, which comes in parts (RFC 5531, 11).
func readRPCRecord(r io.Reader) (record []byte, err error) {
	for last := false; !last; {
		var head [4]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil, err
		}
		n := binary.BigEndian.Uint32(head[:])
		last, n = n>>31 == 1, n&^(1<<31)
		if len(record)+int(n) > maxRPCRecord {
			return nil, errRPC
		}
		part := make([]byte, n)
		if _, err := io.ReadFull(r, part); err != nil {
			return nil, err
		}
		record = append(record, part...)
	}
	return record, nil
}

// xdr reads numbers and strings (RFC 4506).
type xdr struct {
	b   []byte
	bad bool
}

func (x *xdr) number() uint32 {
	if len(x.b) < 4 {
		x.b, x.bad = nil, true
		return 0
	}
	n := binary.BigEndian.Uint32(x.b)
	x.b = x.b[4:]
	return n
}

func (x *xdr) text() string {
	n := int(x.number())
	if n < 0 || n > len(x.b) {
		x.b, x.bad = nil, true
		return ""
	}
	s := string(x.b[:n])
	x.b = x.b[min((n+3)&^3, len(x.b)):]
	return s
}

// parseRPCPorts decodes the answer: struct rpcb_list. Of two services with the same port the last one counts, as in ss.
func parseRPCPorts(answer []byte, programs map[uint32]string) (map[ss.RPCPort]string, error) {
	x := xdr{b: answer}
	x.number() // xid
	reply, refused := x.number(), x.number()
	x.number() // verifier
	x.text()
	if failed := x.number(); x.bad || reply != 1 || refused != 0 || failed != 0 {
		return nil, errRPC
	}
	ports := map[ss.RPCPort]string{}
	for x.number() == 1 {
		program, _, netid, addr, _ := x.number(), x.number(), x.text(), x.text(), x.text()
		proto := strings.TrimSuffix(netid, "6")
		host, ok := strings.CutPrefix(addr, "0.0.0.0.")
		if !ok {
			host, ok = strings.CutPrefix(addr, "::.")
		}
		var hi, lo uint8
		if _, err := fmt.Sscanf(host, "%d.%d", &hi, &lo); !ok || err != nil || proto != "tcp" && proto != "udp" {
			continue
		}
		port := ss.RPCPort{Port: uint16(hi)<<8 | uint16(lo), Proto: proto}
		if ports[port] = ""; programs[program] != "" {
			ports[port] = string(names.AppendEscaped(nil, "rpc."+programs[program]))
		}
	}
	if x.bad {
		return nil, errRPC
	}
	return ports, nil
}

// readRPCNames reads a file like rpc(5).
func readRPCNames(file string) map[uint32]string {
	programs := map[uint32]string{}
	f, err := os.Open(file)
	if err != nil {
		return programs
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		w := strings.Fields(line)
		if len(w) < 2 {
			continue
		}
		if n, err := strconv.ParseUint(w[1], 10, 32); err == nil && programs[uint32(n)] == "" {
			programs[uint32(n)] = w[0]
		}
	}
	return programs
}

// rpc returns the ports of RPC services, where -r asks for them: none if there is no rpcbind, which is not asked again.
func (o *options) rpc() map[ss.RPCPort]string {
	if !o.resolve || o.render.Numeric || o.tables&tablesInet == 0 {
		return nil
	}
	if o.render.RPC == nil {
		var err error
		if o.render.RPC, err = rpcPorts(rpcbindSocket, rpcFile); err != nil {
			o.render.RPC = map[ss.RPCPort]string{} // ports are named as ever
		}
	}
	return o.render.RPC
}

// rpcPort returns the port of an RPC service, if it has one alone.
func rpcPort(ports map[ss.RPCPort]string, name, proto string) (port uint16, ok bool) {
	for p, n := range ports {
		if n != name || p.Proto != proto {
			continue
		}
		if ok {
			return 0, false
		}
		port, ok = p.Port, true
	}
	return port, ok
}
