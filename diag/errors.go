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
// errors.Is tells fs.ErrPermission (EPERM, EACCES), fs.ErrNotExist (no such socket), errors.ErrUnsupported (the kernel has no
// handler, and /proc/net has no table), ErrPartial, and the context's error.
type Error struct {
	Op      string // what was being done, such as "dump tcp inet"
	Err     error
	Message string // the kernel's own words (extended acknowledgement), or ""
	Partial bool   // sockets were yielded before it, or the kernel said that it was interrupted
	lookup  bool
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

// Is makes errors.Is work as Error's comment says.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrPartial:
		return e.Partial
	case errors.ErrUnsupported:
		return !e.lookup && (errors.Is(e.Err, syscall.ENOENT) || errors.Is(e.Err, syscall.EOPNOTSUPP) ||
			errors.Is(e.Err, syscall.EPROTONOSUPPORT))
	case fs.ErrNotExist:
		return e.lookup && errors.Is(e.Err, syscall.ENOENT)
	}
	return false
}

// MessageError is a message whose length is wrong.
type MessageError struct {
	What      string
	Len, Want int // bytes
}

func (e *MessageError) Error() string {
	return fmt.Sprintf("kernel sent a broken %s: %d bytes where %d were announced", e.What, e.Len, e.Want)
}
