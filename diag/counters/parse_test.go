package counters

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestParsePairs(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []Section
		ok   bool
	}{
		"nothing": {"", nil, true},
		"two": {"Ip: A B\nIp: 1 18446744073709551615\nTcp: MaxConn\nTcp: -1\n", []Section{
			{SNMP, "Ip", []Counter{{"A", 1, false}, {"B", 1<<64 - 1, false}}},
			{SNMP, "Tcp", []Counter{{"MaxConn", 1<<64 - 1, true}}},
		}, true},
		"again":       {"M: A\nM: 1\nM: B\nM: 2", []Section{{SNMP, "M", []Counter{{"A", 1, false}}}, {SNMP, "M", []Counter{{"B", 2, false}}}}, true},
		"blanks":      {"\nIp:  A\tB \n\nIp: 1  2\n", []Section{{SNMP, "Ip", []Counter{{"A", 1, false}, {"B", 2, false}}}}, true},
		"no counters": {"Ip:\nIp:\n", []Section{{SNMP, "Ip", []Counter{}}}, true},
		"no figures":  {"Ip: A\nIp: 1\nTcp: A\n", []Section{{SNMP, "Ip", []Counter{{"A", 1, false}}}}, false},
		"too few":     {"Ip: A B\nIp: 1\n", nil, false},
		"too many":    {"Ip: A\nIp: 1 2\n", nil, false},
		"others":      {"Ip: A\nTcp: 1\n", nil, false},
		"no colon":    {"Ip A\nIp 1\n", nil, false},
		"too large":   {"Ip: A\nIp: 18446744073709551616\n", nil, false},
		"too small":   {"Ip: A\nIp: -9223372036854775809\n", nil, false},
		"plus":        {"Ip: A\nIp: +1\n", nil, false},
		"hexadecimal": {"Ip: A\nIp: 0x1\n", nil, false},
		"minus":       {"Ip: A\nIp: -\n", nil, false},
	} {
		got, err := parsePairs([]byte(test.text), SNMP)
		if !reflect.DeepEqual(got, test.want) || (err == nil) != test.ok || err != nil && !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, test.want)
		}
	}
}

func TestParseLines(t *testing.T) {
	for name, test := range map[string]struct {
		file File
		text string
		want []Section
		ok   bool
	}{
		"sections": {SNMP6, "Ip6A \t1\nUdp6A 2\nUdpLite6A 3\nUdpLite6B -4\n", []Section{
			{SNMP6, "Ip6", []Counter{{"Ip6A", 1, false}}}, {SNMP6, "Udp6", []Counter{{"Udp6A", 2, false}}},
			{SNMP6, "UdpLite6", []Counter{{"UdpLite6A", 3, false}, {"UdpLite6B", 1<<64 - 4, true}}},
		}, true},
		"no 6":       {SNMP6, "Foo 1\n", []Section{{SNMP6, "Foo", []Counter{{"Foo", 1, false}}}}, true},
		"nothing":    {SNMP6, "", nil, true},
		"sctp":       {SCTP, "SctpA 1\nB6 2", []Section{{SCTP, "Sctp", []Counter{{"SctpA", 1, false}, {"B6", 2, false}}}}, true},
		"no sctp":    {SCTP, "", []Section{{SCTP, "Sctp", nil}}, true},
		"no figure":  {SNMP6, "Ip6A 1\nIp6B\n", []Section{{SNMP6, "Ip6", []Counter{{"Ip6A", 1, false}}}}, false},
		"no number":  {SNMP6, "Ip6A x\n", nil, false},
		"three":      {SNMP6, "Ip6A 1 2\n", nil, false},
		"sctp wrong": {SCTP, "SctpA 1\nSctpB\n", []Section{{SCTP, "Sctp", []Counter{{"SctpA", 1, false}}}}, false},
	} {
		got, err := parseLines([]byte(test.text), test.file)
		if !reflect.DeepEqual(got, test.want) || (err == nil) != test.ok || err != nil && !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, test.want)
		}
	}
}

// FuzzParse: whatever a file says, every counter that comes out of it stands in it.
func FuzzParse(f *testing.F) {
	f.Add([]byte("Ip: A B\nIp: 1 2\n"), false)
	f.Add([]byte("Ip6A 1\nUdp6B 2\n"), true)
	f.Fuzz(func(t *testing.T, text []byte, lines bool) {
		parse, file := parsePairs, SNMP
		if lines {
			parse, file = parseLines, SNMP6
		}
		sections, err := parse(text, file)
		if err != nil && !errors.Is(err, ErrFormat) {
			t.Error(err)
		}
		for _, s := range sections {
			for _, c := range s.Counters {
				if !strings.Contains(string(text), c.Name) || strings.ContainsAny(c.Name, " \t\n") || c.Name == "" {
					t.Errorf("name %q", c.Name)
				}
				if n := strings.TrimPrefix(string(c.AppendValue(nil)), "-"); !strings.Contains(string(text), n) {
					t.Errorf("%s: %s", c.Name, fmt.Sprint(n))
				}
			}
		}
	})
}
