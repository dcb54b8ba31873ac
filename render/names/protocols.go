package names

import (
	"os"
	"strconv"
)

// Protocols names IP protocols after /etc/protocols (protocols(5)).
type Protocols struct {
	File string // "": /etc/protocols
	// Last says which entry of a number counts: false the first, as getprotobynumber(3) has it; true the last.
	Last bool

	loaded bool
	byNum  map[uint8]string
}

// Lookup returns the protocol's name, such as "icmp".
func (p *Protocols) Lookup(num uint8) (string, bool) {
	if !p.loaded {
		p.load()
	}
	name, ok := p.byNum[num]
	return name, ok
}

func (p *Protocols) load() {
	p.loaded = true
	p.byNum = map[uint8]string{}
	file := p.File
	if file == "" {
		file = "/etc/protocols"
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return
	}
	for f := range fields(b) {
		num, err := strconv.ParseUint(string(f[1]), 10, 8)
		if err != nil {
			continue
		}
		if _, ok := p.byNum[uint8(num)]; !ok || p.Last {
			p.byNum[uint8(num)] = escaped(string(f[0]))
		}
	}
}
