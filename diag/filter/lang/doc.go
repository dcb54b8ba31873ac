// Package lang is sockeye's filter language: all words of ss(8), and every field of a socket and its owners by name
// (package field), on the trees of package filter.
//
//	e, err := lang.Parse("state established and rtt > 100ms and not dst 10.0.0.0/8", &lang.Env{...})
//	if err != nil { ... } // a *lang.Error: with a caret under the mistake, and a suggestion
//
// # Grammar
//
//	filter = [ or ]
//	or     = and { ( "or" | "|" | "||" ) and }
//	and    = not { [ "and" | "&" | "&&" ] not }
//	not    = ( "not" | "!" ) not | "(" or ")" | term
//	term   = ( "state" | "exclude" | "excl" ) STATE
//	       | "autobound"
//	       | FIELD                                     the socket has it; of a flag: it is set
//	       | FIELD [ "=" ] value
//	       | FIELD ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value
//	       | FIELD ( "~" | "!~" ) REGEXP               texts; of Go (RE2), found anywhere in the text
//	       | FIELD [ "not" ] "in" "(" value { [ "," ] value } ")"
//	value  = WORD | '"' text '"' | "'" text "'"
//
// Blanks around operators are optional: dport=:443 is one filter. "and" binds tighter than "or", as the manual page of ss has it,
// and two terms side by side are joined by "and". FIELD may be port or addr (host) too, which are those of either
// end. The operators have ss's other names too: == eq, ne neq, lt, gt, le leq, ge geq. In a word, a backslash takes the next
// character as it is. "state A state B", side by side, is either, as in ss.
//
// # Values
//
//   - Times: 250us, 100ms, 2.5s, 10m, 1h, 2d. The unit is needed.
//   - Bytes: 1500, 64K (1024), 1.5M, 64kB (1000).
//   - Rates: 10Mbps in bits, 10MB/s in bytes, a second. The unit is needed.
//   - Ports: 443, :443, https, 8000-8999.
//   - Addresses: 10.0.0.1, 10.0.0.0/8, [::1]:443, a host's name; an IPv4 prefix holds IPv4-mapped addresses too.
//   - States: those of "sockeye help states", ss's names and sets (connected, synchronized, bucket, big, all) too.
//   - Texts: as they are. Quote one that holds blanks or operators.
//
// # What is absent
//
// A comparison with a field that the socket does not have picks nothing, != and !~ included: "cong != cubic" picks sockets that have
// another algorithm. "not cong = cubic" picks those that have none too. A device and a cgroup are the exception, and mean what they do in
// ss: "dev != eth0" picks sockets that are bound to no device.
//
// Where several processes hold a socket, a condition on pid, process, cmdline, ... holds if it holds for one of them.
package lang
