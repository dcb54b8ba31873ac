package owner_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"syscall"

	"github.com/sockeye-tools/sockeye/diag/owner"
)

// Find out who holds a listening socket.
func Example() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer listener.Close()
	inode := inodeOf(listener.(*net.TCPListener))

	table, err := owner.Resolve(context.Background(), nil, []uint32{inode})
	if err != nil {
		log.Fatal(err)
	}
	for _, o := range table.Owners(nil, inode) {
		p := table.Process(o.PID)
		fmt.Println("this process:", int(o.PID) == os.Getpid())
		fmt.Println("name is known:", p.Known)
		fmt.Println("started as:", p.Argv()[0] == os.Args[0])
	}
	// Output:
	// this process: true
	// name is known: true
	// started as: true
}

// inodeOf stands for the kernel's answer to a sock_diag request.
func inodeOf(l *net.TCPListener) uint32 {
	conn, err := l.SyscallConn()
	if err != nil {
		log.Fatal(err)
	}
	var st syscall.Stat_t
	if err := conn.Control(func(fd uintptr) { err = syscall.Fstat(int(fd), &st) }); err != nil {
		log.Fatal(err)
	}
	if err != nil {
		log.Fatal(err)
	}
	return uint32(st.Ino)
}
