package diag

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// ErrPartial marks an error after which what was yielded is true but may not be all.
var ErrPartial = errors.New("the result is partial")

// Error is what a query ends with when it fails.
//
// errors.Is tells fs.ErrPermission (EPERM, EACCES), fs.ErrNotExist (no such socket, or no such network namespace),
// errors.ErrUnsupported (the kernel has no handler, and /proc/net has no table), ErrPartial, os.ErrDeadlineExceeded
// (Config.Timeout), os.ErrClosed, and the context's error and cause.
type Error struct {
	Op      string // what was being done, such as "dump tcp inet"
	Err     error
	Message string // the kernel's own words (extended acknowledgement), or ""
	Partial bool   // sockets were yielded before it, or the kernel said that it was interrupted
}

func (e *Error) Error() string {
	s := e.Op + ": " + e.Err.Error()
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.Partial {
		s += " (" + ErrPartial.Error() + ")"
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is work for ErrPartial.
func (e *Error) Is(target error) bool { return target == ErrPartial && e.Partial }

// noHandler is the errno by which the kernel says that it has no sock_diag, or not for the protocol. A bare ENOENT would be
// fs.ErrNotExist, which is for sockets that are not there.
type noHandler struct{ errno syscall.Errno }

func (e noHandler) Error() string {
	if barred(e.errno) {
		return "netlink is forbidden here: " + e.errno.Error()
	}
	return "the kernel has no handler for it: " + e.errno.Error()
}

// barred reports whether an errno of socket(2) is a sandbox's: the kernel itself lets everybody open a NETLINK_SOCK_DIAG socket.
func barred(e syscall.Errno) bool {
	return e == syscall.EPERM || e == syscall.EACCES || e == syscall.ENOSYS
}

func (e noHandler) Is(target error) bool {
	if barred(e.errno) { // not that the kernel lacks anything
		return target == e.errno || target == fs.ErrPermission
	}
	return target == e.errno || target == errors.ErrUnsupported
}

// unhandled returns err as a noHandler, if that is what the kernel says to socket(2) or to a dump.
func unhandled(err error) (h noHandler, ok bool) {
	if h, ok = errors.AsType[noHandler](err); ok {
		return h, true
	}
	errno, _ := errors.AsType[syscall.Errno](err)
	switch errno {
	case syscall.ENOENT, // inet_diag has no handler for the protocol
		syscall.EPROTONOSUPPORT, syscall.EAFNOSUPPORT: // there is no NETLINK_SOCK_DIAG, or no netlink at all
		return noHandler{errno}, true
	}
	return h, false
}

// MessageError is a message whose length is wrong.
type MessageError struct {
	What      string
	Len, Want int // bytes
}

func (e *MessageError) Error() string {
	return fmt.Sprintf("kernel sent a broken %s: %d bytes where %d were announced", e.What, e.Len, e.Want)
}
