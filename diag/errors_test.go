package diag

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"
)

func TestErrorClasses(t *testing.T) {
	for _, tt := range []struct {
		err  error
		is   []error
		not  []error
		text string
	}{
		{&Error{Op: "dump tcp inet", Err: syscall.EPERM}, []error{fs.ErrPermission, syscall.EPERM}, []error{ErrPartial, errors.ErrUnsupported},
			"dump tcp inet: operation not permitted"},
		{&Error{Op: "dump tcp inet", Err: syscall.EINVAL, Message: "bad filter", Partial: true}, []error{ErrPartial, syscall.EINVAL},
			[]error{errors.ErrUnsupported, fs.ErrNotExist}, "dump tcp inet: invalid argument: bad filter (the result is partial)"},
		{&Error{Op: "look up tcp socket", Err: syscall.ENOENT}, []error{fs.ErrNotExist, syscall.ENOENT}, []error{errors.ErrUnsupported},
			"look up tcp socket: no such file or directory"},
		{&Error{Op: "dump sctp inet", Err: noHandler{syscall.ENOENT}}, []error{errors.ErrUnsupported, syscall.ENOENT},
			[]error{fs.ErrNotExist, ErrPartial, syscall.EPERM}, "dump sctp inet: the kernel has no handler for it: no such file or directory"},
	} {
		wrapped := fmt.Errorf("wrapped: %w", tt.err)
		for _, is := range tt.is {
			if !errors.Is(wrapped, is) {
				t.Errorf("%q is not %q", tt.err, is)
			}
		}
		for _, is := range tt.not {
			if errors.Is(wrapped, is) {
				t.Errorf("%q is %q", tt.err, is)
			}
		}
		if tt.err.Error() != tt.text {
			t.Errorf("%q, want %q", tt.err, tt.text)
		}
	}
}

func TestUnhandled(t *testing.T) {
	for err, want := range map[error]bool{
		syscall.ENOENT: true, syscall.EPROTONOSUPPORT: true, syscall.EAFNOSUPPORT: true, noHandler{syscall.ENOENT}: true,
		syscall.EPERM: false, syscall.EINVAL: false, errors.New("other"): false,
	} {
		if _, ok := unhandled(&Error{Err: err}); ok != want {
			t.Errorf("unhandled(%v) = %v", err, ok)
		}
	}
}

func TestMessageError(t *testing.T) {
	err := &MessageError{What: "attribute", Len: 8, Want: 99}
	if want := "kernel sent a broken attribute: 8 bytes where 99 were announced"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}
