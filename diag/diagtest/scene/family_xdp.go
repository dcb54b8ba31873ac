package scene

import (
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// An XDPSocket is the truth about one socket of AF_XDP.
type XDPSocket struct {
	Name   string
	Inode  uint32
	FD     int
	Device string // "": not bound
	Index  int    // of the device
	Queue  uint32
	// How many descriptors fit into the rings; 0: there is none. Before it is bound the kernel does not tell of Fill and Completion.
	RX, TX, Fill, Completion uint32
	UmemSize                 uint64 // bytes; 0: there is none
	ChunkSize, Headroom      uint32
	Refs                     uint32 // sockets that share the memory
}

const xdpDevice = "veth7"

// xdp makes sockets of AF_XDP: with nothing, with rings, bound to a queue of a device, and two that share memory.
func (b *familyBuilder) xdp() {
	fd := b.try("socket", unix.AF_XDP, unix.SOCK_RAW, 0)
	b.noteXDP(XDPSocket{Name: "xdp bare", FD: fd})
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: xdpDevice}, PeerName: "veth8"}
	need("veth device", netlink.LinkAdd(veth))
	link, err := netlink.LinkByName(xdpDevice)
	check("find "+xdpDevice, err)
	check("set up", netlink.LinkSetUp(link))
	index := link.Attrs().Index

	const size, chunk, headroom = 64 << 10, 2048, 256
	open := func() (int, []byte) {
		fd := b.socket(unix.AF_XDP, unix.SOCK_RAW, 0)
		// The kernel pins the memory; the mapping must only outlive this call.
		mem, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
		check("mmap", err)
		reg := unix.XDPUmemReg{Addr: uint64(uintptr(unsafe.Pointer(&mem[0]))), Len: size, Size: chunk, Headroom: headroom}
		raw := unsafe.Slice((*byte)(unsafe.Pointer(&reg)), unsafe.Sizeof(reg))
		check("XDP_UMEM_REG", setBytes(fd, unix.SOL_XDP, unix.XDP_UMEM_REG, raw))
		return fd, mem
	}
	ring := func(fd, name, n int) { check("ring", unix.SetsockoptInt(fd, unix.SOL_XDP, name, n)) }

	fd, mem := open()
	ring(fd, unix.XDP_UMEM_FILL_RING, 64)
	ring(fd, unix.XDP_UMEM_COMPLETION_RING, 32)
	ring(fd, unix.XDP_RX_RING, 16)
	check("munmap", unix.Munmap(mem))
	b.noteXDP(XDPSocket{Name: "xdp unbound", FD: fd, RX: 16, UmemSize: size, ChunkSize: chunk, Headroom: headroom, Refs: 1})

	fd, mem = open()
	ring(fd, unix.XDP_UMEM_FILL_RING, 64)
	ring(fd, unix.XDP_UMEM_COMPLETION_RING, 64)
	ring(fd, unix.XDP_RX_RING, 128)
	ring(fd, unix.XDP_TX_RING, 256)
	need("bind", unix.Bind(fd, &unix.SockaddrXDP{Flags: unix.XDP_COPY, Ifindex: uint32(index)}))
	check("munmap", unix.Munmap(mem))
	bound := XDPSocket{Name: "xdp bound", FD: fd, Device: xdpDevice, Index: index, RX: 128, TX: 256, Fill: 64, Completion: 64,
		UmemSize: size, ChunkSize: chunk, Headroom: headroom, Refs: 2}
	b.noteXDP(bound)

	shared := b.socket(unix.AF_XDP, unix.SOCK_RAW, 0)
	ring(shared, unix.XDP_TX_RING, 8)
	check("bind to shared memory", unix.Bind(shared, &unix.SockaddrXDP{Flags: unix.XDP_SHARED_UMEM, Ifindex: uint32(index), SharedUmemFD: uint32(fd)}))
	bound.Name, bound.FD, bound.RX, bound.TX = "xdp sharing", shared, 0, 8
	b.noteXDP(bound)
}

func (b *familyBuilder) noteXDP(s XDPSocket) {
	s.Inode = must(inodeOf(s.FD))
	b.f.XDP = append(b.f.XDP, s)
}
