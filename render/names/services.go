package names

import (
	"bytes"
	"os"
	"strconv"
)

// Services names ports after /etc/services (services(5)).
type Services struct {
	File string // "": /etc/services
	// Last says which entry of a port and protocol counts: false the first, as getservbyport(3) has it; true the last, as
	// netstat has it.
	Last bool

	loaded  bool
	byProto map[string]map[uint16]string // "" holds the ports of all protocols
}

// Lookup returns the service on a port (host byte order) of a protocol such as "tcp"; "" is any protocol.
func (s *Services) Lookup(port uint16, proto string) (string, bool) {
	if !s.loaded {
		s.load()
	}
	name, ok := s.byProto[proto][port]
	return name, ok
}

// Append appends the service's name, or the number of the port if it has none.
func (s *Services) Append(dst []byte, port uint16, proto string) []byte {
	if name, ok := s.Lookup(port, proto); ok {
		return append(dst, name...)
	}
	return strconv.AppendUint(dst, uint64(port), 10)
}

// load reads the file. A file that cannot be read names nothing, as in the C library.
func (s *Services) load() {
	s.loaded = true
	s.byProto = map[string]map[uint16]string{}
	file := s.File
	if file == "" {
		file = "/etc/services"
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return
	}
	for f := range fields(b) {
		num, proto, ok := bytes.Cut(f[1], []byte{'/'})
		port, err := strconv.ParseUint(string(num), 10, 16)
		if !ok || err != nil {
			continue
		}
		name := escaped(string(f[0]))
		s.add(string(proto), uint16(port), name)
		s.add("", uint16(port), name)
	}
}

func (s *Services) add(proto string, port uint16, name string) {
	m := s.byProto[proto]
	if m == nil {
		m = map[uint16]string{}
		s.byProto[proto] = m
	}
	if _, ok := m[port]; !ok || s.Last {
		m[port] = name
	}
}
