// Package filter is a language that picks sockets: it parses an expression to a tree, compiles what the kernel can take of the
// tree to the bytecode of INET_DIAG_REQ_BYTECODE, and evaluates the rest here.
//
//	f, err := filter.ParseSS([]string{"dport", "=", ":443", "and", "not", "dst", "10.0.0.0/8"}, filter.SystemEnv())
//	if err != nil { ... }
//	code, exact := f.Bytecode()
//	for s, err := range conn.Inet(ctx, diag.InetQuery{Family: f.Family(), Bytecode: code}) {
//		...
//		if exact && s.Source == diag.FromNetlink || f.Match(s) {
//			...
//		}
//	}
//
// The kernel may refuse the code all the same (EPERM for a mark in a user namespace that does not own the network namespace,
// EINVAL for an instruction that it was built without): ask again without code then, and look at each socket with Match.
//
// # The language of ss
//
// ParseSS reads the filter words of ss(8):
//
//	filter    = [ list ]
//	list      = term { [ "or" | "and" ] term }
//	term      = "not" term | "(" list ")" | predicate
//	predicate = ( "src" | "dst" ) [ "=" ] ADDRESS
//	          | ( "sport" | "dport" ) [ comparison ] PORT
//	          | ( "dev" | "fwmark" | "cgroup" ) [ "=" | "!=" ] VALUE
//	          | "autobound"
//
// Operators and parentheses are words of their own: blanks and tabs separate words, a backslash takes the next character as it is.
// "or", "and" and no operator at all (which is "and") bind equally, from the left; "not" binds tighter. So "a or b and c" is
// "( a or b ) and c", whatever the manual page of ss says. Spellings: "or" "|" "||", "and" "&" "&&", "not" "!", "=" "==" "eq",
// "!=" "ne" "neq", ">=" "ge" "geq", "<=" "le" "leq", ">" "gt", "<" "lt".
//
// ADDRESS is [family:]address[:port]: an address, ADDRESS/LENGTH, a host name, "*", "any", with an IPv6 address in brackets where
// a port follows. An IPv4 prefix picks IPv4-mapped IPv6 sockets too. The families are inet, inet6, unix, link, netlink and vsock;
// predicates of the last four never match an inet socket. PORT is a number or a name of /etc/services; -1 and "*" are any.
// "src" takes no "!=": write "not src".
//
// "autobound" asks two things of a socket: that its local port was not chosen with bind(2), which only the kernel's part of the
// filter knows, and that it lies within net.ipv4.ip_local_port_range, which Match sees to. Each is asked for the whole
// expression, as in ss: "not autobound" picks ports that were chosen and lie outside of the range.
//
// Results are those of ss, but where ss loses sockets that its own words ask for, or picks others:
//
//   - All addresses of a host name match. (ss sends the kernel the first one for each.)
//   - Ports outside of 0 to 65535 are compared as they are. (ss cuts those of ">=" and "<=" to 16 bits.)
//   - An IPv4 prefix picks no IPv6 address but a mapped one, and "not src 0.0.0.0" does pick [::]. (ss's own check compares the
//     first bits of either.)
//   - "dev" goes to the kernel as the rest does, so "autobound" beside it means the same as without. (ss sends nothing then, and
//     is left with the range.)
//   - "cgroup /" is the root cgroup. (ss takes the root directory.)
package filter
