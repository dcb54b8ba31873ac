package names

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// Interfaces names network interfaces.
type Interfaces struct {
	// ByIndex looks up one interface; nil asks the kernel about the network namespace that the calling thread is in.
	ByIndex func(index uint32) (string, error)

	names map[uint32]string // "": has no name
}

// Lookup returns the name of the interface with an index.
func (i *Interfaces) Lookup(index uint32) (string, bool) {
	name, ok := i.names[index]
	if !ok {
		byIndex := i.ByIndex
		if byIndex == nil {
			byIndex = interfaceByIndex
		}
		if n, err := byIndex(index); err == nil {
			name = escaped(n)
		}
		if i.names == nil {
			i.names = map[uint32]string{}
		}
		i.names[index] = name
	}
	return name, name != ""
}

// Append appends the interface's name, or "if" and its index if it has none (it may be gone already).
func (i *Interfaces) Append(dst []byte, index uint32) []byte {
	if name, ok := i.Lookup(index); ok {
		return append(dst, name...)
	}
	return strconv.AppendUint(append(dst, "if"...), uint64(index), 10)
}

func interfaceByIndex(index uint32) (string, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		// A kernel without IPv4 has the ioctl on any socket.
		if fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return "", err
		}
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq("")
	if err != nil {
		return "", err
	}
	r.SetUint32(index)
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFNAME, r); err != nil {
		return "", err
	}
	return r.Name(), nil
}
