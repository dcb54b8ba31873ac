package list

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/diag/field"
)

// party is a listener, and connections of three peers; those with 192.0.2.10 have 100 and 300 bytes to send.
func party(r diagtest.Request) []diagtest.Datagram {
	var d diagtest.Datagram
	if r.Protocol() != diag.TCP {
		return []diagtest.Datagram{d.Done(r)}
	}
	add := func(local, remote string, queue uint32, st diag.State) {
		b := connection(local, remote)
		if strings.HasPrefix(local, "[") {
			b[0] = byte(diag.IPv6)
		}
		b[1] = byte(st)
		binary.NativeEndian.PutUint32(b[60:], queue)
		if (r.Family() == diag.Unspec || r.Family() == diag.Family(b[0])) && r.States().Has(st) {
			d = d.Append(r, byFamily, 2, b)
		}
	}
	add("192.0.2.1:80", "0.0.0.0:0", 128, diag.Listen)
	add("192.0.2.1:80", "192.0.2.9:1", 0, diag.Established)
	add("192.0.2.1:80", "192.0.2.9:2", 0, diag.Established)
	add("192.0.2.1:80", "192.0.2.9:3", 0, diag.CloseWait)
	add("192.0.2.1:80", "192.0.2.10:1", 100, diag.Established)
	add("192.0.2.1:80", "192.0.2.10:2", 300, diag.Established)
	add("[2001:db8::2]:80", "[2001:db8::1]:1", 0, diag.Established)
	return []diagtest.Datagram{d.Done(r)}
}

// grouped is what the verb says of the party without a heading, with single blanks.
func grouped(t *testing.T, args ...string) string {
	t.Helper()
	out, words, status := told(t, party, append([]string{"-t", "-H"}, args...)...)
	if words != "" || status != cli.ExitOK {
		t.Errorf("%q: status %d, %s", args, status, words)
	}
	var lines strings.Builder
	for line := range strings.Lines(out) {
		lines.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
	}
	return lines.String()
}

func TestGroups(t *testing.T) {
	for args, want := range map[string]string{
		"-g state":                        "established 5\nclose-wait 1\nlisten 1\n",
		"-g family,state -s family,state": "ipv4 close-wait 1\nipv4 established 4\nipv4 listen 1\nipv6 established 1\n",
		"-g peer/24 -s peer/24":           "192.0.2.0/24 5\n2001:db8::/64 1\n- 1\n",
		"-g peer/0/0 -s peer/0/0":         "0.0.0.0/0 5\n::/0 1\n- 1\n",
		"-g peer_addr -n 1":               "192.0.2.9 3\n",
		// A listener's queues count connections: they do not count as bytes.
		"-g family -c count,sum(send_q),max(send_q),avg(send_q),p50(send_q),p99(send_q) -s family": "ipv4 6 400 300 80 0 300\nipv6 1 0 0 0 0 0\n",
		"-g family -c count,sum(rtt) -s family":                                                    "ipv4 6 -\nipv6 1 -\n",
		"-g family -c +max(send_q) -s family":                                                      "ipv4 6 300\nipv6 1 0\n",
		"-g state,accept_full -s state -o csv":                                                     "close-wait,,1\nestablished,,5\nlisten,false,1\n",
		"-g state -o json -n 1":                                                                    "[\n{\"state\":\"established\",\"count\":5}\n]\n",
		// By whichever name, and once.
		"-g lport,State -s state,local-port -c local_port,count":         "80 close-wait 1\n80 established 5\n80 listen 1\n",
		"-g state,state -o ndjson -n 1 -c count,count,sum(rtt),sum(rtt)": "{\"state\":\"established\",\"count\":5}\n",
		"-g peer/24,dst/24 -s peer-addr/24 -o csv":                       "192.0.2.0/24,5\n2001:db8::/64,1\n,1\n",
		"-g peer -s peer": "192.0.2.9:1 1\n192.0.2.9:2 1\n192.0.2.9:3 1\n192.0.2.10:1 1\n192.0.2.10:2 1\n[2001:db8::1]:1 1\n- 1\n",
		"-g local_port,accept_full -o ndjson -c max(send_q) state=listen": "{\"local_port\":80,\"accept_full\":false,\"count\":1}\n",
	} {
		if got := grouped(t, strings.Fields(args)...); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", args, got, want)
		}
	}
}

// Peers over IPv4 are in the networks that they are in, whichever socket they came to.
func TestGroupsOfMappedAddresses(t *testing.T) {
	g := &grouper{l: &lister{context: &field.Context{}}}
	for _, word := range []string{"peer/24", "local/16/56"} {
		k, err := parseGroupKey(word)
		if err != nil {
			t.Fatal(err)
		}
		g.keys = append(g.keys, k)
	}
	g.key(&diag.InetSocket{Protocol: diag.TCP, Family: diag.IPv6, State: diag.Established,
		Local: netip.MustParseAddrPort("[::ffff:10.1.2.3]:80"), Remote: netip.MustParseAddrPort("[::ffff:192.0.2.9]:1")}, nil)
	if want := "192.0.2.0/24\x0010.1.0.0/16\x00"; string(g.buf) != want {
		t.Errorf("%q, want %q", g.buf, want)
	}
}

// One network of an address at a time: in JSON and CSV they have one name.
func TestGroupsOfTwoPrefixes(t *testing.T) {
	if _, words, status := told(t, party, "-g", "peer/24,peer/16"); status != cli.ExitUsage || !strings.Contains(words, "peer/16: there is peer/24 already") {
		t.Errorf("status %d, %s", status, words)
	}
}
