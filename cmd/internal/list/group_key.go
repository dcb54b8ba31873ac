package list

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/internal/shape"
)

// groupKey is one key of --group-by: a field, or the prefix of an address.
type groupKey struct {
	name   string // as it was written
	json   string
	field  *field.Field
	prefix bool // of an address, with these lengths
	v4, v6 int
}

func parseGroupKey(word string) (k groupKey, err error) {
	name, bits, prefix := strings.Cut(word, "/")
	if prefix {
		switch strings.ReplaceAll(strings.ToLower(name), "-", "_") {
		case "local", "src", "local_addr":
			name, k.json = "local_addr", "local_prefix"
		case "peer", "dst", "remote", "peer_addr":
			name, k.json = "peer_addr", "peer_prefix"
		default:
			return k, usagef("--group-by %s: only local and peer have prefixes", word)
		}
		four, six, both := strings.Cut(bits, "/")
		n, err4 := strconv.Atoi(four)
		m, err6 := 64, error(nil)
		if both {
			m, err6 = strconv.Atoi(six)
		} else if n > 32 {
			n, m = 32, n
		}
		if err4 != nil || err6 != nil || n < 0 || n > 32 || m < 0 || m > 128 {
			return k, usagef("--group-by %s: want a prefix such as peer/24, peer/64 or peer/24/56", word)
		}
		k.prefix, k.v4, k.v6 = true, n, m
	}
	f, err := field.Lookup(name)
	if err != nil {
		return k, &usageError{err}
	}
	k.name, k.field = word, f
	if k.json == "" {
		k.json = f.Key
	}
	return k, nil
}

// same reports whether two keys are one.
func (k *groupKey) same(o *groupKey) bool {
	return k.field == o.field && k.prefix == o.prefix && k.v4 == o.v4 && k.v6 == o.v6
}

// keyOf returns the index of the key that a word names, by whichever of its names; -1: none.
func (g *grouper) keyOf(word string) int {
	k, err := parseGroupKey(word)
	if err != nil {
		return -1
	}
	return slices.IndexFunc(g.keys, func(o groupKey) bool { return o.same(&k) })
}

// groupOrder is one key of --sort for groups: a key of theirs, or a figure.
type groupOrder struct {
	key    int // -1: the figure
	figure figure
	desc   bool
}

// order reads --sort; without it the largest groups come first.
func (g *grouper) order(spec string) error {
	os, err := orders(spec)
	if err != nil {
		return err
	}
	if len(os) == 0 {
		os = []order{{"count", true}}
	}
	for _, o := range os {
		by := groupOrder{key: g.keyOf(o.name), desc: o.desc}
		if by.key < 0 {
			if by.figure, err = g.figure(o.name); err != nil {
				return err
			}
		}
		g.orders = append(g.orders, by)
	}
	return nil
}

// sortKey makes the key of a group's row.
func (g *grouper) sortKey(dst []byte, grp *shape.Group, values []string) []byte {
	for i := range g.orders {
		o := &g.orders[i]
		if o.key < 0 {
			if v, ok := o.figure.value(grp); ok {
				dst = shape.AppendNumber(dst, v, o.desc)
			} else {
				dst = shape.AppendAbsent(dst)
			}
			continue
		}
		k, v := &g.keys[o.key], values[o.key]
		switch {
		case v == "":
			dst = shape.AppendAbsent(dst)
		case k.field.Kind == field.Number:
			n, _ := strconv.ParseUint(v, 10, 64)
			dst = shape.AppendNumber(dst, n, o.desc)
		case k.field.Kind == field.Address || k.field.Name == "local" || k.field.Name == "peer":
			dst = shape.AppendText(dst, addressOrder(v), o.desc)
		default:
			dst = shape.AppendText(dst, []byte(v), o.desc)
		}
	}
	return dst
}

// addressOrder is a byte string whose order is that of addresses, or prefixes, or addresses and ports.
func addressOrder(s string) []byte {
	if p, err := netip.ParseAddrPort(s); err == nil {
		b := addressKey(p.Addr())
		return binary.BigEndian.AppendUint16(b[:], p.Port())
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		b := addressKey(p.Addr())
		return append(b[:], byte(p.Bits()))
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return []byte(s)
	}
	b := addressKey(a)
	return b[:]
}

// addressKey is an address as bytes whose order is that of addresses: IPv4 first.
func addressKey(a netip.Addr) (b [17]byte) {
	b[0] = byte(a.BitLen())
	a16 := a.As16()
	copy(b[1:], a16[:])
	return b
}
