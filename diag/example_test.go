package diag_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/netip"

	"github.com/sockeye-tools/sockeye/diag"
)

// connected opens a TCP connection over the loopback device.
func connected() (l net.Listener, client, server net.Conn) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if client, err = net.Dial("tcp4", l.Addr().String()); err != nil {
		log.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		log.Fatal(err)
	}
	return l, client, server
}

func Example() {
	l, client, server := connected()
	defer l.Close()
	defer client.Close()
	defer server.Close()
	client.Write([]byte("hello"))
	server.Read(make([]byte, 1)) // waits until it is there

	c, err := diag.Dial(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	q := diag.InetQuery{Family: diag.IPv4, States: diag.StatesOf(diag.Established), Ext: diag.ExtInfo}
	for s, err := range c.Inet(context.Background(), q) {
		if err != nil {
			log.Fatal(err)
		}
		var info diag.TCPInfo
		if s.Local.String() == server.LocalAddr().String() && s.TCPInfo(&info) {
			fmt.Printf("%v: %d bytes to read, %d received\n", s.State, s.RQueue, info.BytesReceived)
		}
	}
	// Output: ESTABLISHED: 4 bytes to read, 5 received
}

// Listeners are in a table of their own: asking for their state alone is cheap, however many connections there are.
func ExampleConn_Inet_listeners() {
	l, client, server := connected()
	defer l.Close()
	defer client.Close()
	defer server.Close()

	c, err := diag.Dial(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	for s, err := range c.Inet(context.Background(), diag.InetQuery{States: diag.StatesOf(diag.Listen)}) {
		if err != nil {
			log.Fatal(err)
		}
		if s.Local.String() == l.Addr().String() {
			fmt.Printf("%v %v on %v, %d waiting\n", s.Protocol, s.State, s.Local.Addr(), s.RQueue)
		}
	}
	// Output: tcp LISTEN on 127.0.0.1, 0 waiting
}

// A socket is valid until the next one is asked for: what is kept is cloned.
func ExampleInetSocket_Clone() {
	l, client, server := connected()
	defer l.Close()
	defer client.Close()
	defer server.Close()

	c, err := diag.Dial(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	var kept []*diag.InetSocket
	for s, err := range c.Inet(context.Background(), diag.InetQuery{Family: diag.IPv4, Ext: diag.ExtSKMemInfo}) {
		if err != nil {
			log.Fatal(err)
		}
		if s.Local.String() == l.Addr().String() {
			kept = append(kept, s.Clone())
		}
	}
	for _, s := range kept {
		mem, ok := s.SKMemInfo()
		fmt.Println(s.State, ok, mem.RcvBuf > 0)
	}
	// Unordered output:
	// LISTEN true true
	// ESTABLISHED true true
}

func ExampleConn_LookupInet() {
	l, client, server := connected()
	defer l.Close()
	defer client.Close()
	defer server.Close()

	c, err := diag.Dial(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	key := diag.InetKey{
		Local:  netip.MustParseAddrPort(client.LocalAddr().String()),
		Remote: netip.MustParseAddrPort(client.RemoteAddr().String()),
	}
	s, err := c.LookupInet(context.Background(), key)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.State, s.Local == key.Local)

	key.Cookie = s.Cookie + 1 // another socket, that has or had the same addresses
	_, err = c.LookupInet(context.Background(), key)
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output:
	// ESTABLISHED true
	// true
}

// TCPInfo is as long as the kernel made it. Has tells which fields are there.
func ExampleHas() {
	var info diag.TCPInfo // the kernel has sent nothing
	fmt.Println(info.RcvWnd, diag.Has(&info, &info.RcvWnd))
	// Output: 0 false
}
