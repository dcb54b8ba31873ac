package owner

import (
	"encoding/binary"
	"errors"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sizeofDirentHeader is the offset of d_name in struct linux_dirent64,
// include/linux/dirent.h; d_reclen is at 16.
const sizeofDirentHeader = 19

// A dirReader reads the numbers in directories of procfs into one reused buffer.
type dirReader struct {
	buf  []byte
	link [64]byte
}

func newDirReader() *dirReader { return &dirReader{buf: make([]byte, 32<<10)} }

// read calls fn with every entry of the next part of the directory whose name
// is a number. The name ends with NUL and is valid until fn returns. read
// reports whether it got any entry; fn returns false to end it early.
func (d *dirReader) read(fd int, fn func(n int32, name *byte) bool) (bool, error) {
	size, err := retry(func() (int, error) { return unix.Getdents(fd, d.buf) })
	if err != nil || size <= 0 {
		return false, err
	}
	for b := d.buf[:size]; len(b) > sizeofDirentHeader; {
		entry := b[:binary.NativeEndian.Uint16(b[16:])]
		b = b[len(entry):]
		name := entry[sizeofDirentHeader:]
		if n, ok := parseName(name); ok && !fn(n, &name[0]) {
			return false, nil
		}
	}
	return true, nil
}

// numbers appends all numbers in the directory to dst.
func (d *dirReader) numbers(dst []int32, fd int) ([]int32, error) {
	for {
		more, err := d.read(fd, func(n int32, _ *byte) bool {
			dst = append(dst, n)
			return true
		})
		if err != nil || !more {
			return dst, err
		}
	}
}

// parseName parses a decimal number that ends with NUL.
func parseName(b []byte) (int32, bool) {
	n := int64(0)
	for i, c := range b {
		switch {
		case c == 0:
			return int32(n), i > 0
		case c < '0' || c > '9' || n > 1<<31/10-1:
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return 0, false
}

// socketLink returns the inode in a link "socket:[INODE]", or 0 if the link
// refers to something else. Unlike stat, readlink does not ask the file system
// of a file behind the link, which can hang.
func (d *dirReader) socketLink(fd int, name *byte) (uint32, error) {
	n, _, errno := unix.Syscall6(unix.SYS_READLINKAT, uintptr(fd), uintptr(unsafe.Pointer(name)),
		uintptr(unsafe.Pointer(&d.link)), uintptr(len(d.link)), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return parseSocketLink(d.link[:n]), nil
}

// parseSocketLink returns the inode in "socket:[INODE]", or 0.
func parseSocketLink(b []byte) uint32 {
	const prefix = "socket:["
	if len(b) < len(prefix)+2 || string(b[:len(prefix)]) != prefix || b[len(b)-1] != ']' {
		return 0
	}
	n := uint64(0)
	for _, c := range b[len(prefix) : len(b)-1] {
		if c < '0' || c > '9' || n > 1<<32 {
			return 0
		}
		n = n*10 + uint64(c-'0')
	}
	if n>>32 != 0 {
		return 0
	}
	return uint32(n)
}

// openDir opens a directory below dir for dirReader.
func openDir(dir int, path string) (int, error) {
	return retry(func() (int, error) {
		return unix.Openat(dir, path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
}

// readFile reads the beginning of a file below dir, at most len(buf) bytes.
func readFile(dir int, path string, buf []byte) ([]byte, error) {
	fd, err := retry(func() (int, error) {
		return unix.Openat(dir, path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	})
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	size := 0
	for size < len(buf) {
		n, err := retry(func() (int, error) { return unix.Read(fd, buf[size:]) })
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		size += n
	}
	return buf[:size], nil
}

// retry calls fn until no signal interrupts it.
func retry(fn func() (int, error)) (int, error) {
	for {
		n, err := fn()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// gone reports whether err says that a process or descriptor exists no more.
func gone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENOTDIR)
}

// denied reports whether err says that the caller may not look.
func denied(err error) bool {
	return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM)
}

func itoa(n int32) string { return strconv.Itoa(int(n)) }
