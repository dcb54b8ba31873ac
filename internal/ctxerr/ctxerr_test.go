package ctxerr

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/sockeye-tools/sockeye/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Wrap(m).Run()) }

func TestOf(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	if err := Of(ctx); err != nil {
		t.Errorf("before: %v", err)
	}
	why := errors.New("why")
	cancel(why)
	if err := Of(ctx); !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
	plain, end := context.WithCancel(t.Context())
	end()
	if err := Of(plain); err != context.Canceled {
		t.Errorf("without a cause: %v", err)
	}
}
