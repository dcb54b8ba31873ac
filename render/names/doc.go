// Package names turns numbers into names for the renderers: ports into services, numbers into protocols, user ids into users,
// indexes into interfaces, addresses into hosts, cgroup ids into paths.
//
// Every type reads its source when it is first asked, keeps what it found (and what it did not find), and answers from that
// without allocating. The zero value works on the running system. None of them is safe for concurrent use.
//
// Where a name comes from somebody else (an interface, a host, a cgroup), control characters and invalid UTF-8 are escaped as
// AppendEscaped does, so that it can be sent to a terminal.
package names
