package cli

import (
	"os"
	"testing"

	"github.com/sockeye-tools/sockeye/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Wrap(m).Run()) }
