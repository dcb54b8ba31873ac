// Package ctxerr tells why a context is done.
package ctxerr

import (
	"context"
	"errors"
	"fmt"
)

// Of returns the error of a context with the cause that the program gave for ending it: errors.Is finds both. It is nil until ctx is done.
func Of(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
